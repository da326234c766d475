"""What the spool keeps, and how: events that wait, records as they came, records set aside."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

from producers.sources.source import SourceRecord
from schemas.errors import Rejected


class Waiting(NamedTuple):
    """An event that Kafka has not acknowledged."""

    row: int
    incident_id: str
    rank: int
    made_ms: int


class Outgoing(NamedTuple):
    """What is sent: the Kafka key is the incident_id."""

    row: int
    incident_id: str
    framed: bytes


@dataclass
class Captured:
    """What became of a batch of records."""

    waiting: list[Waiting] = field(default_factory=list)
    repeated: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    """Records set aside, by reason."""


def set_aside(
    database: sqlite3.Connection,
    record: SourceRecord,
    rejected: Rejected,
    now: datetime,
    captured: Captured,
    *,
    event_id: str | None = None,
) -> None:
    """Within a transaction: keep a record for its owner, with the reason; the same record only once."""
    original = record.original()
    key = blake2b(f"{record.digest_and_line}\x1f{event_id}\x1f{original}".encode(), digest_size=16).hexdigest()
    kept = database.execute(
        "INSERT OR IGNORE INTO set_aside (record_key, reason, message, remedy, record, event_id, state, at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?)",
        (
            key,
            rejected.reason,
            f"{record.where}: {rejected}" if record.where not in str(rejected) else str(rejected),
            rejected.remedy,
            record_text(record, original),
            event_id,
            milliseconds(now),
        ),
    ).rowcount
    if kept:
        captured.set_aside[rejected.reason] += 1
    else:
        captured.repeated += 1


def record_text(record: SourceRecord, original: str) -> str:
    """A record as the spool keeps it: where it was, and what it was."""
    about = {"where": record.where, "digest_and_line": record.digest_and_line, "readable": record.fault is None}
    return f'{{"about": {json.dumps(about)}, "columns": {original}}}'


def record_from(text: str) -> SourceRecord:
    """The record that the spool kept; its position is no longer known."""
    kept = json.loads(text)
    about = kept["about"]
    fault = None if about["readable"] else Rejected("bad-record", "this record could not be read from its source")
    return SourceRecord("", about["where"], about["digest_and_line"], kept["columns"], fault)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def moment_of(ms: int) -> datetime:
    """The time of milliseconds since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)
