"""An incident's latest event, read again for whoever rules on it or is asked about it."""

from __future__ import annotations

from datetime import datetime

from routing.agreements.measured import geography_of
from routing.arrived import Arrived, arrived
from routing.effects import Known, Policy
from routing.state.incident import Incident
from schemas.codec import EventCodec
from schemas.errors import Rejected


def latest_event(
    origin: str, partition: int, incident: Incident, known: Known, policy: Policy, now: datetime, codec: EventCodec
) -> Arrived | None:
    """The event as it came, opened again; None where it is no longer on its topic."""
    if incident.latest.offset < 0:
        return None
    record = known.event_at(origin, partition, incident.latest.offset)
    if record is None:
        return None
    try:
        came = arrived(
            record, codec.open(record.value, policy.exchange.limits.max_event_bytes), geography_of(policy.bundle), now
        )
    except Rejected:
        # It was taken once: a release that takes less now, or another record under its offset.
        return None
    return came if came.identity[2] == incident.latest.event_id else None
