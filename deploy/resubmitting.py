"""A refused event repaired at its origin: the record mapped again, spooled as a new event, published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from deploy.quarantine_topic import Quarantine, Refused
from producers.link import kafka_link
from producers.mapping_load import load_mapping
from producers.publisher import Publisher
from producers.setaside import resubmit
from producers.settings import mapper
from producers.spool import Spool
from schemas.errors import Fatal, Rejected
from schemas.topics import family_of, incidents_topic

_PUBLISH_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Resubmitted:
    """What came of it."""

    refused_event_id: str
    event_id: str
    """Of the new event."""
    published: bool
    waits_for: str
    """If it is not published: what will send it."""


def resubmitted(quarantine: Quarantine, start: str, path: Path, mapping: Path, now: datetime) -> Resubmitted:
    """Map the record of a refused event again with the mapping as it is now; publish it unless a producer runs.

    Raises:
        Rejected: no such refused record; it is no event that a spool could have made; the spool is another force's or
            does not know it; the mapping is faulty, or the record still does not map.
        Unavailable: Kafka does not answer, or the spool cannot be written.
    """
    refused = quarantine.find(start)
    event_id = _event_id(refused)
    limits = quarantine.exchange.limits
    with Spool.existing(path, max_event_bytes=limits.max_event_bytes) as spool:
        if spool.origin != quarantine.member:
            raise Rejected(
                "foreign-spool", f"{path}: is the spool of {spool.origin}, and the event is one of {quarantine.member}"
            )
        system = spool.system
        make = mapper(load_mapping(mapping), quarantine.exchange, quarantine.member)
        try:
            made = resubmit(spool, event_id, make, now)
        except Rejected as why:
            if why.reason == "unknown-event":
                raise
            raise Rejected(why.reason, f"the record still does not map, nothing was sent: {why}") from None
    published, waits_for = _publish(quarantine, path, system)
    return Resubmitted(event_id, made, published, waits_for)


def _event_id(refused: Refused) -> str:
    if family_of(refused["source"]["topic"]) != "incidents":
        raise Rejected("not-an-event", f"{refused['quarantine_id']}: is a receipt, and no event: it cannot be mapped")
    if not refused["event_id"]:
        raise Rejected(
            "not-an-event",
            f"{refused['quarantine_id']}: it could not be read, so nobody can tell which record it was made of: it did "
            "not come from a spool of ours",
        )
    return str(refused["event_id"])


def _publish(quarantine: Quarantine, path: Path, system: str) -> tuple[bool, str]:
    limits, origin = quarantine.exchange.limits, quarantine.member
    try:
        spool = Spool(path, origin=origin, system=system, max_event_bytes=limits.max_event_bytes)
    except Fatal:  # it was opened a moment ago: all that can be wrong is that a producer holds it
        return False, "the producer that runs on this spool sends it at once"
    with spool:
        publisher = Publisher(spool, incidents_topic(origin), kafka_link(quarantine.clients, limits))
        left = publisher.flush(_PUBLISH_S)
        publisher.close()
    return not left, "Kafka has not taken it: the next huecry produce on this spool sends it"
