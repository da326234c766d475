"""What a delivery changes in what its receiver holds: pure, the same for every sink that keeps current content.

- *share*, *correct*: the head and every covered section are replaced (covered and empty: there is none); sections not
  covered stay, with the time when each was last stated.
- *restricted*: no news for now; what is held stays, and the incident is marked until the next share.
- *withdraw*: the named sections go, and leave a mark.
- *retract*: everything goes, is sealed for the person who will erase it or keep it as evidence, and leaves a tombstone.

**Which is newer.** The order of the partner topic is the truth. Where deliveries carry a number, one that is not above
the latest of its incident is superseded: it changes nothing. After a retraction, a share takes effect only if it is
known to be later: by its number; where there are none, by the origin's own clock, the event's ``sent_at`` against that
of the retraction. So a replay of old events never resurrects a retracted incident, even where the deliveries have been
forgotten; and an origin whose clock went back must send its next event after the time of the retraction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from consumers.delivery import Delivery, IncidentKey
from consumers.sinks.table import iso
from schemas.codes import enum_code
from schemas.sections import SECTIONS

Row = dict[str, Any]
"""A row of the incident table, by column."""

HEAD: Final = "head"
_ENUMS: Final = ("kind", "mode", "grade", "status", "marking")
_PLAIN: Final = (
    "event_id local_ref occurred_at recorded_at sent_at effective_at category primacy handling".split()  # noqa: SIM905
)
_QUALITY: Final = ("accuracy", "completeness", "reliability")


@dataclass(frozen=True, slots=True)
class Section:
    """What one section is now; `items` None: withdrawn."""

    items: Sequence[Mapping[str, Any]] | None
    stated_at: datetime
    event_id: str
    delivery_id: str


@dataclass(slots=True)
class Change:
    """What becomes of one incident: its row as it will be, and the sections that change."""

    row: Row
    known: bool
    """Whether the receiver held anything of it before."""
    sections: dict[str, Section] = field(default_factory=dict)
    sealed_by: str | None = None
    """The latest retraction: what was held before it goes, and `sections` follow."""
    sealed: list[tuple[str, str, Any]] = field(default_factory=list)
    """Of this fold's own content, taken back within it: retraction, section or head, items."""


class Fold:
    """Deliveries in order, onto what is held of their incidents."""

    def __init__(self, held: Mapping[IncidentKey, Row], now: datetime) -> None:
        self._held = held
        self._now = now
        self.changes: dict[IncidentKey, Change] = {}

    def apply(self, delivery: Delivery) -> bool:
        """Take one delivery in; False: something newer is here already, and nothing changes."""
        change = self.changes.get(delivery.key) or self._start(delivery)
        if _is_superseded(delivery, change.row):
            return False
        self.changes[delivery.key] = change
        _ACTIONS[delivery.action](change, delivery)
        terms = delivery.terms
        change.row.update(
            action=delivery.action,
            latest_delivery_id=delivery.delivery_id,
            last_heard_at=iso(self._now),
            restricted=delivery.action == "restricted",
            **{f"contact_{part}": delivery.event["contact"][part] for part in ("desk", "phone", "email")},
        )
        if terms["number"] is not None:
            change.row["latest_number"] = terms["number"]
        return True

    def _start(self, delivery: Delivery) -> Change:
        held = self._held.get(delivery.key)
        if held is not None:
            return Change(dict(held), known=True)
        origin, incident_id = delivery.key
        return Change(
            {"origin": origin, "incident_id": incident_id, "addressed_to_us": False, "links": []}, known=False
        )


def _is_superseded(delivery: Delivery, row: Row) -> bool:
    number, latest = delivery.terms["number"], row.get("latest_number")
    if number is not None and latest is not None:
        return bool(number <= latest)
    retracted = row.get("retracted_sent_at")
    if retracted is None or delivery.action == "retract":
        return False
    return bool(iso(delivery.event["sent_at"]) <= retracted)


def _share(change: Change, delivery: Delivery) -> None:
    terms, event = delivery.terms, delivery.event
    stated_at = event["recorded_at"] or event["sent_at"]
    for name in terms["covers"]:
        if name in SECTIONS:
            items = [plain(item) for item in event[name]]
            change.sections[name] = Section(items, stated_at, event["event_id"], delivery.delivery_id)
    change.row.update(
        head_columns(event),
        addressed_to_us=terms["addressed_to_you"],
        links=terms["links"],
        retain_until=terms["retain_until"],
        retain_days=terms["retain_days"],
        onward=terms["onward"],
        retracted_at=None,
        retracted_sent_at=None,
        retract_reason=None,
        retract_ask=None,
    )


def _restricted(change: Change, delivery: Delivery) -> None:
    """Nothing but the mark, which `apply` makes."""


def _withdraw(change: Change, delivery: Delivery) -> None:
    event = delivery.event
    for name in delivery.terms["withdraws"]:
        if name in SECTIONS:
            change.sections[name] = Section(None, event["sent_at"], event["event_id"], delivery.delivery_id)


def _retract(change: Change, delivery: Delivery) -> None:
    terms, by = delivery.terms, delivery.delivery_id
    if change.row.get("event_id"):
        change.sealed.append((by, HEAD, {name: change.row.get(name) for name in _head_names()}))
    change.sealed += [(by, name, section.items) for name, section in change.sections.items() if section.items]
    change.sections.clear()
    change.sealed_by = by
    change.row.update(dict.fromkeys(_head_names()))
    change.row.update(
        addressed_to_us=False,
        links=[],
        retracted_at=terms["decided_at"],
        retracted_sent_at=iso(delivery.event["sent_at"]),
        retract_reason=terms["reason"],
        retract_ask=terms["ask"],
    )


_ACTIONS: Final[Mapping[str, Callable[[Change, Delivery], None]]] = {
    "share": _share,
    "correct": _share,
    "restricted": _restricted,
    "withdraw": _withdraw,
    "retract": _retract,
}


def _head_names() -> tuple[str, ...]:
    return (*_PLAIN, *_ENUMS, *_QUALITY, "quality_as_of")


def head_columns(event: Mapping[str, Any]) -> Row:
    """The head of an event as columns: codes instead of symbols, quality beside the rest."""
    quality = event["quality"] or {}
    return {
        **{name: event[name] for name in _PLAIN},
        **{name: enum_code(event[name]) for name in _ENUMS},
        **{name: enum_code(quality[name]) if quality else None for name in _QUALITY},
        "quality_as_of": quality.get("as_of"),
    }


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of a section without what is not stated, codes instead of symbols."""
    found: dict[str, Any] = {}
    for name, value in item.items():
        if type(value) is dict:
            found[name] = _plain_quality(value) if name == "quality" else plain(value)
        elif value is not None:
            found[name] = value
    return found


def _plain_quality(quality: Mapping[str, Any]) -> dict[str, Any]:
    stated = {name: enum_code(quality[name]) for name in _QUALITY}
    return stated if quality["as_of"] is None else {**stated, "as_of": quality["as_of"]}
