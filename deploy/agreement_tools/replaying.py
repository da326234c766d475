"""Recorded decisions made again under the bundle that made them: the audit that a record is what the agreements say.

The engine makes all of them again; the interpreter, which is written to be read beside the language, some or all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from consumers.ledger_queries import Row
from deploy.explaining import as_recorded, considered_of, differing_from, state_of
from routing.agreements.bundle import Bundle
from routing.agreements.engine import Engine, Group
from routing.agreements.interpret import decide
from schemas.topics import family_of

SAMPLED: Final = 50
"""Of so many events one is also decided by the interpreter, which is the meaning of agreements and slow."""
INTERPRETER: Final = "interpreter"
"""What is not the same where the interpreter decides otherwise than the engine: a fault of ours, not of a record."""
_EXAMPLES: Final = 10


@dataclass
class Replay:
    """What came out."""

    events: int = 0
    decisions: int = 0
    interpreted: int = 0
    """Of the decisions, those that the interpreter made too."""
    differing: Counter[str] = field(default_factory=Counter)
    """Decisions that came out otherwise, by what is not the same.

    ``nobody``: one of the record and the bundle has no decision for a recipient. `INTERPRETER`: see there.
    """
    examples: list[tuple[str, str, str]] = field(default_factory=list)
    """The first of them: event_id, member, what is not the same."""
    other_bundles: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Events that another bundle decided, by its version and hash: they are left alone."""

    def differs(self, event_id: str, member: str, what: str) -> None:
        """Count one that came out otherwise."""
        self.differing[what] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append((event_id, member, what))


class Replaying:
    """Decides recorded events again, all of them by the engine, and some by the interpreter too."""

    def __init__(self, bundle: Bundle, interpreted_every: int = SAMPLED) -> None:
        """Compile the bundle.

        Args:
            bundle: records that another decided are counted and left alone.
            interpreted_every: of so many events one is also decided by the interpreter; 1: each.
        """
        self.found = Replay()
        self._bundle = bundle
        self._every = interpreted_every
        self._engine: Engine[_Made] = Engine(bundle, _made)

    def run(
        self, recorded: Iterable[tuple[Row, list[Row]]], told: Callable[[int], None] = lambda _done: None
    ) -> Replay:
        """Decide each event again, for every recipient, and compare all that was recorded of it.

        Args:
            recorded: disclosure records, each with its decisions.
            told: hears how many events are done, now and then.
        """
        done = 0
        for done, (disclosure, decisions) in enumerate(recorded, 1):
            if disclosure["policy_hash"] == self._bundle.hash:
                self._again(disclosure, decisions)
            else:
                self.found.other_bundles[disclosure["policy_version"], disclosure["policy_hash"]] += 1
            if done % 100 == 0:
                told(done)
        told(done)
        return self.found

    def _again(self, disclosure: Row, decisions: list[Row]) -> None:
        found, event_id = self.found, disclosure["event_id"]
        event, at = considered_of(disclosure), datetime.fromisoformat(disclosure["decided_at"])
        before = state_of(disclosure)
        made = self._engine.decide(event, at, before)
        interpreted = found.events % self._every == 0
        found.events += 1
        found.decisions += len(decisions)
        for row in decisions:
            member = row["member"]
            again = made.get(member)
            if again is None:
                continue
            for what in differing_from(again, row):
                found.differs(event_id, member, what)
            if interpreted:
                found.interpreted += 1
                if as_recorded(decide(self._bundle, event, member, at, before)) != again:
                    found.differs(event_id, member, INTERPRETER)
        recorded = {row["member"] for row in decisions}
        for missing in (_wanted(disclosure, made) - recorded) | (recorded - made.keys()):
            found.differs(event_id, missing, "nobody")


def _wanted(disclosure: Row, made: _Made) -> set[str]:
    """For whom it must have been decided: an event for everybody, but a retraction for nobody; a ruling for some."""
    by_an_event = family_of(disclosure["topic"]) == "incidents" and disclosure["kind"] != "retract"
    return set(made) if by_an_event else set()


_Made = dict[str, dict[str, Any]]
"""By recipient: its decision as the ledger keeps it."""


def _made(groups: tuple[Group, ...]) -> _Made:
    found: _Made = {}
    for group in groups:
        found.update(dict.fromkeys(group.recipients, as_recorded(group.decision)))
    return found
