"""What an origin is told at once about an incident of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from routing.arrived import Arrived
from routing.circulation import Circulation
from routing.effects import Output, Record
from schemas.codec import encode, stable_id
from schemas.records import Feedback, FeedbackEntry, Source
from schemas.topics import feedback_topic

Told = tuple[str, Output]
"""The kind of news, and the record of it."""


class About(NamedTuple):
    """What an origin is told about."""

    origin: str
    incident_id: str
    event_id: str
    """Empty: no event."""
    now: datetime
    source: Record | None
    """The record that it follows from; None: time passed."""


def about(came: Arrived) -> About:
    """An event of its own."""
    return About(*came.identity, came.now, came.record)


def tell(matter: About, kind: str, member: str | None, said: Mapping[str, Any], *, mark: tuple[str, ...] = ()) -> Told:
    """One Feedback record.

    Args:
        matter: what it is about.
        kind: the kind of news.
        member: the other member that it concerns, if one.
        said: fields of `schemas.records.Feedback`, and ``delivery_id`` where a delivery is meant.
        mark: what tells it from other news of that kind about the same event and member: its id is made from these.
    """
    origin, incident_id, event_id, now, record = matter
    identifier = stable_id(kind, origin, incident_id, event_id, *([member] if member else []), *mark)
    fields = dict(said)
    entry = FeedbackEntry(incident_id=incident_id, event_id=event_id, delivery_id=fields.pop("delivery_id", None))
    source = None if record is None else Source(topic=record.lies_on, partition=record.partition, offset=record.offset)
    feedback = Feedback(
        feedback_id=identifier, to=origin, kind=kind, member=member, at=now, entries=(entry,), source=source, **fields
    )
    return kind, Output(feedback_topic(origin), identifier.encode(), encode("Feedback", feedback.to_avro()))


def feedback_of(came: Arrived, circulated: Circulation, gap_after: int | None) -> list[Told]:
    """Which members could not be reached, which holders are without news, and which events were not seen.

    Args:
        came: the event.
        circulated: what follows from what was decided.
        gap_after: the sequence after which events were not seen; None: none is missing.
    """
    told = [undeliverable(about(came), member, reason) for member, reason in circulated.cut_off]
    told += [_without_news(came, member) for member in circulated.without_news]
    if gap_after is not None:
        told.append(_gap(came, gap_after))
    return told


def undeliverable(matter: About, member: str, reason: str, *, mark: tuple[str, ...] = ()) -> Told:
    """That a member cannot be reached, with the reason as a code."""
    said = {
        "reason": reason,
        "detail": "the member's topic cannot be written",
        "remedy": "tell the member by telephone; the operators of the exchange have an alert",
    }
    return tell(matter, "undeliverable", member, said, mark=mark)


def _without_news(came: Arrived, member: str) -> Told:
    detail = "the member holds this incident and was not told of this event: agreements or people stop it"
    remedy = "huecry explain says why; whoever must know can be told by telephone"
    return tell(about(came), "holders-without-news", member, {"detail": detail, "remedy": remedy})


def _gap(came: Arrived, after: int) -> Told:
    detail = f"expected sequence {after + 1} of this incident, and {came.considered.sequence} came; it was routed"
    remedy = "see what became of the events between: each is a snapshot, so what they said may be in this one"
    return tell(about(came), "sequence-gap", None, {"detail": detail, "remedy": remedy})
