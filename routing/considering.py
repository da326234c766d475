"""From an event's bytes to what conditions may read of it; and what an event must be before anything is decided."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from routing.agreements.considered import Considered, Place
from routing.agreements.measured import measured
from routing.geography.measuring import Geography
from schemas.codes import enum_code
from schemas.cut import CONTROL, REMEMBERED_BYTES, EventForm, OpenEvent
from schemas.errors import Rejected
from schemas.located import placed_sections

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
_NONE: Final[frozenset[str]] = frozenset()
_REMEMBERED_MOST: Final = 16_384
_PLACES_MOST: Final = 8_192
_PLACES_BYTES: Final = 1_024
"""What is known of one place takes up to a kilobyte: a crowd of them is measured each time."""
_code: Final = lru_cache(maxsize=1_024)(enum_code)
MOST_IN_AN_ID: Final = 200
"""Characters of an incident_id or event_id: they stand in keys and in every record that is written of the event."""


class Control(NamedTuple):
    """What the origin tells the router of an event."""

    sequence: int
    addressees: frozenset[str]
    caveats: frozenset[str] | None
    changes: tuple[Mapping[str, Any], ...]
    """Of a correction; each with its path, reason, and whether it was wrong from the start."""
    changed: frozenset[str]
    """The attributes with a history that the changes name; naming their section alone does not name them."""


class _Classification(NamedTuple):
    category: str | None = None
    opening_category: str | None = None
    closing_category: str | None = None
    qualifiers: frozenset[str] | None = None
    flags: frozenset[str] | None = None


_READ_SECTIONS: Final = (CONTROL, "classification", "locations", "hazards")
_T = TypeVar("_T")
_ReadT_co = TypeVar("_ReadT_co", covariant=True)


class _Reading(Protocol[_ReadT_co]):
    """A function of a section's bytes that remembers, and the same function that does not."""

    @property
    def __wrapped__(self) -> Callable[[EventForm, bytes], _ReadT_co]: ...

    def __call__(self, form: EventForm, block: bytes, /) -> _ReadT_co: ...


def considered(event: OpenEvent, geography: Geography, control: Control | None = None) -> Considered:
    """What conditions may read of an event. Checks the sections it reads, and that the parts agree with each other.

    Coordinates are measured here against what the bundle's geography knows, and go no further.

    Args:
        event: the event.
        geography: of the bundle.
        control: its control element, if it has been read.

    Raises:
        Rejected: the event contradicts itself or lacks what every event must have.
    """
    head = event.head
    control = control or control_of(event)
    placed = placed_sections(event)
    classification = _remembered(_classification_of, event, "classification")
    read = _Read(
        head["origin"],
        _category(head["category"], classification.category),
        classification,
        tuple(head["handling"]) if isinstance(head["handling"], list) else None,
        *(head["grade"], head["status"], head["kind"], head["mode"], head["marking"]),
        _places(event, geography),
        geography.regions,
        placed,
        event.non_empty,
        control,
        _remembered(_hazards_of, event, "hazards"),
    )
    if not is_of_usual_size(event):
        return _considered(read)
    # By identity, since what is remembered of equal sections is one object, and comparing is dear.
    key = (*read[:2], id(classification), *read[3:9], id(read.places), *read[10:13], id(control), read.hazards)
    known = _known.get(key)
    if known is None:
        if len(_known) >= _CONSIDERED_MOST:
            _known.clear()
        known = _known[key] = read, _considered(read)
    return known[1]


class _Read(NamedTuple):
    """What is read of an event; equal places, classifications and control elements are mostly one object each."""

    origin: str
    category: str | None
    classification: _Classification
    handling: tuple[str, ...] | None
    grade: str
    status: str
    kind: str
    mode: str
    marking: str
    places: tuple[Place, ...]
    regions: frozenset[str]
    placed: frozenset[str]
    non_empty: frozenset[str]
    control: Control
    hazards: frozenset[str]


_CONSIDERED_MOST: Final = 8_192
_known: dict[tuple[Any, ...], tuple[_Read, Considered]] = {}
"""Events alike in all that conditions read are one object. What the key names by identity is kept with it."""


