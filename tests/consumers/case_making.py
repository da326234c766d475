"""Cases and rulings as a router and a desk write them, for tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from schemas.casework import Case, CaseLine, CaseNotice, CaseStep, Ruling
from schemas.codec import EventCodec, encode, stable_id
from schemas.event import Classification, Contact, Control, Hazard, IncidentEvent, Location, Names, Person
from tests.consumers.ledger_making import FORCE
from tests.consumers.making import at

SECRET = "Penhaligon"  # of a person, so that tests can look for it where it must not be
PATH = (CaseStep(role="duty-inspector", within_s=900), CaseStep(role="public-protection-superintendent", within_s=1800))


def an_event(incident: str = "i-1", sequence: int = 1, **changes: Any) -> IncidentEvent:
    """A rape report whose place identifies the victim."""
    told: dict[str, Any] = {
        "kind": "created" if sequence == 1 else "updated",
        "grade": "priority",
        "victims": (Person(person_ref="V1", role="victim", names=Names(given="Morwenna", family=SECRET)),),
        "locations": (Location(location_ref="P1", kind="incident", address="3 Mill Lane", district="Calderdale"),),
        "hazards": (),
    }
    told |= changes
    return IncidentEvent(
        origin=FORCE,
        incident_id=incident,
        event_id=f"{incident}-e{sequence}",
        local_ref="WY-0310",
        mode="actual",
        recorded_at=at(sequence),
        sent_at=at(sequence),
        category="crime",
        status="open",
        marking="official-sensitive",
        contact=Contact(desk="Force operations centre", phone="01924 000000"),
        control=(Control(sequence=sequence, caveats=("restricted-log",)),),
        classification=(Classification(category="crime/sexual/rape", flags=("sexual-offence",)),),
        **told,
    )


def violent_person() -> Hazard:
    return Hazard(kind="violent-person", certainty="confirmed")


def a_line(recipient: str = "greater-manchester", **changes: Any) -> CaseLine:
    told: dict[str, Any] = {
        "agreement": "WPN-2026-01",
        "rule": "sensitive-crime",
        "sections": ("locations", "facts"),
        "why": "The place may identify the victim",
        "path": PATH,
        "deadline": at(16),
        "opened_at": at(1),
        "opened_sequence": 1,
    }
    return CaseLine(recipient=recipient, **(told | changes))


def a_notice(kind: str = "opened", recipient: str = "greater-manchester", **changes: Any) -> CaseNotice:
    told: dict[str, Any] = {
        "agreement": "WPN-2026-01",
        "rule": "sensitive-crime",
        "sections": ("locations", "facts"),
        "role": "duty-inspector",
        "deadline": at(16),
    }
    return CaseNotice(kind=kind, recipient=recipient, **(told | changes))


def case_record(
    *lines: CaseLine,
    event: IncidentEvent | None = None,
    notices: tuple[CaseNotice, ...] = (),
    step: int = 1,
    when: datetime | None = None,
) -> bytes:
    """The case of an incident after something happened at minute `step`; no lines: it is closed."""
    event = event or an_event()
    record = Case(
        case_id=stable_id("case", FORCE, event.incident_id),
        record_id=stable_id("case-record", event.incident_id, str(step)),
        origin=FORCE,
        incident_id=event.incident_id,
        local_ref=event.local_ref,
        at=when or at(step),
        sequence=event.control[0].sequence,
        event=EventCodec().encode(event.to_avro()),
        lines=lines,
        notices=notices,
    )
    return encode("Case", record.to_avro())


def ruling_record(kind: str = "release", incident: str = "i-1", **changes: Any) -> bytes:
    told: dict[str, Any] = {
        "ruling_id": stable_id("ruling", incident, kind),
        "person": "inspector.smith",
        "role": "duty-inspector",
        "authenticated_by": "os-user",
        "made_at": at(5),
        "recipients": ("greater-manchester",),
        "sections": ("locations",),
        "seen_sequence": 1,
        "because": "They are at the door",
        "until": at(5) + timedelta(hours=2),
    }
    ruling = Ruling(member=FORCE, incident_id=incident, kind=kind, **(told | changes))
    return encode("Ruling", ruling.to_avro())
