"""What is wrong with a recipient's database: deliveries, their order, current content, what else is there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Any, Final

from tests.chaos.expectation import (
    EventKey,
    Expectation,
    IncidentKey,
    Shared,
    as_json,
    held_sections,
    sequence_of,
    text_of,
)

_TABLES: Final = {
    "classification": ("classification",),
    "location": ("locations",),
    "person": ("suspects", "convicted", "victims", "witnesses", "callers", "subjects", "associates"),
    "casualty": ("casualties",),
    "vehicle": ("vehicles",),
    "log_entry": ("facts", "assessments", "narrative"),
    "resource": ("resources",),
    "hazard": ("hazards",),
}
"""The tables of plain columns, and the sections that each must show."""
_EMPTY: Final = ("set_aside", "gap", "sealed", "receipt_outbox")
_HEAD: Final = ("event_id", "local_ref", "kind", "mode", "category", "grade", "status", "marking")

Content = dict[IncidentKey, dict[str, list[dict[str, Any]]]]


def receiving_faults(member: str, database: sqlite3.Connection, expected: Expectation) -> Iterator[str]:
    """Everything that is wrong with one recipient's database."""
    for fault in _faults(database, expected, member):
        yield f"{member}: {fault}"


def _faults(database: sqlite3.Connection, expected: Expectation, member: str) -> Iterator[str]:
    incidents = expected.incidents(member)
    held = {key: held_sections(shared) for key, shared in incidents.items()}
    content: Content = {
        key: {name: as_json(getattr(event, name)) for name, event in of.items()} for key, of in held.items()
    }
    yield from _delivery_faults(database, expected, member)
    yield from _order_faults(database, expected)
    yield from _section_faults(database, {key: dict(of) for key, of in held.items()}, content)
    yield from _table_faults(database, content)
    yield from _incident_faults(database, incidents, expected.without_news(member))
    for table in _EMPTY:
        if (count := database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) != 0:  # noqa: S608
            yield f"{count} rows in {table}, expected none"


def _delivery_faults(database: sqlite3.Connection, expected: Expectation, member: str) -> Iterator[str]:
    """Exactly the deliveries that there must be, each once, covering what was granted."""
    wanted = expected.shared[member]
    seen: dict[EventKey, str] = {}
    for row in database.execute("SELECT * FROM delivery ORDER BY topic, partition, record_offset"):
        key = row["origin"], row["event_id"]
        name = f"delivery {row['delivery_id']} of event {key[1]} of {key[0]}"
        if row["action"] == "restricted":
            # How many there must be, and when, shows on the topic.
            yield from (f"{name}: did not take effect" for _ in range(row["effect"] != "applied"))
            continue
        if key in seen:
            yield f"{name}: was delivered before as {seen[key]}"
        seen[key] = row["delivery_id"]
        if key not in wanted:
            decided = expected.decisions.get(key, {}).get(member)
            yield f"{name}: is {decided.outcome if decided else 'of no event that was published'}, and was delivered"
            continue
        yield from (f"{name}: {fault}" for fault in _terms_faults(row, wanted[key]))
    yield from (f"event {event} of {origin} was not delivered" for origin, event in sorted(wanted.keys() - seen))


def _terms_faults(row: sqlite3.Row, wanted: Shared) -> Iterator[str]:
    covers = json.loads(row["covers"])
    if leaked := sorted(set(covers) - set(wanted.covers)):
        yield f"covers {', '.join(leaked)}, not granted"
    if missing := sorted(set(wanted.covers) - set(covers)):
        yield f"does not cover {', '.join(missing)}, granted"
    if (row["action"], row["effect"]) != ("share", "applied"):
        yield f"expected a share that was applied, found {row['action']}, {row['effect']}"
    if row["incident_id"] != wanted.event.incident_id:
        yield f"names incident {row['incident_id']}, expected {wanted.event.incident_id}"


