"""What becomes of a record that cannot be routed: kept for its owner, with the reason and what to do."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from routing.effects import Effects, Output, Policy, Record
from schemas.codec import encode, stable_id
from schemas.errors import Rejected
from schemas.records import Feedback, FeedbackEntry, Quarantined, Source
from schemas.topics import feedback_topic, quarantine_topic


def quarantined(
    record: Record,
    member: str,
    why: Rejected,
    policy: Policy,
    now: datetime,
    identity: tuple[str, str] = ("", ""),
) -> Effects:
    """The effects of refusing a record: its payload goes to its own member's topic and nowhere else.

    Args:
        record: what came.
        member: whose topic it came on.
        why: the refusal; its message holds no personal data.
        policy: for the members and the size limit.
        now: the time of refusal.
        identity: incident_id and event_id, if they could be read.
    """
    source = Source(topic=record.lies_on, partition=record.partition, offset=record.offset)
    incident_id, event_id = identity
    identifier = stable_id("quarantine", record.lies_on, str(record.partition), str(record.offset))
    kept = Quarantined(
        quarantine_id=identifier,
        member=member,
        reason=why.reason,
        detail=str(why),
        remedy=why.remedy,
        incident_id=incident_id,
        event_id=event_id,
        source=source,
        at=now,
        key=_bounded(record.key, 1024),
        value=_bounded(record.value, policy.exchange.limits.max_event_bytes),
        value_bytes=len(record.value or b""),
        value_sha256=sha256(record.value or b"").hexdigest(),
    )
    key = identifier.encode()
    outputs = [Output(quarantine_topic(member), key, encode("Quarantined", kept.to_avro()))]
    feedback: tuple[tuple[str, str], ...] = ()
    if policy.exchange.members[member].publishes:
        told = Feedback(
            feedback_id=identifier,
            to=member,
            kind="quarantined",
            at=now,
            reason=why.reason,
            detail=str(why),
            remedy=why.remedy,
            entries=(FeedbackEntry(incident_id=incident_id, event_id=event_id),),
            source=source,
        )
        outputs.append(Output(feedback_topic(member), key, encode("Feedback", told.to_avro())))
        feedback = ((member, "quarantined"),)
    return Effects(fate="quarantined", outputs=tuple(outputs), feedback=feedback, reason=why.reason)


def _bounded(data: bytes | None, most: int) -> bytes | None:
    return data if data is not None and len(data) <= most else None
