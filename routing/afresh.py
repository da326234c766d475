"""The event of a notice: it says which incident, when, and whom to ask, and nothing else of it."""

from __future__ import annotations

from functools import cache
from typing import Any

from routing.state.incident import moment_of
from schemas.catalogue import Entry
from schemas.codec import EventCodec
from schemas.cut import OpenEvent
from schemas.event import Contact, IncidentEvent


def afresh(entry: Entry, event: OpenEvent, codec: EventCodec) -> bytes:
    """An event's body made afresh, in the schema version that it came in: whatever it stated is left behind."""
    told = {name: event.head[name] for name in ("origin", "incident_id", "sent_at", "contact")}
    return codec.form(entry).encode(_nothing() | told)


@cache
def _nothing() -> dict[str, Any]:
    return IncidentEvent(origin="nobody", incident_id="none", sent_at=moment_of(0), contact=Contact()).to_avro()
