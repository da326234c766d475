"""From an event's bytes to what conditions may read of it; and what an event must be before anything is decided."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from routing.agreements.considered import Considered, Place
from routing.geography.measuring import Geography
from routing.stating import Classification, Control, classification_of, control_of, hazards_of, places_of
from schemas.codes import enum_code
from schemas.cut import CONTROL, REMEMBERED_BYTES, OpenEvent
from schemas.errors import Rejected
from schemas.located import placed_sections

_NONE: Final[frozenset[str]] = frozenset()
_REMEMBERED_MOST: Final = 8_192
_code: Final = lru_cache(maxsize=1_024)(enum_code)
MOST_IN_AN_ID: Final = 200
"""Characters of an incident_id or event_id: they stand in keys and in every record that is written of the event."""
_READ_SECTIONS: Final = (CONTROL, "classification", "locations", "hazards")


def considered(event: OpenEvent, geography: Geography) -> Considered:
    """What conditions may read of an event. Checks the sections it reads, and that the parts agree with each other.

    Coordinates are measured here against what the bundle's geography knows, and go no further. Events alike in all that
    is read are one object while that is remembered.

    Args:
        event: the event.
        geography: of the bundle.

    Raises:
        Rejected: the event contradicts itself or lacks what every event must have.
    """
    control = control_of(event)
    if not is_of_usual_size(event):
        return _considered(_OfHead(*_of_head(event.head)), _read(event, geography, placed_sections(event)), control)
    lasting = _lasting(event, geography)
    # By identity, since both are mostly one object for many events, and comparing is dear.
    key = (_of_head(event.head), id(lasting), id(control))
    known = _known.get(key)
    if known is None:
        if len(_known) >= _REMEMBERED_MOST:
            _known.clear()
        known = _known[key] = lasting, control, _considered(_OfHead(*key[0]), lasting, control)
    return known[2]


class _OfHead(NamedTuple):
    """What is read of an event's head, of what may differ from event to event of an incident."""

    origin: str
    grade: str
    status: str
    kind: str
    mode: str
    marking: str


class _Lasting(NamedTuple):
    """What is read of an event that most events of its incident state alike."""

    category: str | None
    classification: Classification
    handling: frozenset[str] | None
    places: tuple[Place, ...]
    regions: frozenset[str]
    placed: frozenset[str]
    non_empty: frozenset[str]
    hazards: frozenset[str]


_of_head: Final = itemgetter(*_OfHead._fields)
_known: dict[tuple[Any, int, int], tuple[_Lasting, Control, Considered]] = {}
"""What the key names by identity is kept with what is made of it."""
_lastings: dict[tuple[Any, ...], _Lasting] = {}


def _lasting(event: OpenEvent, geography: Geography) -> _Lasting:
    """Events of an incident find it by their sections, of which equal ones are one object while they are remembered."""
    head, checked, placed = event.head, event.checked, placed_sections(event)
    handling = head["handling"]
    stated = (head["category"], None if handling is None else tuple(handling), geography, event.names, placed)
    key = (*stated, checked("classification"), checked("locations"), checked("hazards"))
    known = _lastings.get(key)
    if known is None:
        if len(_lastings) >= _REMEMBERED_MOST:
            _lastings.clear()
        known = _lastings[key] = _one_of_equal(_read(event, geography, placed))
    return known


@lru_cache(maxsize=_REMEMBERED_MOST)
def _one_of_equal(lasting: _Lasting) -> _Lasting:
    """Incidents at different places may still state the same."""
    return lasting


def _read(event: OpenEvent, geography: Geography, placed: frozenset[str]) -> _Lasting:
    head, classification = event.head, classification_of(event)
    return _Lasting(
        _category(head["category"], classification.category),
        classification,
        None if head["handling"] is None else frozenset(head["handling"]),
        places_of(event, geography),
        geography.regions,
        placed,
        event.non_empty,
        hazards_of(event),
    )


def _considered(head: _OfHead, lasting: _Lasting, control: Control) -> Considered:
    classification = lasting.classification
    return Considered(
        origin=head.origin,
        category=lasting.category,
        qualifiers=classification.qualifiers,
        flags=classification.flags,
        caveats=control.caveats,
        handling=lasting.handling,
        grade=_code(head.grade),
        status=_code(head.status),
        kind=_code(head.kind),
        mode=_code(head.mode),
        marking=_code(head.marking),
        places=lasting.places,
        regions=lasting.regions,
        placed=lasting.placed,
        sections=_without_control(lasting.non_empty),
        addressees=control.addressees,
        opening_category=classification.opening_category,
        closing_category=classification.closing_category,
        hazards=lasting.hazards,
        changes=control.changed if head.kind == "CORRECTED" else _NONE,
        sequence=control.sequence,
    )


def is_of_usual_size(event: OpenEvent) -> bool:
    """Whether an event states no more for conditions to read than may be remembered of it."""
    return len(event.body) <= REMEMBERED_BYTES or event.bytes_of(_READ_SECTIONS) <= REMEMBERED_BYTES


@lru_cache(maxsize=_REMEMBERED_MOST)
def _without_control(sections: frozenset[str]) -> frozenset[str]:
    return sections - {CONTROL}


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
