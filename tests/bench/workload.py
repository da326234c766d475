"""The events that are measured: violent crimes in one border district, told as a control room tells them.

Under the agreements of `tests.bench.rules` three of sixty members are granted each of them, each another part.
Incidents vary in what rules read (category, grade, status, kind, qualifiers, flags, sections) as a Friday evening's
do. No two incidents share a place, a person or a vehicle, and the five events of one incident stand far apart, with
those of hundreds of others between them: whoever remembers bytes gains what he would gain on a real evening, no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from random import Random
from typing import Any, Final

from routing.effects import Policy, Record
from schemas.codec import EventCodec
from schemas.event import IncidentEvent
from schemas.partitioner import partition_of
from schemas.topics import incidents_topic
from tests.bench.rules import FLAGS, ORIGIN, QUALIFIERS

EVENTS_PER_INCIDENT: Final = 5
SEED: Final = 1285
INCIDENTS_MADE: Final = 600

_CODEC: Final = EventCodec()
_START: Final = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
_CATEGORIES: Final = (
    *(f"crime/violence/{kind}" for kind in ("homicide", "with-injury", "without-injury", "domestic")),
    "crime/violence/stalking-harassment",
    "crime/robbery",
    *(f"crime/weapons/{kind}" for kind in ("firearm", "knife", "other")),
)
_STEPS: Final = (
    ("created", "open"),
    ("updated", "allocated"),
    ("updated", "attending"),
    ("updated", "at-scene"),
    ("closed", "closed"),
)


def framed_events(most: int, incidents: int = INCIDENTS_MADE, seed: int = SEED) -> Iterator[tuple[bytes, bytes]]:
    """Keys and framed values, the same for the same seed. No two events or incidents have the same id.

    First the first events of so many incidents, then the second of each, and so on. Encoding takes longer than routing,
    so what was told once is told again under other numbers.
    """
    yield from islice(_endless(min(incidents, -(-most // EVENTS_PER_INCIDENT)), seed), most)


def _endless(incidents: int, seed: int) -> Iterator[tuple[bytes, bytes]]:
    told = [_framed(_name(seed, number), Random(f"{seed}/{number}")) for number in range(incidents)]
    for first in count(0, incidents):
        for step in range(EVENTS_PER_INCIDENT):
            for number, events in enumerate(told):
                key, value = events[step]
                renamed = _name(seed, first + number).encode()
                yield renamed, value.replace(key, renamed)


def records(policy: Policy, number: int, incidents: int = INCIDENTS_MADE) -> list[Record]:
    """Events as the routing loop meets them."""
    partitions = policy.exchange.partitions
    return [
        Record(incidents_topic(ORIGIN), partition_of(key, partitions), offset, key, value)
        for offset, (key, value) in enumerate(framed_events(number, incidents))
    ]


def _name(seed: int, number: int) -> str:
    """An incident's id: the same length for each, so that renaming moves nothing in an event's bytes."""
    return f"{ORIGIN}-{seed}-{number:07d}"


def _framed(incident: str, random: Random) -> list[tuple[bytes, bytes]]:
    return [(incident.encode(), _CODEC.encode(event.to_avro())) for event in _incident(incident, random)]


def _incident(incident: str, random: Random) -> Iterator[IncidentEvent]:
    facts = _facts(incident, random)
    at = _START + timedelta(seconds=random.randrange(86_400))
    for sequence, (kind, status) in enumerate(_STEPS, start=1):
        told_at = at + timedelta(minutes=4 * sequence)
        facts["facts"].append(_line(f"{incident}-{sequence}", told_at, random))
        yield IncidentEvent.model_validate(
            facts
            | {
                "event_id": f"{incident}-e{sequence}",
                "kind": kind,
                "status": status,
                "recorded_at": told_at,
                "sent_at": told_at,
                "control": [{"sequence": sequence, "caveats": []}],
            }
        )


def _facts(incident: str, random: Random) -> dict[str, Any]:
    """What stays the same in every event of one incident."""
    category = random.choice(_CATEGORIES)
    facts: dict[str, Any] = {
        "origin": ORIGIN,
        "incident_id": incident,
        "local_ref": incident[-4:],
        "mode": "actual",
        "category": "crime",
        "grade": random.choice(("emergency", "priority", "scheduled")),
        "marking": "official",
        "contact": {"desk": "Force control room", "phone": "01632 960101"},
        "classification": [
            {
                "category": category,
                "qualifiers": sorted(random.sample(QUALIFIERS, random.randrange(3))),
                "flags": sorted(random.sample(FLAGS, random.randrange(3))),
            }
        ],
        "locations": [_place(incident, random)],
        "suspects": [_person(incident, "suspected", random)],
        "victims": [_person(incident, "victim", random)],
        "facts": [],
    }
    if random.random() < 0.4:
        facts["vehicles"] = [
            {"vehicle_ref": f"{incident}-v1", "vrm": f"YX{random.randrange(10, 99)}ABC", "role": "suspect"}
        ]
    if random.random() < 0.3:
        facts["hazards"] = [{"kind": "bladed", "certainty": "probable"}]
    return facts


def _place(incident: str, random: Random) -> dict[str, Any]:
    point = {"latitude": 53.6 + random.random() / 10, "longitude": -1.8 + random.random() / 10}
    road = {"road": "Leeds Road", "address": f"{random.randrange(1, 400)} Leeds Road, Huddersfield"}
    return {"location_ref": f"{incident}-l1", "kind": "incident", "point": point, **road, "district": "Kirklees"}


def _person(incident: str, role: str, random: Random) -> dict[str, Any]:
    names = {"given": random.choice(("Alex", "Sam", "Jo")), "family": random.choice(("Invented", "Madeup", "Fiction"))}
    return {
        "person_ref": f"{incident}-{role}",
        "role": role,
        "names": names,
        "age_band": "25-34",
        "clothing": "dark jacket, white shoes",
    }


def _line(entry_id: str, at: datetime, random: Random) -> dict[str, Any]:
    text = random.choice(("Caller says two males left on foot.", "Unit at scene, one detained.", "CCTV requested."))
    return {"entry_id": entry_id, "at": at, "author_role": "dispatcher", "line_class": "reported", "text": text}
