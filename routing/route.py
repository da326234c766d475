"""The pure heart of routing: one record in, everything that follows from it out.

`route` is total: bad input is an effect (quarantine), never an exception. It reads no clock, no disk and no network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Final

from routing.agreements.measured import geography_of
from routing.arrived import Arrived, arrived
from routing.asked import ask, asks_nothing, latest_of, stood_down
from routing.circulation import circulation
from routing.consequences import Consequences, Setting
from routing.considering import MOST_IN_AN_ID, check_identity
from routing.course import course_after, course_of
from routing.deciding import Decisions
from routing.disclose import Positions, disclosed
from routing.effects import NOTHING_KNOWN, Effects, Known, Policy, Record
from routing.following import remembered
from routing.forwarding import forwarded, taken_up
from routing.quarantine import quarantined
from routing.recalled import TakenBack, retract
from routing.receipts import receipted
from routing.ruled import ruled
from routing.state.remembering import NOT_KNOWN
from routing.state.sequence import news
from routing.telling import about, feedback_of
from routing.what_came_before import what_came_before
from schemas.codec import EventCodec
from schemas.errors import Rejected
from schemas.partitioner import partition_of
from schemas.topics import family_of, largest_batch_bytes, member_of
from schemas.wire import unframe


@cache
def _codec() -> EventCodec:
    return EventCodec()


def route(
    record: Record,
    policy: Policy,
    now: datetime,
    codec: EventCodec | None = None,
    *,
    known: Known = NOTHING_KNOWN,
) -> Effects:
    """Everything that follows from one record of an input topic, and what is to be remembered of it.

    Args:
        record: the record; its topic names its member.
        policy: what may be shared, and who can be reached.
        now: the time of deciding, with its zone.
        codec: the schemas known; those of this release unless told.
        known: what is remembered of its incident and its partition.
    """
    family, member = family_of(record.topic), member_of(record.topic)
    if family == "routing.inbox":
        try:
            record = taken_up(record, largest_batch_bytes("input", policy.exchange.limits))
        except Rejected as why:
            # Only routers write there, and it has no owner to be kept for: it is counted, and alerted as internal.
            return Effects("quarantined", (), reason=why.reason)
        family, member = family_of(record.topic), member_of(record.topic)
    if member is None or member not in policy.exchange.members:
        msg = f"not an input topic of this exchange: {record.topic}"
        raise ValueError(msg)
    coming = Coming(record, member, known, now)
    if family == "incidents":
        return _route_event(coming, policy, codec or _codec())
    take = _route_receipt if family == "receipts" else _route_ruling
    try:
        return take(coming, policy, codec or _codec())
    except Rejected as why:
        return _refused(record, member, why, policy, now)


class Coming:
    """A record before it is opened."""

    __slots__ = ("known", "member", "now", "record")

    def __init__(self, record: Record, member: str, known: Known, now: datetime) -> None:
        self.record = record
        self.member = member
        """Whose topic it came on; of an event, its origin."""
        self.known = known
        self.now = now


def _route_receipt(coming: Coming, policy: Policy, codec: EventCodec) -> Effects:
    return receipted(coming.record, coming.member, policy, coming.now, coming.known, codec)


def _route_ruling(coming: Coming, policy: Policy, codec: EventCodec) -> Effects:
    record = coming.record
    place = partition_of(record.key or b"", policy.exchange.partitions)
    if place != record.partition and not record.by_way_of:
        return Effects("forwarded", (forwarded(record, place, policy.exchange.exchange),))
    return ruled(record, coming.member, policy, coming.now, coming.known, codec)


def _route_event(coming: Coming, policy: Policy, codec: EventCodec) -> Effects:
    record, origin, known, now = coming.record, coming.member, coming.known, coming.now
    identity = ("", "")
    try:
        opened = codec.open(record.value, policy.exchange.limits.max_event_bytes)
        _entry, event = opened
        identity = (event.head["incident_id"][:MOST_IN_AN_ID], event.head["event_id"][:MOST_IN_AN_ID])
        check_identity(event, origin, record.key)
        _check_place(record, policy)
        came = arrived(record, opened, geography_of(policy.bundle), now)
        what = news(known.incident, identity[1], came.considered.sequence, record.value or b"")
        if what == "repeat":
            return _REPEATED
        gap_after = known.incident.sequence if what == "gap" and known.incident else None
        return _disclosed(came, policy, codec, known, gap_after)
    except Rejected as why:
        return _refused(record, origin, why, policy, now, identity)


_REPEATED: Final = Effects("repeated", ())


def _disclosed(came: Arrived, policy: Policy, codec: EventCodec, known: Known, gap_after: int | None) -> Effects:
    if came.considered.kind == "retract":
        return _retracted(came, policy, codec, known, gap_after)
    before = known.incident
    course = course_of(came, before, policy)
    circulated = course.circulated
    numbers = {} if before is None else before.numbers.value
    asked_for = stood_down(came, before)
    positions = Positions(numbers, known.stream, course.closed_ms, what_came_before(before), asked_for)
    outputs, streams = disclosed(came, circulated, policy, codec, positions)
    told = feedback_of(came, circulated, gap_after)
    incident = remembered(came, before, course)
    effects = Effects(
        fate="routed",
        outputs=(*outputs, *(output for _, output in told)),
        outcomes=circulated.outcomes,
        feedback=tuple((came.considered.origin, kind) for kind, _ in told),
        incident=incident,
        streams=streams,
    )
    if asks_nothing(came, circulated, incident):
        return effects
    setting = Setting(policy, codec, came.record.partition, _after(streams, known))
    drawn = Consequences(about(came), incident, setting)
    ask(came, course.decisions, circulated, drawn)
    return _with(effects, drawn)


def _retracted(came: Arrived, policy: Policy, codec: EventCodec, known: Known, gap_after: int | None) -> Effects:
    """The origin's own system takes the incident back, from the members addressed or from every holder.

    It is decided for nobody: whoever holds nothing hears nothing of it. Its record says so.
    """
    nobody = Decisions(())
    circulated = circulation(nobody, policy.suspended)
    closed = None if known.incident is None else known.incident.closed_ms
    positions = Positions({}, known.stream, closed, what_came_before(known.incident))
    outputs, _ = disclosed(came, circulated, policy, codec, positions)
    told = feedback_of(came, circulated, gap_after)
    incident = remembered(
        came, known.incident, course_after(came, known.incident, policy.bundle, nobody, circulated, closed)
    )
    # Whoever rules later rules on the last event that says something: nobody else hears that it was taken back.
    incident = incident._replace(latest=known.incident.latest if known.incident else NOT_KNOWN)
    effects = Effects(
        fate="routed",
        outputs=(*outputs, *(output for _, output in told)),
        feedback=tuple((came.considered.origin, kind) for kind, _ in told),
        incident=incident,
    )
    drawn = Consequences(about(came), incident, Setting(policy, codec, came.record.partition, known.stream))
    stated = next((change["reason"] for change in came.control.changes if change["reason"]), "")
    what = TakenBack(came.considered.addressees, stated or "superseded", came.identity[2])
    retract(what, drawn)
    if drawn.case_notices:
        drawn.show_case(latest_of(came), came.identity[2])
    return _with(effects, drawn)


def _with(effects: Effects, drawn: Consequences) -> Effects:
    """An event's effects with what else follows for its incident."""
    return effects._replace(
        outputs=(*effects.outputs, *drawn.outputs),
        feedback=(*effects.feedback, *drawn.news),
        incident=drawn.incident(),
        streams={**effects.streams, **drawn.streams},
    )


def _after(streams: Mapping[str, int], known: Known) -> Callable[[str], int]:
    """Where members' streams stand after an event's own deliveries."""
    return lambda member: streams.get(member) or known.stream(member)


def _check_place(record: Record, policy: Policy) -> None:
    expected = partition_of(record.key or b"", policy.exchange.partitions)
    if record.partition != expected:
        raise Rejected(
            "wrong-partition",
            f"the key belongs on partition {expected}, and the event is on {record.partition}",
            remedy="set partitioner=murmur2_random in the producer (Java clients do so of themselves)",
        )


def _refused(
    record: Record, member: str, why: Rejected, policy: Policy, now: datetime, identity: tuple[str, str] = ("", "")
) -> Effects:
    """Quarantined; with its schema id if that is what nobody here knows, since a registry may."""
    effects = quarantined(record, member, why, policy, now, identity)
    if why.reason != "unknown-schema":
        return effects
    schema_id, _ = unframe(record.value, policy.exchange.limits.max_event_bytes)
    return effects._replace(unknown_schema=schema_id)
