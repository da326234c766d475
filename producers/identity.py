"""How an event of ours gets its name: once for each event key, and never again for another."""

from __future__ import annotations

from schemas.codec import stable_id


def event_id_of(origin: str, incident_id: str, sequence: int, event_key: str) -> str:
    """The event_id: the same however often it is made from the same parts.

    The sequence is among them, so that an event key that is forgotten (30 days after delivery) and comes again makes
    another event and does not reuse a name.
    """
    return stable_id(origin, incident_id, str(sequence), event_key)
