"""Deliveries as a router makes them, for tests: real bytes, few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from consumers.delivery import Batch, Delivery, Record, delivery_opener, open_batch
from schemas.codec import EventCodec, encode_address, encode_terms, stable_id
from schemas.event import Contact, IncidentEvent

ORIGIN = "west-yorkshire"
MEMBER = "greater-manchester"
TOPIC = f"partner.{MEMBER}"
START = datetime(2026, 1, 31, 8, tzinfo=UTC)
MOST_BYTES = 512 * 1024

CODEC = EventCodec()
EVENT_ENTRY = CODEC.catalogue.current("IncidentEvent")


def at(step: int) -> datetime:
    """Minute `step` of the tests' morning."""
    return START + timedelta(minutes=step)


def delivery_bytes(
    incident: str = "i-1",
    step: int = 1,
    *,
    action: str = "SHARE",
    covers: tuple[str, ...] = (),
    member: str = MEMBER,
    origin: str = ORIGIN,
    stream: int = 3,
    cause: str = "",
    number: int | None = None,
    sequence: int | None = None,
    terms: dict[str, Any] | None = None,
    **event: Any,
) -> bytes:
    """One framed delivery of event `e-<step>` of an incident; `event` are fields of the IncidentEvent.

    `number` and `sequence` are its own in its incident and in its stream, where the router gives any.
    """
    stated = {"event_id": f"e-{step}", "sent_at": at(step), "contact": Contact(desk="Control", phone="101"), **event}
    body = CODEC.encode(IncidentEvent(origin=origin, incident_id=incident, **stated).to_avro())[5:]
    all_terms = {
        "action": action,
        "covers": list(covers),
        "withdraws": [],
        "addressed_to_you": False,
        "changes": [],
        "links": [],
        "grounds": [],
        "decided_at": at(step),
        "retain_until": None,
        "retain_days": 90,
        "onward": "ask",
        "policy_version": 7,
        "under_review": False,
        "reason": None,
        "ask": None,
        **(terms or {}),
    }
    delivery_id = stable_id(origin, incident, stated["event_id"] or str(step), member, action, cause)
    address = encode_address(delivery_id, member, f"{member}/{stream}", number, sequence)
    return CODEC.delivery_frame(EVENT_ENTRY) + address + encode_terms(all_terms) + body


class Topic:
    """Hands out records as one partition of a partner topic would: offsets go up, and leave room for markers."""

    def __init__(self, name: str = TOPIC) -> None:
        self.name = name
        self.offset = 0

    def record(self, value: bytes | None) -> Record:
        self.offset += 2
        return Record(self.name, 0, self.offset, int(START.timestamp() * 1000), value)

    def batch(self, *values: bytes | None) -> Batch[Delivery]:
        return opened([self.record(value) for value in values])


def opened(records: list[Record]) -> Batch[Delivery]:
    return open_batch(records, delivery_opener(MOST_BYTES))
