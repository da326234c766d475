"""The demonstration's figures, read with ordinary SQL from the databases that the consumers and ledgers write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

OUTCOMES: Final = ("shared", "shared-in-part", "referred", "withheld", "forbidden")
"""What can be decided of an event for a member."""

_OF_EVENTS: Final = "delivery WHERE action IN ('share', 'correct')"
"""Deliveries of an event; the others are notices that something is taken back."""
# Of an event that came twice, since a person released the rest of it, the first counts: people are not measured.
_LATENCIES: Final = """
SELECT (julianday(min(durable_at)) - julianday(recorded_at)) * 86400000.0 AS ms FROM delivery
WHERE recorded_at IS NOT NULL GROUP BY origin, incident_id, event_id ORDER BY ms
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What has happened so far."""

    decisions: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Recipient → outcome → decisions: one of each event, and one more where a person released it."""
    delivered: Mapping[str, int] = field(default_factory=dict)
    """Recipient → deliveries of events in its database."""
    latency_ms: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    """Recipient → p50 and p99 from recorded at the origin to durable at the recipient; None without deliveries."""
    decided: Mapping[str, int] = field(default_factory=dict)
    """Origin → events decided."""
    quarantined: int = 0


def rows(database: Path, query: str, *values: Any) -> list[sqlite3.Row]:  # noqa: ANN401  whatever SQLite takes
    """The rows of a query; none while the database is not there, or has no tables yet."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        connection.row_factory = sqlite3.Row
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            return []
        return connection.execute(query, values).fetchall()


def read_figures(receiving: Mapping[str, Path], ledgers: Mapping[str, Path]) -> Figures:
    """The figures as they stand in each member's database and each force's ledger."""
    decisions: dict[str, dict[str, int]] = {member: dict.fromkeys(OUTCOMES, 0) for member in receiving}
    for ledger in ledgers.values():
        for row in rows(ledger, "SELECT member, outcome, count(*) AS events FROM decision GROUP BY member, outcome"):
            decisions[row["member"]][row["outcome"]] += row["events"]
    return Figures(
        decisions=decisions,
        delivered={member: _count(path, _OF_EVENTS) for member, path in receiving.items()},
        latency_ms={member: _latency(path) for member, path in receiving.items()},
        decided={force: _count(path, "(SELECT DISTINCT event_id FROM disclosure)") for force, path in ledgers.items()},
        quarantined=sum(_count(path, "feedback WHERE kind = 'quarantined'") for path in ledgers.values()),
    )


def _count(database: Path, what: str) -> int:
    found = rows(database, f"SELECT count(*) AS n FROM {what}")  # noqa: S608  named in this module only
    return found[0]["n"] if found else 0


def _latency(database: Path) -> dict[str, float | None]:
    milliseconds = [row["ms"] for row in rows(database, _LATENCIES)]
    return {"p50": percentile(milliseconds, 50), "p99": percentile(milliseconds, 99)}


def percentile(ordered: Iterable[float], percent: int) -> float | None:
    """The nearest-rank percentile of ordered values, to a tenth; None of nothing."""
    values = list(ordered)
    if not values:
        return None
    return round(values[max(0, -(-len(values) * percent // 100) - 1)], 1)
