"""From an event's bytes to what conditions may read of it; and what an event must be before anything is decided."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from routing.agreements.considered import Considered, Place
from routing.agreements.measured import measured
from routing.geography.measuring import Geography
from schemas.codes import enum_code
from schemas.cut import CONTROL, OpenEvent
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
MOST_IN_AN_ID: Final = 200
"""Characters of an incident_id or event_id: they stand in keys and in every record that is written of the event."""


def considered(event: OpenEvent, geography: Geography) -> Considered:
    """What conditions may read of an event. Checks the sections it reads, and that the parts agree with each other.

    Coordinates are measured here against what the bundle's geography knows, and go no further.

    Raises:
        Rejected: the event contradicts itself or lacks what every event must have.
    """
    head = event.head
    control = _only(event, CONTROL)
    if control is None:
        raise Rejected("no-control", "expected one control element, none came", remedy="send sequence and addressees")
    classification = _only(event, "classification") or {}
    placed = placed_sections(event)
    locations = event.section("locations")
    return Considered(
        origin=head["origin"],
        category=_category(head["category"], classification.get("category")),
        qualifiers=_codes(classification.get("qualifiers")),
        flags=_codes(classification.get("flags")),
        caveats=_codes(control["caveats"]),
        handling=_codes(head["handling"]),
        grade=enum_code(head["grade"]),
        status=enum_code(head["status"]),
        kind=enum_code(head["kind"]),
        mode=enum_code(head["mode"]),
        marking=enum_code(head["marking"]),
        places=tuple(sorted((_place(each, geography) for each in locations), key=_place_order)),
        regions=geography.regions,
        placed=placed,
        sections=event.non_empty - {CONTROL},
        addressees=frozenset(control["addressees"]),
        opening_category=classification.get("opening_category"),
        closing_category=classification.get("closing_category"),
        hazards=frozenset(hazard["kind"] for hazard in event.section("hazards") if hazard["kind"]),
        changes=frozenset(_changed(control["changes"])) if head["kind"] == "CORRECTED" else frozenset(),
        sequence=control["sequence"],
    )


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
    if head["kind"] == "RETRACT":
        raise Rejected(
            "unsupported-kind",
            "retractions are not routed by this release, and must not pass for ordinary events",
            remedy="call whoever received the incident: huecry explain says who did",
        )
    missing = [name for name in ("incident_id", "event_id", "recorded_at") if not head[name]]
    if missing:
        raise Rejected("missing-field", f"expected {', '.join(missing)}, and the event does not state it")
    long = [name for name in ("incident_id", "event_id") if len(head[name]) > MOST_IN_AN_ID]
    if long:
        raise Rejected(
            "too-long",
            f"expected at most {MOST_IN_AN_ID} characters in {', '.join(long)}, and more came",
            remedy="identify incidents and events by a short key of your system",
        )


def _only(event: OpenEvent, section: str) -> dict[str, Any] | None:
    items = event.section(section)
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
