"""The sections of an incident event, by name, in the order they have on the wire.

A section is an array of the message, and the unit of sharing: an agreement grants whole sections, the cut blanks whole
sections, a delivery covers whole sections. ``head`` is not one of them: it is what any recipient always sees.
"""

from __future__ import annotations

from typing import Final

CONTROL: Final = "control"
"""What the origin tells the router and nobody else; it is never granted and never delivered."""

SECTIONS: Final = (
    "classification",
    "locations",
    "suspects",
    "convicted",
    "victims",
    "witnesses",
    "callers",
    "subjects",
    "associates",
    "casualties",
    "vehicles",
    "facts",
    "assessments",
    "narrative",
    "resources",
    "hazards",
)
"""Every section that an agreement may name, in wire order: all but ``control``."""
