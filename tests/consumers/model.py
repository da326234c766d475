"""What a receiver should hold: the covers rules over plain dicts, written without a thought for speed or SQL."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consumers.delivery import Delivery

PERSONS = ("suspects", "convicted", "victims", "witnesses", "callers", "subjects", "associates")


@dataclass
class Held:
    """One incident as a receiver holds it."""

    event_id: str | None = None
    restricted: bool = False
    retracted: bool = False
    sections: dict[str, tuple[str, list[str]] | None] = field(default_factory=dict)
    """Section → the event that stated it and the names of its items; None: withdrawn."""


def name_of(item: dict[str, Any]) -> str:
    """What tells an item of any section from the others, as the tests make them."""
    for name in ("person_ref", "entry_id", "vehicle_ref", "location_ref", "callsign", "local_code", "kind", "injury"):
        if item.get(name):
            return str(item[name])
    raise AssertionError("an item without a name")


class Model:
    """Deliveries in order, each taking effect once."""

    def __init__(self) -> None:
        self.incidents: dict[tuple[str, str], Held] = {}
        self.seen: list[str] = []

    def take(self, delivery: Delivery) -> None:
        if delivery.delivery_id in self.seen:
            return
        self.seen.append(delivery.delivery_id)
        held = self.incidents.setdefault(delivery.key, Held())
        event, terms = delivery.event, delivery.terms
        if delivery.action in ("share", "correct"):
            held.event_id, held.retracted = event["event_id"], False
            for section in terms["covers"]:
                held.sections[section] = (event["event_id"], [name_of(item) for item in event[section]])
        elif delivery.action == "withdraw":
            for section in terms["withdraws"]:
                held.sections[section] = None
        elif delivery.action == "retract":
            held.event_id, held.retracted, held.sections = None, True, {}
        held.restricted = delivery.action == "restricted"


def read_incidents(path: Path) -> dict[tuple[str, str], Held]:
    """The database as the model would have it, with ordinary SQL; columns and JSON are held to say the same."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found = {
            (origin, incident): Held(event_id, bool(restricted), retracted_at is not None)
            for origin, incident, event_id, restricted, retracted_at in database.execute(
                "SELECT origin, incident_id, event_id, restricted, retracted_at FROM incident"
            )
        }
        rows = database.execute("SELECT origin, incident_id, section, event_id, items, withdrawn_at FROM section")
        for origin, incident, section, event_id, items, withdrawn_at in rows:
            assert (items is None) == (withdrawn_at is not None)
            names = None if items is None else [name_of(item) for item in json.loads(items)]
            found[origin, incident].sections[section] = None if names is None else (event_id, names)
            assert _in_columns(database, origin, incident, section) == (names or [])
        _nothing_else_in_columns(database)
        return found
    finally:
        database.close()


_COLUMN = {
    "classification": "local_code",
    "location": "location_ref",
    "person": "person_ref",
    "casualty": "injury",
    "vehicle": "vehicle_ref",
    "log_entry": "entry_id",
    "resource": "callsign",
    "hazard": "kind",
}
_TABLE = {
    "classification": "classification",
    "locations": "location",
    **dict.fromkeys(PERSONS, "person"),
    "casualties": "casualty",
    "vehicles": "vehicle",
    **dict.fromkeys(("facts", "assessments", "narrative"), "log_entry"),
    "resources": "resource",
    "hazards": "hazard",
}


def _in_columns(database: sqlite3.Connection, origin: str, incident: str, section: str) -> list[str]:
    table = _TABLE[section]
    key = "(origin, incident_id, section) = (?, ?, ?)"
    query = f"SELECT {_COLUMN[table]} FROM {table} WHERE {key} ORDER BY ordinal"  # noqa: S608
    return [name for (name,) in database.execute(query, (origin, incident, section))]


def _nothing_else_in_columns(database: sqlite3.Connection) -> None:
    """No row of a section that is not held."""
    for table in _COLUMN:
        orphans = database.execute(
            f"SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM section s"  # noqa: S608
            " WHERE (s.origin, s.incident_id, s.section) = (t.origin, t.incident_id, t.section))"
        )
        assert orphans.fetchone() == (0,), table
