"""The checker: compares everything that a run left behind with what must be true, and says what is wrong.

It holds the chaos test to account and is itself held to account by test_checker.py, which plants each kind of bug. It
names origins, members, events, incidents, sections and columns, and never what is in them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from routing.agreements import Bundle
from schemas.event import IncidentEvent
from schemas.exchange import Exchange
from tests.chaos.expectation import EventKey, expect
from tests.chaos.ledger_faults import ledger_faults
from tests.chaos.receiving_faults import receiving_faults
from tests.chaos.topic_faults import published_faults, sent_faults
from tests.chaos.topics import Published, Sent


@dataclass(frozen=True)
class World:
    """What went in, what the rules are, and what came out."""

    exchange: Exchange
    bundle: Bundle
    on: datetime
    """A time under which the same agreements were in force as during the run."""
    told: Mapping[str, Sequence[IncidentEvent]]
    """By origin: what its control room told, in order."""
    published: Mapping[str, Sequence[Published]]
    """By origin: its topic, each partition in order."""
    sent: Mapping[str, Sequence[Sent]]
    """By recipient: its partner topic, in order."""
    receiving: Mapping[str, Path]
    """By recipient: its database."""
    ledgers: Mapping[str, Path]
    """By origin: its ledger."""

    def events(self) -> Iterator[IncidentEvent]:
        """Every event published, once."""
        yield from {
            (origin, record.event.event_id): record.event
            for origin, records in self.published.items()
            for record in records
        }.values()


def violations(world: World) -> list[str]:
    """Everything that is wrong with a run; nothing if it is as it must be."""
    expected = expect(world.events(), world.exchange, world.bundle, world.on)
    found: list[str] = []
    for origin, told in world.told.items():
        found += published_faults(origin, told, world.published[origin])
    delivered: dict[str, dict[str, EventKey]] = {}
    for member, path in world.receiving.items():
        found += sent_faults(member, world.sent[member], expected)
        with closing(_open(path)) as database:
            found += receiving_faults(member, database, expected)
            delivered[member] = {
                row["delivery_id"]: (row["origin"], row["event_id"])
                for row in database.execute("SELECT delivery_id, origin, event_id FROM delivery")
            }
    for origin, path in world.ledgers.items():
        with closing(_open(path)) as database:
            found += ledger_faults(origin, database, expected, delivered, world.bundle.hash)
    return found


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    return database


def shown(found: Sequence[str], most: int = 25) -> str:
    """The first violations, for a test's message."""
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return "\n".join([f"{len(found)} violations", *found[:most], *more])
