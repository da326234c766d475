"""From decisions to bytes: one delivery for each recipient that gets something, one record of all that was decided.

Recipients with equal decisions share their terms, and recipients with equal coverage share one cut event: both are
built once for each event, however many partners there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from typing import Any, Final, NamedTuple

from routing.agreements.considered import Considered, considered_to_dict
from routing.agreements.decision import Decision
from routing.agreements.model import Locate
from routing.deciding import Decided
from routing.effects import Output, Policy, Record
from routing.geography.cells import cell_of
from routing.wording import Wording
from schemas.catalogue import Entry, catalogue
from schemas.codec import EventCodec, encode_address, stable_id
from schemas.cut import EMPTY, OpenEvent
from schemas.located import Told, located
from schemas.parts import disclosure_record_head, encode_recipients, terms_parts
from schemas.topics import disclosures_topic, partner_topic
from schemas.wire import frame, long_bytes

_CELLS_M: Final[dict[Locate, int]] = {"100m": 100, "1km": 1_000, "10km": 10_000}
_OF_RECORD: Final = ("origin", "sequence")
"""What is considered and stands in a record by itself."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event that was opened and checked, with where it stands and what conditions read of it."""

    record: Record
    entry: Entry
    event: OpenEvent
    considered: Considered
    now: datetime

    @property
    def identity(self) -> tuple[str, str, str]:
        """Origin, incident, event."""
        head = self.event.head
        return head["origin"], head["incident_id"], head["event_id"]


def delivery_id(arrived: Arrived, recipient: str) -> str:
    """Made from origin, incident, event, recipient, action and cause: the same however often it is made."""
    return stable_id("delivery", *arrived.identity, recipient, "share", "event")


def deliveries(arrived: Arrived, granted: Iterable[Decided], codec: EventCodec) -> list[Output]:
    """One Delivery for each recipient, to whom the head must be granted.

    Raises:
        Rejected: a section that somebody is granted is malformed; then nobody gets anything of the event.
    """
    views: dict[View, bytes] = {}
    terms: dict[tuple[Wording, bool], bytes] = {}
    framed = codec.delivery_frame(arrived.entry)
    key = arrived.record.key or b""
    outputs = []
    for each in granted:
        recipient, seen = each.recipient, view_of(each.decision)
        addressed = recipient in arrived.considered.addressees
        same = (each.wording, addressed)
        if seen not in views:
            views[seen] = _view(arrived.event, seen)
        if same not in terms:
            terms[same] = _terms(arrived, each.wording, addressed=addressed)
        address = encode_address(delivery_id(arrived, recipient), recipient, f"{recipient}/{arrived.record.partition}")
        outputs.append(Output(partner_topic(recipient), key, b"".join((framed, address, terms[same], views[seen]))))
    return outputs


class View(NamedTuple):
    """What a recipient sees of an event: recipients with equal ones share its bytes."""

    covers: tuple[str, ...]
    located: tuple[tuple[str, Locate], ...]
    """The sections covered whose places are told coarsely, each with how finely."""


def view_of(decision: Decision) -> View:
    """What the decision lets its recipient see."""
    coarse = ((section, decision.locate[section]) for section in decision.covers)
    return View(decision.covers, tuple((section, locate) for section, locate in coarse if locate != "exact"))


def _view(event: OpenEvent, seen: View) -> bytes:
    instead = {
        section: located(event, section, partial(_told, locate))
        for section, locate in seen.located
        if section in event.non_empty
    }
    return event.view(seen.covers, instead)


def _told(locate: Locate, longitude: float, latitude: float, radius_m: float) -> Told | None:
    cell = cell_of(longitude, latitude, radius_m, _CELLS_M[locate])
    return None if cell is None else Told(cell.name, cell.size)


def _terms(arrived: Arrived, wording: Wording, *, addressed: bool) -> bytes:
    """The terms of a disclosure: what the wording says, and between its parts what hangs on this event."""
    changes = _changes_for(arrived.event, wording.decision.covers)
    of_event = _of_event(changes, addressed=addressed) if changes else _unchanged(addressed=addressed)
    times = _times(arrived.now, _retain_until(arrived, wording.decision))
    return b"".join((wording.covered, of_event, wording.grounds, times, wording.ending))


def _of_event(changes: list[dict[str, Any]], *, addressed: bool) -> bytes:
    return terms_parts()[1].encode({"addressed_to_you": addressed, "changes": changes})


@cache
def _unchanged(*, addressed: bool) -> bytes:
    return _of_event([], addressed=addressed)


@lru_cache(maxsize=64)
def _times(decided_at: datetime, retain_until: datetime | None) -> bytes:
    return terms_parts()[3].encode({"decided_at": decided_at, "retain_until": retain_until})


def _changes_for(event: OpenEvent, covers: tuple[str, ...]) -> list[dict[str, Any]]:
    """The corrections of fields that this recipient can see: of the head, and of the sections covered."""
    changes = event.section("control")[0]["changes"]
    if not changes:
        return []
    visible = {*covers, *event.head}
    return [change for change in changes if change["path"].partition("[")[0].partition(".")[0] in visible]


def _retain_until(arrived: Arrived, decision: Decision) -> datetime | None:
    """Null while the incident is open; from this decision once it is closed."""
    closed = arrived.considered.kind == "closed" or arrived.considered.status == "closed"
    if not closed or decision.retain_days is None:
        return None
    return arrived.now + timedelta(days=decision.retain_days)


def disclosure_record(arrived: Arrived, decided: Iterable[Decided], policy: Policy) -> Output:
    """What was decided about the event for every member: DPA 2018 s.62."""
    origin, incident_id, event_id = arrived.identity
    record = arrived.record
    head = {
        "record_id": stable_id("record", origin, incident_id, event_id),
        "origin": origin,
        "incident_id": incident_id,
        "event_id": event_id,
        "sequence": arrived.event.section("control")[0]["sequence"],
        "source": {"topic": record.topic, "partition": record.partition, "offset": record.offset},
        "decided_at": arrived.now,
        "policy": {"version": policy.bundle.version, "hash": policy.bundle.hash},
        "considered": {k: v for k, v in considered_to_dict(arrived.considered).items() if k not in _OF_RECORD},
        "state": None,
    }
    parts = [_record_frame(), disclosure_record_head().encode(head), *_groups(arrived, decided, policy)]
    return Output(disclosures_topic(origin), record.key or b"", b"".join(parts))


def _groups(arrived: Arrived, decided: Iterable[Decided], policy: Policy) -> list[bytes]:
    """The members for whom the decision was the same, and that decision, as one Avro array."""
    groups: dict[Wording, list[tuple[str, str | None, str | None]]] = {}
    for each in decided:
        groups.setdefault(each.wording, []).append(_recipient(arrived, each, policy))
    parts = [long_bytes(len(groups))] if groups else []
    for wording, members in groups.items():
        parts += (encode_recipients(members), wording.decided)
    return [*parts, EMPTY]


def _recipient(arrived: Arrived, decided: Decided, policy: Policy) -> tuple[str, str | None, str | None]:
    """The member, the delivery made, and why one that was granted could not be made."""
    member = decided.recipient
    if decided.decision.head != "granted":
        return member, None, None
    undeliverable = policy.suspended.get(member)
    return member, None if undeliverable else delivery_id(arrived, member), undeliverable


@cache
def _record_frame() -> bytes:
    return frame(catalogue().current("DisclosureRecord").schema_id)
