"""What a decision reads of an event: every attribute that a condition can name, and nothing else.

A ``Considered`` holds no coordinates and no personal data, so it may stand in a disclosure record; the same bundle and
the same ``Considered`` give the same decision, today and in a year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from schemas.errors import Rejected


@dataclass(frozen=True, slots=True)
class Place:
    """A location of the event, as far as conditions may know it; None is not stated."""

    kind: str | None
    district: str | None


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


_SETS: Final = frozenset({"qualifiers", "flags", "caveats", "handling", "sections", "addressees"})
_NULLABLE: Final = frozenset({"category", "qualifiers", "flags", "caveats", "handling"})
_ATTRIBUTES: Final = tuple(field.name for field in fields(Considered))


def considered_to_dict(considered: Considered) -> dict[str, Any]:
    """Plain data for a record: sets become sorted lists or None, places become mappings."""
    return {name: _plain(getattr(considered, name)) for name in _ATTRIBUTES}


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [{"kind": place.kind, "district": place.district} for place in value]
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
    if name in _SETS and isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return frozenset(value)
    if name not in _SETS and isinstance(value, str):
        return value
    expected = "a list of texts" if name in _SETS else "a list" if name == "places" else "a text"
    raise Rejected("bad-considered", f"{name}: expected {expected}, got {type(value).__name__}")


def _place(entry: object) -> Place:
    if isinstance(entry, dict) and set(entry) == {"kind", "district"}:
        kind, district = entry["kind"], entry["district"]
        if isinstance(kind, str | None) and isinstance(district, str | None):
            return Place(kind, district)
    raise Rejected("bad-considered", "places: expected mappings of a kind and a district, each a text or null")