def _considered(read: _Read) -> Considered:
    classification, control = read.classification, read.control
    return Considered(
        origin=read.origin,
        category=read.category,
        qualifiers=classification.qualifiers,
        flags=classification.flags,
        caveats=control.caveats,
        handling=None if read.handling is None else frozenset(read.handling),
        grade=_code(read.grade),
        status=_code(read.status),
        kind=_code(read.kind),
        mode=_code(read.mode),
        marking=_code(read.marking),
        places=read.places,
        regions=read.regions,
        placed=read.placed,
        sections=_without_control(read.non_empty),
        addressees=control.addressees,
        opening_category=classification.opening_category,
        closing_category=classification.closing_category,
        hazards=read.hazards,
        changes=control.changed if read.kind == "CORRECTED" else _NONE,
        sequence=control.sequence,
    )


def control_of(event: OpenEvent) -> Control:
    """The control element of an event.

    Raises:
        Rejected: there is none, there are several, or it is malformed.
    """
    return _remembered(_control_of, event, CONTROL)


def is_of_usual_size(event: OpenEvent) -> bool:
    """Whether an event states no more for conditions to read than may be remembered of it."""
    return len(event.body) <= REMEMBERED_BYTES or event.bytes_of(_READ_SECTIONS) <= REMEMBERED_BYTES


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
def _classification_of(form: EventForm, block: bytes) -> _Classification:
    stated = _only(form, "classification", block) or {}
    return _Classification(
        stated.get("category"),
        stated.get("opening_category"),
        stated.get("closing_category"),
        _codes(stated.get("qualifiers")),
        _codes(stated.get("flags")),
    )


def _places(event: OpenEvent, geography: Geography) -> tuple[Place, ...]:
    block = event.block("locations")
    places = _places_of if len(block) <= _PLACES_BYTES else _places_of.__wrapped__
    return places(event.form, block, geography)


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


@lru_cache(maxsize=_REMEMBERED_MOST)
def _without_control(sections: frozenset[str]) -> frozenset[str]:
    return sections - {CONTROL}


def _place(location: Mapping[str, Any], geography: Geography) -> Place:
    place, point = Place(location["kind"] or None, location["district"]), location["point"]
    if point is None:
        return place
    return measured(place, point["longitude"], point["latitude"], location["radius_m"] or 0.0, geography)


def _changed(changes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The attributes with a history that a correction names; naming their section alone does not name them."""
    paths = {re.sub(r"\[\d*\]", "", change["path"]) for change in changes}
    return (name for name, path in _PATHS.items() if path in paths)


def check_identity(event: OpenEvent, origin: str, key: bytes | None) -> None:
    """That the event is its topic's member's, keyed by its incident, and can be told from others.

    Raises:
        Rejected: it is not.
    """
    head = event.head
    if head["origin"] != origin:
        raise Rejected(
            "wrong-origin",
            "the event names another member as its origin than the topic it arrived on",
            remedy="publish only your own incidents, on your own topic",
        )
    if key != head["incident_id"].encode():
        raise Rejected(
            "wrong-key",
            "the Kafka key is not the incident_id",
            remedy="set the Kafka key of each event to its incident_id in UTF-8",
        )
    if not (head["incident_id"] and head["event_id"] and head["recorded_at"]):
        missing = [name for name in ("incident_id", "event_id", "recorded_at") if not head[name]]
        raise Rejected("missing-field", f"expected {', '.join(missing)}, and the event does not state it")
    if len(head["incident_id"]) > MOST_IN_AN_ID or len(head["event_id"]) > MOST_IN_AN_ID:
        long = [name for name in ("incident_id", "event_id") if len(head[name]) > MOST_IN_AN_ID]
        raise Rejected(
            "too-long",
            f"expected at most {MOST_IN_AN_ID} characters in {', '.join(long)}, and more came",
            remedy="identify incidents and events by a short key of your system",
        )


def _only(form: EventForm, section: str, block: bytes) -> dict[str, Any] | None:
    items = form.items(section, block)
    if len(items) > 1:
        raise Rejected("too-many", f"expected at most one element in {section}, {len(items)} came")
    return items[0] if items else None


def _category(first_level: str, full: object) -> str | None:
    """The full path if stated, else the first level, which every recipient sees and so must be no more than that."""
    if "/" in first_level:
        raise Rejected(
            "head-category",
            "expected the first level of the category in the head, a longer path came",
            remedy="put the full path into classification.category, which agreements govern",
        )
    if not isinstance(full, str):
        return None if first_level == "unknown" else first_level
    if full.split("/", 1)[0] != first_level:
        raise Rejected(
            "head-category",
            "the head's category is not the first level of classification.category",
            remedy="derive the one from the other",
        )
    return full


def _codes(values: object) -> frozenset[str] | None:
    return frozenset(values) if isinstance(values, list) else None


def _place_order(place: Place) -> tuple[str, str]:
    return place.kind or "", place.district or ""
