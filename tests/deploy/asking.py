"""A ledger as a router and a consumer really make it, under the demonstration's agreements, for tests that ask it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from consumers.delivery import Record as ReadRecord
from consumers.delivery import open_batch
from consumers.ledger import LedgerSink, ledger_opener
from consumers.sinks.places import Place
from deploy.demo.run import HERE
from routing.agreements import load_bundle
from routing.effects import NOTHING_KNOWN, Effects, Known, Policy, Record
from routing.route import route
from schemas.codec import EventCodec, decode, encode
from schemas.event import Classification, Contact, Control, IncidentEvent, Location, Names, Person, Vehicle
from schemas.exchange import load_exchange
from schemas.partitioner import partition_of
from schemas.records import Receipt, ReceiptEntry

FORCE: Final = "greater-manchester"
AGREEMENTS: Final = HERE / "agreements"
EXCHANGE: Final = HERE / "exchange.yaml"
NOW: Final = datetime(2026, 6, 5, 21, 14, 3, tzinfo=UTC)
MOST: Final = 1024 * 1024
SECRET: Final = "Penhaligon"  # of a person, so that tests can look for it where it must not be
_CODEC: Final = EventCodec()
_OFFSETS: Final = count(7)


def a_policy(**suspended: str) -> Policy:
    """The demonstration's policy; `suspended` are members that cannot be reached, with underscores for hyphens."""
    away = {member.replace("_", "-"): reason for member, reason in suspended.items()}
    return Policy(load_bundle(AGREEMENTS), load_exchange(EXCHANGE), away)


def an_event(event_id: str, category: str, *, caveats: tuple[str, ...] | None = (), **changes: Any) -> IncidentEvent:
    """An event of Greater Manchester in Rochdale, with a named victim and a vehicle."""
    told = {
        "victims": (Person(person_ref="V1", role="victim", names=Names(family=SECRET)),),
        "vehicles": (Vehicle(vehicle_ref="M1", vrm="ZZ99 ZZZ"),),
    }
    return IncidentEvent(
        origin=FORCE,
        incident_id=changes.pop("incident_id", f"i-{event_id}"),
        event_id=event_id,
        local_ref="GM-0001",
        kind=changes.pop("kind", "created"),
        mode=changes.pop("mode", "actual"),
        recorded_at=NOW,
        sent_at=NOW,
        category=category.partition("/")[0],
        grade="priority",
        status="open",
        control=(Control(sequence=changes.pop("sequence", 1), caveats=caveats, addressees=()),),
        classification=(Classification(category=category),),
        contact=Contact(desk="Force operations centre"),
        locations=(Location(location_ref="P1", kind="incident", district=changes.pop("district", "Rochdale")),),
        **(told | changes),
    )


def routed(
    event: IncidentEvent, policy: Policy | None = None, now: datetime = NOW, after: Effects | None = None
) -> Effects:
    """What the router makes of an event, remembering what followed from the one before."""
    known = NOTHING_KNOWN if after is None else Known(after.incident, NOTHING_KNOWN.stream)
    record = _at(f"incidents.{event.origin}", event.incident_id, _CODEC.encode(event.to_avro()))
    effects = route(record, policy or a_policy(), now, known=known)
    assert effects.fate == "routed", effects.reason
    return effects


def receipted(
    effects: Effects, member: str, kind: str = "delivered", *, at: datetime | None = None, reference: str | None = None
) -> Effects:
    """What the router makes of the member's receipt for what these effects sent it."""
    *_, sent = [output for output in effects.outputs if output.topic == f"partner.{member}"]
    delivery = decode("Delivery", sent.value, MOST)
    terms, event = delivery["disclosure"], delivery["event"]
    entry = ReceiptEntry(
        origin=event["origin"],
        incident_id=event["incident_id"],
        event_id=event["event_id"],
        delivery_id=terms["delivery_id"],
        at=at or NOW + timedelta(milliseconds=42),
        reference=reference,
    )
    receipt = Receipt(member=member, kind=kind, sent_at=NOW, entries=(entry,))
    value, partition = encode("Receipt", receipt.to_avro()), int(terms["stream"].rpartition("/")[2])
    said = route(_at(f"receipts.{member}", terms["stream"], value)._replace(partition=partition), a_policy(), NOW)
    assert said.fate == "receipted", said.reason
    return said


def keep(ledger: Place, effects: Iterable[Effects], force: str = FORCE) -> None:
    """Write into the force's ledger what these effects put on its topics."""
    topics = (f"disclosures.{force}", f"feedback.{force}")
    values = [(output.topic, output.value) for each in effects for output in each.outputs if output.topic in topics]
    records = [ReadRecord(topic, 0, offset, 0, value) for offset, (topic, value) in enumerate(values)]
    with closing(LedgerSink(ledger, force)) as sink:
        written = sink.write(open_batch(records, ledger_opener(MOST)))
    assert len(written.written) == len(values)


def _at(topic: str, key: str, value: bytes) -> Record:
    return Record(topic, partition_of(key.encode(), 6), next(_OFFSETS), key.encode(), value)


def quarantined(event_id: str) -> Effects:
    """What the router makes of an event under a key that is not its incident_id."""
    value = _CODEC.encode(an_event(event_id, "crime/robbery").to_avro())
    effects = route(_at(f"incidents.{FORCE}", "not-the-incident", value), a_policy(), NOW)
    assert effects.fate == "quarantined"
    return effects
