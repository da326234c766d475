"""Recorded decisions made again under the bundle that made them: the audit that a record is what the agreements say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from consumers.ledger_queries import Row
from deploy.explaining import considered_of, differing
from routing.agreements.bundle import Bundle
from routing.agreements.interpret import decide, recipients

_EXAMPLES = 10


@dataclass
class Replay:
    """What came out."""

    events: int = 0
    decisions: int = 0
    differing: Counter[str] = field(default_factory=Counter)
    """Decisions that came out otherwise, by what is not the same; ``nobody``: a recipient without a decision."""
    examples: list[tuple[str, str, str]] = field(default_factory=list)
    """The first of them: event_id, member, what is not the same."""
    other_bundles: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Events that another bundle decided, by its version and hash: they are left alone."""

    def differs(self, event_id: str, member: str, what: str) -> None:
        """Count one that came out otherwise."""
        self.differing[what] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append((event_id, member, what))


def replay(
    bundle: Bundle, recorded: Iterable[tuple[Row, list[Row]]], told: Callable[[int], None] = lambda _done: None
) -> Replay:
    """Decide each recorded event again, for every recipient, and compare all that was recorded of it.

    Args:
        bundle: records that another decided are counted and left alone.
        recorded: disclosure records, each with its decisions.
        told: hears how many events are done, now and then.
    """
    found = Replay()
    receivers = lru_cache(maxsize=None)(lambda origin: frozenset(recipients(bundle, origin)))
    for done, (disclosure, decisions) in enumerate(recorded, 1):
        if disclosure["policy_hash"] != bundle.hash:
            found.other_bundles[disclosure["policy_version"], disclosure["policy_hash"]] += 1
            continue
        found.events += 1
        event, at = considered_of(disclosure), datetime.fromisoformat(disclosure["decided_at"])
        for row in decisions:
            found.decisions += 1
            for what in differing(decide(bundle, event, row["member"], at), row):
                found.differs(disclosure["event_id"], row["member"], what)
        for missing in receivers(event.origin) ^ {row["member"] for row in decisions}:
            found.differs(disclosure["event_id"], missing, "nobody")
        if done % 100 == 0:
            told(done)
    return found
