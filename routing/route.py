"""The pure heart of routing: one record in, everything that follows from it out.

`route` is total: bad input is an effect (quarantine), never an exception. It reads no clock, no disk and no network.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache, lru_cache

from routing.agreements.measured import geography_of
from routing.arrived import Arrived, arrived
from routing.circulation import circulation
from routing.considering import MOST_IN_AN_ID, check_identity
from routing.deciding import decide_afresh, decide_all
from routing.disclose import disclosed
from routing.effects import Effects, Output, Policy, Record
from routing.quarantine import quarantined
from routing.receipts import receipted
from schemas.codec import EventCodec, encode, stable_id
from schemas.errors import Rejected
from schemas.partitioner import partition_of
from schemas.records import Feedback, FeedbackEntry, Source
from schemas.topics import FamilyName, family_of, feedback_topic, member_of
from schemas.wire import unframe


@cache
def _codec() -> EventCodec:
    return EventCodec()


def route(record: Record, policy: Policy, now: datetime, codec: EventCodec | None = None) -> Effects:
    """Everything that follows from one record of an input topic.

    Args:
        record: the record; its topic names its member.
        policy: what may be shared, and who can be reached.
        now: the time of deciding, with its zone.
        codec: the schemas known; those of this release unless told.
    """
    family, member = _input(record.topic)
    if member is None or member not in policy.exchange.members:
        msg = f"not an input topic of this exchange: {record.topic}"
        raise ValueError(msg)
    if family == "receipts":
        return _route_receipt(record, member, policy, now)
    return _route_event(record, member, policy, now, codec or _codec())


@lru_cache(maxsize=4_096)
def _input(topic: str) -> tuple[FamilyName | None, str | None]:
    return family_of(topic), member_of(topic)


def _route_receipt(record: Record, member: str, policy: Policy, now: datetime) -> Effects:
    try:
        return receipted(record, member, policy, now)
    except Rejected as why:
        return _refused(record, member, why, policy, now)


def _route_event(record: Record, origin: str, policy: Policy, now: datetime, codec: EventCodec) -> Effects:
    identity = ("", "")
    try:
        opened = codec.open(record.value, policy.exchange.limits.max_event_bytes)
        _entry, event = opened
        identity = (event.head["incident_id"][:MOST_IN_AN_ID], event.head["event_id"][:MOST_IN_AN_ID])
        check_identity(event, origin, record.key)
        _check_place(record, policy)
        return _disclosed(arrived(record, opened, geography_of(policy.bundle), now), policy, codec)
    except Rejected as why:
        return _refused(record, origin, why, policy, now, identity)


def _disclosed(came: Arrived, policy: Policy, codec: EventCodec) -> Effects:
    decide = decide_all if came.is_usual else decide_afresh
    circulated = circulation(decide(policy.bundle, came.considered, came.now), policy.suspended)
    outputs = disclosed(came, circulated, policy, codec)
    outputs += [_undeliverable(came, member, reason) for member, reason in circulated.cut_off]
    return Effects(
        fate="routed",
        outputs=tuple(outputs),
        outcomes=circulated.outcomes,
        feedback=tuple((came.considered.origin, "undeliverable") for _ in circulated.cut_off),
    )


def _check_place(record: Record, policy: Policy) -> None:
    expected = partition_of(record.key or b"", policy.exchange.partitions)
    if record.partition != expected:
        raise Rejected(
            "wrong-partition",
            f"the key belongs on partition {expected}, and the event is on {record.partition}",
            remedy="set partitioner=murmur2_random in the producer (Java clients do so of themselves)",
        )


def _undeliverable(came: Arrived, member: str, reason: str) -> Output:
    origin, incident_id, event_id = came.identity
    record = came.record
    identifier = stable_id("undeliverable", origin, incident_id, event_id, member)
    told = Feedback(
        feedback_id=identifier,
        to=origin,
        kind="undeliverable",
        member=member,
        at=came.now,
        reason=reason,
        detail="the member's topic cannot be written",
        remedy="tell the member by telephone; the operators of the exchange have an alert",
        entries=(FeedbackEntry(incident_id=incident_id, event_id=event_id),),
        source=Source(topic=record.topic, partition=record.partition, offset=record.offset),
    )
    return Output(feedback_topic(origin), identifier.encode(), encode("Feedback", told.to_avro()))


def _refused(
    record: Record, member: str, why: Rejected, policy: Policy, now: datetime, identity: tuple[str, str] = ("", "")
) -> Effects:
    """Quarantined; with its schema id if that is what nobody here knows, since a registry may."""
    effects = quarantined(record, member, why, policy, now, identity)
    if why.reason != "unknown-schema":
        return effects
    schema_id, _ = unframe(record.value, policy.exchange.limits.max_event_bytes)
    return effects._replace(unknown_schema=schema_id)
