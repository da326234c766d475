"""The desk of a force: its people look at cases, and rule.

- ``callers`` tells who runs a command, ``persons`` which person of the policy in force that is, in which role.
- ``snapshots`` and ``changes`` make an event readable, and mark what came since somebody looked (``looking``).
  ``case_list`` and ``case_screen`` are what people see.
- ``rulings`` and ``case_rulings`` make a ruling out of a person's words, ``sending`` puts it on the force's topic and
  waits for what the router says of it, ``outcomes`` tells that.

What always holds:

- Who rules is known from the operating system or a token, never from what a command or its environment claims.
- Nobody rules on what they have not seen: a ruling names the event that this person was shown last.
- "Ruled" is said once the broker has the ruling for good; whether it counts, only the router says.
"""
