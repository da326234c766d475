"""What tests of routing are made of: an exchange, a policy, events with a mark in every section, stock decoding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from typing import Any

import fastavro

from routing.agreements.bundle import Bundle
from routing.agreements.model import Agreement, Condition, Forbid, MemberFacts, Rule, Share, Signature, Terms
from routing.effects import Effects, Output, Policy, Record
from schemas.catalogue import Catalogue, Entry, catalogue
from schemas.codec import EventCodec
from schemas.exchange import Exchange, Limits, Member
from schemas.partitioner import partition_of
from schemas.sections import SECTIONS
from schemas.topics import incidents_topic

NOW = datetime(2026, 6, 1, 11, tzinfo=UTC)
MOST = 8 * 1024 * 1024
CODEC = EventCodec()
TERMS = Terms("law-enforcement", "part-3", "DPA 2018 s.35(2)(b)", 90)
ALL = ("head", *SECTIONS)

PERSONS = ("suspects", "convicted", "victims", "witnesses", "callers", "subjects", "associates")
LINES = ("facts", "assessments", "narrative")


def an_exchange(
    *, publish: Iterable[str] = ("north", "south"), only_receive: Iterable[str] = ("west",), **changes: Any
) -> Exchange:
    """North and south publish and receive, west receives; all are made up."""
    members = {name: Member(name=name, publishes=True, receives=True) for name in publish}
    members |= {name: Member(name=name, receives=True) for name in only_receive}
    return Exchange(exchange="tests", members=members, **changes)


def a_share(rule_id: str, to: Iterable[str], grant: Iterable[str], *when: Condition) -> Share:
    wanted = set(grant)
    granted = tuple(section for section in SECTIONS if section in wanted)
    return Share(id=rule_id, recipients=tuple(sorted(to)), grant=granted, terms=TERMS, when=when)


def a_forbid(rule_id: str, to: Iterable[str], sections: Iterable[str], *when: Condition) -> Forbid:
    wanted = set(sections)
    covered = tuple(part for part in ALL if part in wanted)
    return Forbid(id=rule_id, recipients=tuple(sorted(to)), sections=covered, when=when)


def a_bundle(exchange: Exchange, *rules: Rule, version: int = 7) -> Bundle:
    """One agreement of these rules, signed by every publisher."""
    origins = exchange.publishers()
    agreement = Agreement(
        id="T-1",
        title="Tests",
        owner="owner@tests.example",
        starts=date(2026, 1, 1),
        origins=origins,
        rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        signatures=tuple(Signature(origin, "A. Chief", "ACC", date(2025, 12, 1)) for origin in origins),
        ceiling=SECTIONS,
        onward="ask",
    )
    members = tuple(
        MemberFacts(name, facts.publishes, facts.receives, facts.country, facts.competent_authority, facts.area)
        for name, facts in exchange.members.items()
    )
    return Bundle(version, "the policy desk", members, (agreement,))


def a_policy(
    *rules: Rule, exchange: Exchange | None = None, suspended: Mapping[str, str] | None = None, **limits: int
) -> Policy:
    exchange = exchange or an_exchange(limits=Limits(**limits))
    return Policy(a_bundle(exchange, *(rules or usual_rules(exchange))), exchange, suspended or {})


def usual_rules(exchange: Exchange) -> tuple[Rule, ...]:
    """Everybody gets the place, an incident of a covert source goes to nobody."""
    everybody = exchange.receivers()
    return (
        a_share("place", everybody, ["classification", "locations", "vehicles"]),
        a_forbid("source", everybody, ALL, Condition("caveats", ("source-sensitive",))),
    )


def mark(section: str) -> str:
    """What the section's one item says in free text, and nothing else of the event does."""
    return f"<<mark of {section}>>"


def item(section: str) -> dict[str, Any]:
    """One item of a section, with its mark."""
    text = mark(section)
    if section in PERSONS:
        return {"person_ref": "p1", "role": "unknown", "marks": text}
    if section in LINES:
        return {"entry_id": "l1", "text": text}
    return {
        "classification": {"category": "transport/rtc/injury", "local_text": text},
        "locations": {"location_ref": "a", "kind": "incident", "address": text, "district": "Calderdale"},
        "casualties": {"count": 1, "injury": text},
        "vehicles": {"vehicle_ref": "v1", "vrm": text},
        "resources": {"callsign": text},
        "hazards": {"kind": "fire", "precaution": text},
        "control": {
            "sequence": 1,
            "caveats": [],
            "links": [{"origin": "north", "incident_id": text, "relation": "same"}],
        },
    }[section]


def event_dict(origin: str = "north", incident: str = "i-1", event: str = "e-1", **changes: Any) -> dict[str, Any]:
    """A whole event: every section has one marked item."""
    plain: dict[str, Any] = {
        "origin": origin,
        "incident_id": incident,
        "event_id": event,
        "local_ref": "NP-0001",
        "kind": "CREATED",
        "mode": "ACTUAL",
        "occurred_at": NOW,
        "recorded_at": NOW,
        "sent_at": NOW,
        "category": "transport",
        "grade": "EMERGENCY",
        "status": "OPEN",
        "marking": "OFFICIAL",
        "contact": {"desk": "control room", "phone": "", "email": ""},
    }
    return plain | {section: [item(section)] for section in ("control", *SECTIONS)} | changes


def event_bytes(origin: str = "north", incident: str = "i-1", event: str = "e-1", **changes: Any) -> bytes:
    return CODEC.encode(event_dict(origin, incident, event, **changes))


def small(**changes: Any) -> dict[str, Any]:
    """Changes that leave an event three sections, for tests that count many."""
    return {section: [] for section in SECTIONS if section not in ("classification", "suspects")} | changes


def control(**changes: Any) -> list[dict[str, Any]]:
    """The control section of an event, with changes."""
    return [item("control") | changes]


def a_record(
    value: bytes | None = None, *, topic: str = "incidents.north", key: bytes | None = b"i-1", **place: int
) -> Record:
    """A record where it belongs, unless told otherwise."""
    partition = place.get("partition", partition_of(key or b"", 6))
    return Record(topic, partition, place.get("offset", 42), key, event_bytes() if value is None else value)


def event_record(origin: str = "north", incident: str = "i-1", event: str = "e-1", **changes: Any) -> Record:
    value = event_bytes(origin, incident, event, **changes)
    return a_record(value, topic=incidents_topic(origin), key=incident.encode())


def stock(value: bytes, known: Catalogue | None = None) -> dict[str, Any]:
    """Any message as plain fastavro reads it, down to its last byte, knowing nothing of sized blocks."""
    assert value[0] == 0
    entry = (known or catalogue()).find(int.from_bytes(value[1:5], "big"))
    assert entry is not None
    body = BytesIO(value[5:])
    decoded = fastavro.schemaless_reader(body, _parsed(entry), None)
    assert body.read() == b"", "bytes are left over"
    assert isinstance(decoded, dict)
    return decoded


@cache
def _parsed(entry: Entry) -> Any:
    return fastavro.parse_schema(entry.schema, named_schemas={})


def on(effects: Effects, family: str, member: str | None = None) -> list[Output]:
    """The outputs on a family's topics, or on one member's."""
    prefix = f"{family}." if member is None else f"{family}.{member}"
    return [
        output for output in effects.outputs if (output.topic == prefix if member else output.topic.startswith(prefix))
    ]


def one(effects: Effects, family: str, member: str | None = None) -> dict[str, Any]:
    """The one record on a family's topics, decoded."""
    (output,) = on(effects, family, member)
    return stock(output.value)
