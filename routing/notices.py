"""Deliveries that carry nothing of an event: they say which incident, what is asked, and whom to call."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from routing.effects import Policy
from schemas.catalogue import catalogue
from schemas.codec import EventCodec, encode_address, encode_terms
from schemas.event import Contact, IncidentEvent
from schemas.records import Disclosure


class Notice(NamedTuple):
    """What one member is told about an incident, apart from any event."""

    delivery_id: str
    to: str
    number: int
    stream: str
    stream_sequence: int
    action: str
    withdraws: tuple[str, ...] = ()
    reason: str | None = None
    ask: str | None = None


def notice_bytes(notice: Notice, incident: tuple[str, str], policy: Policy, now: datetime, codec: EventCodec) -> bytes:
    """A framed Delivery whose event is made afresh: origin, incident, time and contact, nothing else.

    Args:
        notice: what is told.
        incident: its origin and its id.
        policy: for the origin's contact and the version that is told.
        now: when it was decided.
        codec: the schemas known.
    """
    origin, incident_id = incident
    desk = policy.exchange.members[origin].contact
    contact = Contact(desk=desk.desk, phone=desk.phone, email=desk.email)
    event = IncidentEvent(origin=origin, incident_id=incident_id, sent_at=now, contact=contact)
    terms = Disclosure(**notice._asdict(), decided_at=now, policy_version=policy.bundle.version).to_avro()
    entry = catalogue().current("IncidentEvent")
    address = encode_address(notice.delivery_id, notice.to, notice.stream, notice.number, notice.stream_sequence)
    frame, body = codec.delivery_frame(entry), codec.form(entry).encode(event.to_avro())
    return b"".join((frame, address, encode_terms(terms), body))
