"""What an origin is told at once about an event of its own that was routed."""

from __future__ import annotations

from routing.arrived import Arrived
from routing.circulation import Circulation
from routing.effects import Output
from schemas.codec import encode, stable_id
from schemas.records import Feedback, FeedbackEntry, Source
from schemas.topics import feedback_topic

Told = tuple[str, Output]
"""The kind of news, and the record of it."""


def feedback_of(came: Arrived, circulated: Circulation, gap_after: int | None) -> list[Told]:
    """Which members could not be reached, which holders are without news, and which events were not seen.

    Args:
        came: the event.
        circulated: what follows from what was decided.
        gap_after: the sequence after which events were not seen; None: none is missing.
    """
    told = [_undeliverable(came, member, reason) for member, reason in circulated.cut_off]
    told += [_without_news(came, member) for member in circulated.without_news]
    if gap_after is not None:
        told.append(_gap(came, gap_after))
    return told


def _undeliverable(came: Arrived, member: str, reason: str) -> Told:
    said = {"detail": "the member's topic cannot be written"}
    remedy = "tell the member by telephone; the operators of the exchange have an alert"
    return _told(came, "undeliverable", member, {**said, "reason": reason, "remedy": remedy})


def _without_news(came: Arrived, member: str) -> Told:
    detail = "the member holds this incident and was not told of this event: agreements or people stop it"
    remedy = "huecry explain says why; whoever must know can be told by telephone"
    return _told(came, "holders-without-news", member, {"detail": detail, "remedy": remedy})


def _gap(came: Arrived, after: int) -> Told:
    detail = f"expected sequence {after + 1} of this incident, and {came.considered.sequence} came; it was routed"
    remedy = "see what became of the events between: each is a snapshot, so what they said may be in this one"
    return _told(came, "sequence-gap", None, {"detail": detail, "remedy": remedy})


def _told(came: Arrived, kind: str, member: str | None, said: dict[str, str]) -> Told:
    origin, incident_id, event_id = came.identity
    record = came.record
    identifier = stable_id(kind, origin, incident_id, event_id, *([member] if member else []))
    told = Feedback(
        feedback_id=identifier,
        to=origin,
        kind=kind,
        member=member,
        at=came.now,
        entries=(FeedbackEntry(incident_id=incident_id, event_id=event_id),),
        source=Source(topic=record.topic, partition=record.partition, offset=record.offset),
        reason=said.get("reason", ""),
        detail=said["detail"],
        remedy=said["remedy"],
    )
    return kind, Output(feedback_topic(origin), identifier.encode(), encode("Feedback", told.to_avro()))
