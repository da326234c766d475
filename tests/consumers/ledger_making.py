"""Disclosure records and feedback as a router makes them, for tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.codec import encode, stable_id
from schemas.records import (
    Considered,
    DecisionGroup,
    DisclosureRecord,
    Feedback,
    FeedbackEntry,
    Ground,
    MatchedRule,
    Place,
    Policy,
    Recipient,
    SectionState,
    Source,
)
from tests.consumers.making import at

FORCE = "west-yorkshire"


def disclosure(
    event: str, incident: str = "i-1", *, sequence: int = 1, when: datetime | None = None, record: str = "record"
) -> bytes:
    """Greater Manchester and Lancashire in part, an agency nothing, the ambulance service unreachable."""
    groups = (
        DecisionGroup(
            recipients=(
                Recipient(member="greater-manchester", delivery_id=stable_id(event, "gmp")),
                Recipient(member="lancashire", delivery_id=stable_id(event, "lancs")),
            ),
            outcome="shared-in-part",
            head="granted",
            sections=(
                SectionState(section="locations", state="granted"),
                SectionState(section="victims", state="forbidden"),
            ),
            grounds=(Ground(section="locations", agreement="WPN", rule="border", purpose="law-enforcement"),),
            rules=(MatchedRule(agreement="WPN", rule="border", outcome="share"),),
            retain_days=90,
            onward="ask",
        ),
        DecisionGroup(recipients=(Recipient(member="agency"),), outcome="withheld", head="withheld"),
        DecisionGroup(
            recipients=(Recipient(member="ambulance", undeliverable="no-topic"),), outcome="shared", head="granted"
        ),
    )
    record = DisclosureRecord(
        record_id=stable_id(record, FORCE, incident, event),
        origin=FORCE,
        incident_id=incident,
        event_id=event,
        sequence=sequence,
        source=Source(topic=f"incidents.{FORCE}", partition=2, offset=17),
        decided_at=when or at(1),
        policy=Policy(version=7, hash="ab" * 32),
        considered=Considered(
            category="crime/burglary",
            grade="priority",
            status="open",
            kind="created",
            mode="actual",
            marking="official",
            places=(Place(kind="incident", district="calderdale"),),
        ),
        decisions=groups,
    )
    return encode("DisclosureRecord", record.to_avro())


def feedback(identity: str, *events: str, kind: str = "delivered", **said: Any) -> bytes:
    """What became of some events."""
    entries = tuple(FeedbackEntry(incident_id="i-1", event_id=event, delivery_id="d", at=at(2)) for event in events)
    return encode(
        "Feedback",
        Feedback(
            feedback_id=identity, to=FORCE, kind=kind, member="greater-manchester", at=at(3), entries=entries, **said
        ).to_avro(),
    )
