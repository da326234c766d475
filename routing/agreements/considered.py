"""What a decision reads of an event: every attribute that a condition can name, and nothing else.

A ``Considered`` holds no coordinates and no personal data, so it may stand in a disclosure record; the same bundle and
the same ``Considered`` give the same decision, today and in a year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final, TypeGuard

from schemas.errors import Rejected


@dataclass(frozen=True, slots=True)
class Place:
    """A location of the event, as far as conditions may know it; None is not stated.

    A region is an area of the bundle, or one with a distance around it (``regions``). One that stands in neither
    ``inside`` nor ``partly`` is out of reach of a place that has coordinates.
    """

    kind: str | None
    district: str | None
    has_coordinates: bool = False
    inside: frozenset[str] = frozenset()
    """The regions in which it lies wholly, with its radius of uncertainty."""
    partly: frozenset[str] = frozenset()
    """The regions in which it may lie."""


@dataclass(frozen=True, slots=True)
class Considered:
    """One event as conditions see it."""

    origin: str
    """The member whose topic the event arrived on."""
    category: str | None
    """The present category: the full path, or the head's first level if ``classification`` is empty."""
    qualifiers: frozenset[str] | None
    """Null: the source does not say. Empty: it says there is none. The difference decides."""
    flags: frozenset[str] | None
    caveats: frozenset[str] | None
    handling: frozenset[str] | None
    grade: str
    """``unknown`` when not stated; so are status, kind, mode and marking."""
    status: str
    kind: str
    mode: str
    marking: str
    places: tuple[Place, ...]
    """Every location of the event, whatever its kind: conditions choose among them."""
    sections: frozenset[str]
    """The sections that are not empty; ``control`` counts for nothing and is left out."""
    addressees: frozenset[str]
    opening_category: str | None = None
    closing_category: str | None = None
    regions: frozenset[str] = frozenset()
    """What places were measured against; whether a place lies in any other region is not known."""
    hazards: frozenset[str] = frozenset()
    """The kinds of hazard stated: a new one ends a refusal."""
    placed: frozenset[str] = frozenset()
    """The sections that state a coordinate or an address, which ``locate`` would replace."""
    changes: frozenset[str] = frozenset()
    """Of a correction: the attributes here that its ``changes`` name; only those take codes out of the history."""
    sequence: int = 0
    """Which event of its incident this is."""


_CATEGORIES: Final = ("category", "opening_category", "closing_category")
_NULLABLE: Final = frozenset({*_CATEGORIES, "qualifiers", "flags", "caveats", "handling"})
_SETS: Final = frozenset(
    {"qualifiers", "flags", "caveats", "handling", "sections", "addressees"}
    | {"regions", "hazards", "placed", "changes"}
)
_ATTRIBUTES: Final = tuple(field.name for field in fields(Considered))
_OF_PLACE: Final = tuple(field.name for field in fields(Place))


def considered_to_dict(considered: Considered) -> dict[str, Any]:
    """Plain data for a record: sets become sorted lists or None, places become mappings."""
    return {
        name: list(_sorted(considered.regions)) if name == "regions" else _plain(getattr(considered, name))
        for name in _ATTRIBUTES
    }


@lru_cache(maxsize=16)
def _sorted(regions: frozenset[str]) -> tuple[str, ...]:
    """The same for every event under one policy, and there may be hundreds."""
    return tuple(sorted(regions))


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [{name: _plain(getattr(place, name)) for name in _OF_PLACE} for place in value]
    return value


def considered_from_dict(data: Mapping[str, Any]) -> Considered:
    """The inverse of ``considered_to_dict``.

    Raises:
        Rejected: ``bad-considered``: an attribute is missing, not one of ours, or of the wrong type. Nothing is
            filled in or left out: either could turn the decision.
    """
    if set(data) != set(_ATTRIBUTES):
        wrong = ", ".join(sorted(set(data) ^ set(_ATTRIBUTES)))
        raise Rejected("bad-considered", f"expected exactly {', '.join(_ATTRIBUTES)}; differing: {wrong}")
    return Considered(**{name: _attribute(name, data[name]) for name in _ATTRIBUTES})


def _attribute(name: str, value: object) -> Any:  # noqa: ANN401  each attribute has its own type
    if value is None and name in _NULLABLE:
        return None
    if name == "places" and isinstance(value, list):
        return tuple(_place(entry) for entry in value)
    if name in _SETS and _is_texts(value):
        return frozenset(value)
    if name == "sequence" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if name not in _SETS and name != "sequence" and isinstance(value, str):
        return value
    expected = {"places": "a list", "sequence": "a whole number"}.get(
        name, "a list of texts" if name in _SETS else "a text"
    )
    raise Rejected("bad-considered", f"{name}: expected {expected}, got {type(value).__name__}")


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _place(entry: object) -> Place:
    if isinstance(entry, dict) and set(entry) == set(_OF_PLACE):
        kind, district, has_coordinates, inside, partly = (entry[name] for name in _OF_PLACE)
        stated = isinstance(kind, str | None) and isinstance(district, str | None) and isinstance(has_coordinates, bool)
        if stated and _is_texts(inside) and _is_texts(partly):
            return Place(kind, district, has_coordinates, frozenset(inside), frozenset(partly))
    raise Rejected("bad-considered", f"places: expected mappings of {', '.join(_OF_PLACE)}, each of its type")
