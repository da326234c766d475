"""What sections of an event state that conditions read, and what the router is told; remembered, section by section.

An update repeats most sections of the event before it, and what is made of one stands beside it (`schemas.opened`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from routing.agreements.considered import Place
from routing.agreements.measured import measured
from routing.geography.measuring import Geography
from schemas.cut import CONTROL, REMEMBERED_BYTES, EventForm, OpenEvent
from schemas.errors import Rejected

_PATHS: Final = {
    # Attribute: the path by which a correction names it.
    "category": "classification.category",
    "opening_category": "classification.opening_category",
    "closing_category": "classification.closing_category",
    "qualifiers": "classification.qualifiers",
    "flags": "classification.flags",
    "caveats": "control.caveats",
    "handling": "handling",
}
_REMEMBERED_MOST: Final = 16_384
_PLACES_MOST: Final = 8_192
_PLACES_BYTES: Final = 1_024
"""What is known of one place takes up to a kilobyte: a crowd of them is measured each time."""


class Control(NamedTuple):
    """What the origin tells the router of an event."""

    sequence: int
    addressees: frozenset[str]
    caveats: frozenset[str] | None
    changes: tuple[Mapping[str, Any], ...]
    """Of a correction; each with its path, reason, and whether it was wrong from the start."""
    changed: frozenset[str]
    """The attributes with a history that the changes name; naming their section alone does not name them."""


class Classification(NamedTuple):
    """What kind of incident it is."""

    category: str | None = None
    opening_category: str | None = None
    closing_category: str | None = None
    qualifiers: frozenset[str] | None = None
    flags: frozenset[str] | None = None


_T = TypeVar("_T")
_ReadT_co = TypeVar("_ReadT_co", covariant=True)


class _Reading(Protocol[_ReadT_co]):
    """A function of a section's bytes that remembers, and the same function that does not."""

    @property
    def __wrapped__(self) -> Callable[[EventForm, bytes], _ReadT_co]: ...

    def __call__(self, form: EventForm, block: bytes, /) -> _ReadT_co: ...


def control_of(event: OpenEvent) -> Control:
    """The control element of an event.

    Raises:
        Rejected: there is none, there are several, or it is malformed.
    """
    return _remembered(_control_of, event, CONTROL)


def classification_of(event: OpenEvent) -> Classification:
    """The classification of an event; nothing is stated where it has none.

    Raises:
        Rejected: there are several, or it is malformed.
    """
    return _remembered(_classification_of, event, "classification")


def hazards_of(event: OpenEvent) -> frozenset[str]:
    """The kinds of hazard stated.

    Raises:
        Rejected: the section is malformed.
    """
    return _remembered(_hazards_of, event, "hazards")


def places_of(event: OpenEvent, geography: Geography) -> tuple[Place, ...]:
    """Where the places of an event are, in what a bundle's geography knows; equal ones are mostly one object.

    Raises:
        Rejected: the section is malformed.
    """
    block = event.block("locations")
    places = _places_of if len(block) <= _PLACES_BYTES else _places_of.__wrapped__
    return places(event.form, block, geography)


def _remembered(read: _Reading[_T], event: OpenEvent, section: str) -> _T:
    """What is read of a section: events repeat what those before them said, letter for letter."""
    block = event.block(section)
    return (read if len(block) <= REMEMBERED_BYTES else read.__wrapped__)(event.form, block)


@lru_cache(maxsize=_REMEMBERED_MOST)
def _control_of(form: EventForm, block: bytes) -> Control:
    control = _only(form, CONTROL, block)
    if control is None:
        raise Rejected("no-control", "expected one control element, none came", remedy="send sequence and addressees")
    return Control(
        control["sequence"],
        frozenset(control["addressees"]),
        _codes(control["caveats"]),
        tuple(control["changes"]),
        frozenset(_changed(control["changes"])),
    )


@lru_cache(maxsize=_REMEMBERED_MOST)
def _classification_of(form: EventForm, block: bytes) -> Classification:
    stated = _only(form, "classification", block) or {}
    return Classification(
        stated.get("category"),
        stated.get("opening_category"),
        stated.get("closing_category"),
        _codes(stated.get("qualifiers")),
        _codes(stated.get("flags")),
    )


@lru_cache(maxsize=_PLACES_MOST)
def _places_of(form: EventForm, block: bytes, geography: Geography) -> tuple[Place, ...]:
    places = tuple(sorted((_place(each, geography) for each in form.items("locations", block)), key=_place_order))
    return _one_of_equal(places) if len(block) <= _PLACES_BYTES else places


@lru_cache(maxsize=_PLACES_MOST)
def _one_of_equal(places: tuple[Place, ...]) -> tuple[Place, ...]:
    return places


@lru_cache(maxsize=_REMEMBERED_MOST)
def _hazards_of(form: EventForm, block: bytes) -> frozenset[str]:
    return frozenset(hazard["kind"] for hazard in form.items("hazards", block) if hazard["kind"])


def _place(location: Mapping[str, Any], geography: Geography) -> Place:
    place, point = Place(location["kind"] or None, location["district"]), location["point"]
    if point is None:
        return place
    return measured(place, point["longitude"], point["latitude"], location["radius_m"] or 0.0, geography)


def _changed(changes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The attributes with a history that a correction names; naming their section alone does not name them."""
    paths = {re.sub(r"\[\d*\]", "", change["path"]) for change in changes}
    return (name for name, path in _PATHS.items() if path in paths)


def _only(form: EventForm, section: str, block: bytes) -> dict[str, Any] | None:
    items = form.items(section, block)
    if len(items) > 1:
        raise Rejected("too-many", f"expected at most one element in {section}, {len(items)} came")
    return items[0] if items else None


def _codes(values: object) -> frozenset[str] | None:
    return frozenset(values) if isinstance(values, list) else None


def _place_order(place: Place) -> tuple[str, str]:
    return place.kind or "", place.district or ""
