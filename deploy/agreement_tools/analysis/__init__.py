"""What a bundle can do to any event at all, found exactly: by solving, not by trying events.

``space`` says which events there are, as formulas: every combination of codes, places, history and holdings that could
come, from one origin to one recipient. ``truths`` says when a condition is true or unknown of them, ``effects`` when a
rule matches and what becomes of each part. ``findings`` and ``differences`` ask the solver (z3) about these, and
``witness`` makes an event out of a solution, which the interpreter then decides: a finding that the interpreter does
not confirm is a fault of ours and is told as such.

Not part of the space: rulings, bars, open cases and following, which belong to single incidents. Whether a place lies
in one area is taken to say nothing about other areas, though maps may.
"""
