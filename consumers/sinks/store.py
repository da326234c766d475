"""What a fold changes, written to the receiving tables: within the transaction of its batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from consumers.change import Change, Section
from consumers.delivery import IncidentKey
from consumers.sinks.content import content_row
from consumers.sinks.content_tables import CONTENT, LOG_ENTRY
from consumers.sinks.database import Database
from consumers.sinks.table import Table, iso, to_json
from consumers.sinks.tables import INCIDENT, SEALED, SECTION

Changes = Mapping[IncidentKey, Change]

_IN_SECTION: Final = ("origin", "incident_id", "section")
_OF_INCIDENT: Final = ("origin", "incident_id")
_SHOWN: Final = (SECTION, *dict.fromkeys(CONTENT.values()))
"""The tables that show content."""
_SEAL_ALL: Final = (
    "INSERT INTO sealed (origin, incident_id, section, sealed_by, sealed_at, items)"
    " SELECT origin, incident_id, section, ?, ?, items FROM section"
    " WHERE origin = ? AND incident_id = ? AND items IS NOT NULL AND items <> '[]'"
)
_ONCE: Final = " ON CONFLICT (origin, incident_id, section, sealed_by) DO NOTHING"
_GONE_ENTRIES: Final = f"{LOG_ENTRY.delete(*_IN_SECTION)} AND delivery_id <> ?"
_FORGET_ASIDE: Final = "UPDATE set_aside SET value = NULL WHERE origin = ? AND incident_id = ?"


def store_changes(database: Database, changes: Changes, now: datetime) -> None:
    """Write incidents, sections and content as they are now; seal what was taken back."""
    when = iso(now)
    _seal(database, changes, when)
    _remove(database, changes)
    database.write(INCIDENT.upsert, INCIDENT.rows(change.row for change in changes.values()))
    rows = [
        _section_row(key, name, section, now)
        for key, change in changes.items()
        for name, section in change.sections.items()
    ]
    database.write(SECTION.upsert, SECTION.rows(rows))
    _store_content(database, changes, when)


def clear_incidents(database: Database, keys: list[IncidentKey]) -> None:
    """Remove all that is shown of incidents, and the bytes of what was set aside of them."""
    for table in _SHOWN:
        database.write(table.delete(*_OF_INCIDENT), keys)
    database.write(_FORGET_ASIDE, keys)


def _seal(database: Database, changes: Changes, when: str) -> None:
    known = [(key, change) for key, change in changes.items() if change.known]
    whole = [(change.sealed_by, when, *key) for key, change in known if change.clears and change.sealed_by]
    database.write(_SEAL_ALL + _ONCE, whole)
    single = [(by, when, *key, name) for key, change in known for name, by in change.gone.items() if by]
    database.write(f"{_SEAL_ALL} AND section = ?{_ONCE}", single)
    rows = [
        {
            "origin": key[0],
            "incident_id": key[1],
            "section": section,
            "sealed_by": by,
            "sealed_at": when,
            "items": to_json(items),
        }
        for key, change in changes.items()
        for by, section, items in change.sealed
    ]
    database.write(SEALED.upsert, SEALED.rows(rows))


def _remove(database: Database, changes: Changes) -> None:
    """What goes, before what follows is written."""
    clear_incidents(database, [key for key, change in changes.items() if change.clears and change.known])
    single = [(*key, name) for key, change in changes.items() for name in change.gone]
    for table in _SHOWN if single else ():
        database.write(table.delete(*_IN_SECTION), single)


def _section_row(key: IncidentKey, name: str, section: Section, now: datetime) -> dict[str, Any]:
    return {
        "origin": key[0],
        "incident_id": key[1],
        "section": name,
        "items": None if section.items is None else to_json(section.items),
        "stated_at": section.stated_at,
        "event_id": section.event_id,
        "delivery_id": section.delivery_id,
        "number": section.number,
        "withdrawn_at": now if section.items is None else None,
    }


def _store_content(database: Database, changes: Changes, now: str) -> None:
    """Replace the rows of every section that changed, in the table that shows it."""
    outdated: dict[Table, list[tuple[str, ...]]] = {}
    rows: dict[Table, list[list[Any]]] = {}
    gone_entries: list[tuple[str, ...]] = []
    for key, name, section, known in _sections(changes):
        table = CONTENT[name]
        if table is LOG_ENTRY:
            gone_entries.append((*key, name, section.delivery_id))
        elif known:
            outdated.setdefault(table, []).append((*key, name))
        seen = {"first_seen_at": now, "last_seen_at": now, "delivery_id": section.delivery_id}
        for ordinal, item in enumerate(section.items or (), start=1):
            row = table.row({**content_row(key, name, ordinal, item), **seen})
            rows.setdefault(table, []).append(row)
    for table, keys in outdated.items():
        database.write(table.delete(*_IN_SECTION), keys)
    for table, some in rows.items():
        database.write(table.upsert, some)
    database.write(_GONE_ENTRIES, gone_entries)


def _sections(changes: Changes) -> Iterator[tuple[IncidentKey, str, Section, bool]]:
    for key, change in changes.items():
        for name, section in change.sections.items():
            yield key, name, section, change.known
