"""How far a run is: counts in the databases against what there must be."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.expectation import Expectation
from tests.chaos.processes import Processes


@dataclass(frozen=True)
class Goal:
    """How many of each there must be in the end."""

    events: Mapping[str, int]
    """By origin."""
    delivered: Mapping[str, int]
    """By recipient."""
    fed_back: Mapping[str, int]
    """By origin: deliveries of its events."""

    @classmethod
    def of(cls, expected: Expectation) -> Goal:
        """Count what is expected."""
        origins = sorted({origin for origin, _ in expected.events})
        every = [of for sent in expected.sent.values() for (of, _), told in sent.items() for _ in told]
        return cls(
            events={origin: sum(of == origin for of, _ in expected.events) for origin in origins},
            delivered={member: sum(map(len, sent.values())) for member, sent in expected.sent.items()},
            fed_back={origin: every.count(origin) for origin in origins},
        )


@dataclass(frozen=True)
class Progress:
    """Looks into the databases while others write them."""

    processes: Processes
    goal: Goal

    def published(self) -> float:
        """The share of all events that Kafka has acknowledged."""
        acknowledged = "SELECT count(*) FROM events WHERE state = 'acknowledged'"
        done = sum(_asked(self.processes.spool(origin), "events", acknowledged) for origin in self.goal.events)
        return done / sum(self.goal.events.values())

    def durable(self) -> float:
        """The share of all deliveries that are durable at their recipients."""
        durable = sum(_count(self.processes.receiving(member), "delivery") for member in self.goal.delivered)
        return durable / sum(self.goal.delivered.values())

    def missing(self) -> list[str]:
        """What has not arrived yet, in words; nothing when all has."""
        pairs = [
            *((f"deliveries to {m}", _count(self._received(m), "delivery"), n) for m, n in self.goal.delivered.items()),
            *((f"records of {o}", _count(self._kept(o), "disclosure"), n) for o, n in self.goal.events.items()),
            *((f"deliveries fed back to {o}", _fed_back(self._kept(o)), n) for o, n in self.goal.fed_back.items()),
        ]
        waiting = [f"receipts wait at {m}" for m in self.goal.delivered if _count(self._received(m), "receipt_outbox")]
        unfinished = [f"{process.name} has not finished" for process in self.processes.producers if process.ended != 0]
        return [f"{found} of {wanted} {what}" for what, found, wanted in pairs if found < wanted] + waiting + unfinished

    def _received(self, member: str) -> Path:
        return self.processes.receiving(member)

    def _kept(self, origin: str) -> Path:
        return self.processes.ledger(origin)


def _count(path: Path, table: str) -> int:
    return _asked(path, table, f"SELECT count(*) FROM {table}")  # noqa: S608


def _fed_back(ledger: Path) -> int:
    return _asked(ledger, "feedback", "SELECT count(DISTINCT delivery_id) FROM feedback WHERE kind = 'delivered'")


def _asked(path: Path, table: str, query: str) -> int:
    """The answer, or 0 while there is no such table."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return 0
        found: int = database.execute(query).fetchone()[0]
        return found
