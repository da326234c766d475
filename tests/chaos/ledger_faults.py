"""What is wrong with a force's ledger: no disclosure without its record, no record without its disclosure."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from routing.agreements import Considered, Decision
from routing.agreements.state import FIRST_EVENT, State, state_from_dict
from tests.chaos.expectation import EventKey, Expectation, sequence_of

Delivered = Mapping[str, Mapping[str, EventKey]]
"""Recipient → delivery_id → the event that it delivered."""


def ledger_faults(
    origin: str, database: sqlite3.Connection, expected: Expectation, delivered: Delivered, bundle_hash: str
) -> Iterator[str]:
    """Everything that is wrong with one force's ledger."""
    own = {
        member: {delivery: event for delivery, (of, event) in deliveries.items() if of == origin}
        for member, deliveries in delivered.items()
    }
    for fault in (
        *_record_faults(origin, database, expected, bundle_hash),
        *_disclosed_faults(database, own),
        *_feedback_faults(database, own),
        *_news_faults(origin, database, expected),
    ):
        yield f"ledger of {origin}: {fault}"


def _record_faults(origin: str, database: sqlite3.Connection, expected: Expectation, bundle_hash: str) -> Iterator[str]:
    """Each event published has one record, and it says what the naive interpreter says."""
    decided: dict[str, dict[str, sqlite3.Row]] = {}
    for row in database.execute("SELECT * FROM decision"):
        decided.setdefault(row["record_id"], {})[row["member"]] = row
    wanted = {event for of, event in expected.events if of == origin}
    seen: set[str] = set()
    for row in database.execute("SELECT * FROM disclosure"):
        key, name = (origin, row["event_id"]), f"record {row['record_id']} of event {row['event_id']}"
        if key[1] in seen:
            yield f"{name}: the event has another record"
        seen.add(key[1])
        if key[1] not in wanted:
            yield f"{name}: no such event was published"
            continue
        event = expected.events[key]
        if (row["origin"], row["incident_id"], row["sequence"]) != (origin, event.incident_id, sequence_of(event)):
            yield f"{name}: expected sequence {sequence_of(event)} of {event.incident_id}"
        if row["policy_hash"] != bundle_hash:
            yield f"{name}: decided under another policy"
        if wrong := _wrong_considered(json.loads(row["considered"]), expected.considered[key]):
            yield f"{name}: considered other {', '.join(wrong)}"
        if _timeless(_state(row["state"])) != _timeless(expected.before[key]):
            yield f"{name}: something else came before it in its incident"
        decisions = decided.pop(row["record_id"], {})
        yield from (f"{name}: {fault}" for fault in _decision_faults(decisions, expected.decisions[key]))
    yield from (f"event {event} has no record" for event in sorted(wanted - seen))
    yield from (f"decisions of record {record}, which there is not" for record in decided)


def _wrong_considered(found: Mapping[str, Any], wanted: Considered) -> list[str]:
    plain: dict[str, Any] = {
        name: getattr(wanted, name) for name in ("category", "grade", "status", "kind", "mode", "marking")
    }
    for name in ("qualifiers", "flags", "caveats", "handling", "sections", "addressees"):
        codes = getattr(wanted, name)
        plain[name] = None if codes is None else sorted(codes)
    places = sorted((place.kind or "", place.district or "") for place in wanted.places)
    stated = sorted((place.get("kind") or "", place.get("district") or "") for place in found["places"])
    wrong = [name for name, value in plain.items() if found.get(name) != value]
    return [*wrong, "places"] if places != stated else wrong


def _decision_faults(found: Mapping[str, sqlite3.Row], wanted: Mapping[str, Decision]) -> Iterator[str]:
    if found.keys() != wanted.keys():
        yield f"decided for {', '.join(sorted(found)) or 'nobody'}, expected {', '.join(sorted(wanted))}"
    for member in found.keys() & wanted.keys():
        row, decision = found[member], wanted[member]
        if row["outcome"] != decision.outcome or row["head"] != decision.head:
            yield f"{member}: {row['outcome']} with the head {row['head']}, expected {decision.outcome}"
        if json.loads(row["sections"]) != dict(decision.sections):
            yield f"{member}: other states of sections than decided"
        if json.loads(row["covers"]) != list(decision.covers):
            yield f"{member}: other sections covered than decided"
        is_told = decision.head == "granted" or decision.action == "restricted"
        if (row["delivery_id"] is not None) != is_told or row["undeliverable"]:
            yield f"{member}: expected a delivery if, and only if, the head is granted or there is no news to tell"


def _disclosed_faults(database: sqlite3.Connection, own: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The deliveries in the records are those in the receiving databases, and of the same events."""
    recorded: dict[str, dict[str, str]] = {member: {} for member in own}
    for row in database.execute(
        "SELECT member, delivery_id, event_id FROM decision JOIN disclosure USING (record_id)"
        " WHERE delivery_id IS NOT NULL"
    ):
        recorded.setdefault(row["member"], {})[row["delivery_id"]] = row["event_id"]
    for member, deliveries in recorded.items():
        there = own.get(member, {})
        yield from (
            f"delivery {delivery} is recorded, and {member} does not have it"
            for delivery in sorted(deliveries.keys() - there)
        )
        yield from (
            f"{member} has delivery {delivery}, which is not recorded" for delivery in sorted(there.keys() - deliveries)
        )
        for delivery in deliveries.keys() & there.keys():
            if there[delivery] and deliveries[delivery] != there[delivery]:
                yield f"delivery {delivery} is recorded of event {deliveries[delivery]}, {member} has {there[delivery]}"


def _state(text: str | None) -> State:
    return FIRST_EVENT if text is None else state_from_dict(json.loads(text))


def _timeless(state: State) -> tuple[State, bool]:
    """What came before, but for the times, which are those of the run."""
    return replace(state, closed_at=None, last_event_at=None), state.closed_at is not None


def _news_faults(origin: str, database: sqlite3.Connection, expected: Expectation) -> Iterator[str]:
    """The origin heard which holders learnt nothing of which event."""
    query = "SELECT member, event_id FROM feedback WHERE kind = 'holders-without-news'"
    told = {(row["member"], row["event_id"]) for row in database.execute(query)}
    wanted = {
        (member, event)
        for (of, event), decisions in expected.decisions.items()
        for member, decision in decisions.items()
        if of == origin and decision.without_news
    }
    yield from (
        f"was not told that {member} learns nothing of event {event}" for member, event in sorted(wanted - told)
    )
    yield from (f"was told that {member} learns nothing of event {event}" for member, event in sorted(told - wanted))


def _feedback_faults(database: sqlite3.Connection, own: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The origin heard of every delivery that it was delivered, and nothing else."""
    heard: dict[str, set[tuple[str, str]]] = {member: set() for member in own}
    for row in database.execute("SELECT * FROM feedback"):
        if row["kind"] == "holders-without-news":
            continue
        if row["kind"] != "delivered" or row["delivery_id"] is None:
            yield f"feedback {row['feedback_id']} of kind {row['kind']} ({row['reason']}), expected none"
        else:
            heard.setdefault(row["member"], set()).add((row["delivery_id"], row["event_id"]))
    for member, told in heard.items():
        there = set(own.get(member, {}).items())
        yield from (f"{member} has delivery {delivery}, not fed back" for delivery, _ in sorted(there - told))
        yield from (f"{member} does not have delivery {delivery}, fed back" for delivery, _ in sorted(told - there))
    if count := database.execute("SELECT count(*) FROM set_aside").fetchone()[0]:
        yield f"{count} rows in set_aside, expected none"
