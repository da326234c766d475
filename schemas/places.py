"""Which parts of an event tell where something is: what ``locate`` replaces, found by type and not by section.

A type that is used in a new place of the schema is found there too; a field that is new in ``Location`` goes with the
rest of it, since only what is named in `located` stays. A new text that may hold a place belongs in `WATCHED`
(``tests/schemas/test_located.py`` asks about every field that is new).
"""

from __future__ import annotations

from typing import Final

LOCATION: Final = "location"
DIRECTION: Final = "direction"
WORDS: Final = "words"
REFERENCES: Final = "references"

WATCHED: Final = {
    ("huecry.event.Location", ""): LOCATION,
    # A direction of travel, or where to: "west", "towards the junction".
    ("huecry.event.Vehicle", "direction"): DIRECTION,
    # A location's reference, or where in words.
    ("huecry.event.Hazard", "place"): WORDS,
    # References of persons and vehicles, and of places, which may be addresses in all but name.
    ("huecry.event.LogLine", "about"): REFERENCES,
}
TELL_WHERE: Final = frozenset({LOCATION, DIRECTION, WORDS})
"""The parts by which a section states a place; a reference alone states none."""