def _order_faults(database: sqlite3.Connection, expected: Expectation) -> Iterator[str]:
    """Within an incident the sequence rises with the place in the topic."""
    by_incident: dict[IncidentKey, list[tuple[int, str]]] = {}
    for row in database.execute(
        "SELECT origin, incident_id, event_id FROM delivery ORDER BY topic, partition, record_offset"
    ):
        if event := expected.events.get((row["origin"], row["event_id"])):
            key = row["origin"], row["incident_id"]
            by_incident.setdefault(key, []).append((sequence_of(event), event.event_id))
    for (origin, incident), events in by_incident.items():
        for (before, _), (after, event_id) in pairwise(events):
            if after < before:
                yield f"event {event_id} (sequence {after}) of {incident} of {origin} came after sequence {before}"


def _section_faults(
    database: sqlite3.Connection, held: Mapping[IncidentKey, Mapping[str, Any]], content: Content
) -> Iterator[str]:
    """Each section ever covered is what the last event that covered it says; there is no other."""
    seen = set()
    for row in database.execute("SELECT * FROM section"):
        key, section = (row["origin"], row["incident_id"]), row["section"]
        name = f"section {section} of {key[1]} of {key[0]}"
        event = held.get(key, {}).get(section)
        seen.add((key, section))
        if event is None:
            yield f"{name}: is held, and was never granted"
            continue
        if row["event_id"] != event.event_id:
            yield f"{name}: stated by event {row['event_id']}, expected {event.event_id}"
        if row["stated_at"] != text_of(event.recorded_at) or row["withdrawn_at"] is not None:
            yield f"{name}: expected as stated when {event.event_id} was recorded, and not withdrawn"
        if json.loads(row["items"] or "null") != content[key][section]:
            yield f"{name}: content differs from that of event {event.event_id}"
    for key, sections in sorted(held.items()):
        for section in sections:
            if (key, section) not in seen:
                yield f"section {section} of {key[1]} of {key[0]}: was granted, and is not held"


def _table_faults(database: sqlite3.Connection, content: Content) -> Iterator[str]:
    """The tables of plain columns show the same: as many rows, and the same value wherever one has a column."""
    for table, sections in _TABLES.items():
        found: dict[tuple[IncidentKey, str], list[sqlite3.Row]] = {}
        for row in database.execute(f"SELECT * FROM {table} ORDER BY ordinal"):  # noqa: S608
            found.setdefault(((row["origin"], row["incident_id"]), row["section"]), []).append(row)
        wanted = {(key, name): of[name] for key, of in content.items() for name in sections if of.get(name)}
        for key, section in sorted(found.keys() | wanted.keys()):
            rows, items = found.get((key, section), []), wanted.get((key, section), [])
            name = f"table {table}, {section} of {key[1]} of {key[0]}"
            if len(rows) != len(items):
                yield f"{name}: {len(rows)} rows, expected {len(items)}"
            elif wrong := _wrong_columns(rows, items):
                yield f"{name}: other values in {', '.join(wrong)}"


def _wrong_columns(rows: Sequence[sqlite3.Row], items: Sequence[Mapping[str, Any]]) -> list[str]:
    wrong = set()
    for row, item in zip(rows, items, strict=True):
        for column in row.keys() & item.keys():
            if isinstance(item[column], str | int | float) and row[column] != item[column]:
                wrong.add(column)
    return sorted(wrong)


def _incident_faults(
    database: sqlite3.Connection,
    incidents: Mapping[IncidentKey, Sequence[Shared]],
    without_news: AbstractSet[IncidentKey],
) -> Iterator[str]:
    """Each incident shows its last delivered event, and whether there is news that is not told."""
    rows = {(row["origin"], row["incident_id"]): row for row in database.execute("SELECT * FROM incident")}
    for key in sorted(rows.keys() ^ incidents.keys()):
        yield f"incident {key[1]} of {key[0]}: is {'held' if key in rows else 'not held'}, expected the opposite"
    for key in rows.keys() & incidents.keys():
        row, event = rows[key], incidents[key][-1].event
        wrong = [column for column in _HEAD if row[column] != getattr(event, column)]
        shown = (row["recorded_at"], row["restricted"], row["retracted_at"])
        if shown != (text_of(event.recorded_at), key in without_news, None):
            wrong.append("recorded_at, restricted or retracted_at")
        if wrong:
            yield f"incident {key[1]} of {key[0]}: other {', '.join(wrong)} than event {event.event_id}"
