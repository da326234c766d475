"""The router beside the reference: each step is taken by both, and compared."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from routing.effects import Policy
from routing.state.incident import moment_of
from tests.life.accounts import Accounts
from tests.life.agreed import EXCHANGE, bundle
from tests.life.happenings import Event, Key, Published, Words
from tests.life.kept import closing
from tests.life.reference import Reference
from tests.life.remembered import remembered_by_reference, remembered_by_router
from tests.life.router import Done, Router
from tests.life.seen import Seen, Sent, seen_of
from tests.routing.scene import NOW

KEYS: list[Key] = [("north", "i-1"), ("north", "i-1"), ("north", "i-2"), ("south", "i-1")]
"""The incidents there are, the first twice as likely."""


class Compared(RuleBasedStateMachine):
    """Some incidents, whose life is known twice."""

    def __init__(self) -> None:
        super().__init__()
        self.done: frozenset[str] = frozenset()
        self.version = 1
        policy = bundle(1)
        self.router = Router(Policy(policy, EXCHANGE), NOW)
        self.reference = Reference(policy, NOW)
        self.accounts = Accounts()
        self.sequences: Counter[Key] = Counter()
        self.events: list[Published] = []
        self.rulings = 0
        self.deliveries: list[tuple[Sent, dict[str, Any]]] = []

    @invariant()
    def the_router_remembers_what_the_reference_does(self) -> None:
        for key in set(KEYS):
            was = remembered_by_router(self.router.incident(key))
            should = remembered_by_reference(self.reference.incidents.get(key))
            assert was == should, f"{key}: expected\n{should}\nand remembered is\n{was}"

    @invariant()
    def both_wait_for_the_same_moment(self) -> None:
        due = self.router.next_due()
        assert (moment_of(due[0]) if due else None) == self.reference.next_due()

    # -- steps

    def tell(self, key: Key, event: Event) -> None:
        self.sequences[key] += 1
        sequence = self.sequences[key]
        event_id = f"{key[1]}.{sequence}"
        published = Published(key, event, event_id, sequence, event.framed(key, event_id, sequence, self.router.now))
        self.events.append(published)
        self.send(published)

    def send(self, published: Published) -> None:
        must_hear = self._who_must_hear(published)
        done = self.router.event(published.key, published.value)
        if done.fate == "routed":
            assert must_hear <= {member for member, _ in done.on("partner")}, "a holder always hears of a correction"
        self._compare(done, self.reference.event(*published))

    def rule_on(self, key: Key, words: Words, heard_after_minutes: int = 0) -> None:
        self.rulings += 1
        said_at, ruling_id = self.router.now, f"r-{self.rulings}"
        later = timedelta(minutes=heard_after_minutes)
        done = self.router.ruling(key, words.framed(key, ruling_id, said_at), later)
        self.reference.now = self.router.now
        self._compare(done, self.reference.ruling(key, words, ruling_id, said_at))

    def elapse(self, due: tuple[int, int, bytes]) -> None:
        _, partition, key = due
        origin, _, incident = key.decode().partition("/")
        done = self.router.elapse(partition, key)
        self._compare(done, self.reference.due((origin, incident)))

    def set_clock(self, now: datetime) -> None:
        self.router.now = self.reference.now = now

    def _who_must_hear(self, published: Published) -> set[str]:
        """Of a correction, whoever holds the incident and may keep it still, is not barred, and can be reached."""
        incident, now = self.reference.incidents.get(published.key), self.router.now
        if incident is None or published.event.kind != "corrected":
            return set()
        closed = closing(incident, published.event.considered(published.key[0], published.sequence), now)
        return {
            member
            for member, holds in incident.holders.items()
            if member not in incident.barred | self.reference.unreachable
            if closed is None or now < closed + timedelta(days=holds.retain_days)
        }

    def _forget(self, done: Done) -> None:
        for key in done.forgot:
            assert self.reference.incidents[key].may_be_forgotten(self.router.now), key
            del self.reference.incidents[key]
            self.accounts.forget(key)
            # No spool sends again what is so old.
            self.events = [each for each in self.events if each.key != key]

    def _compare(self, done: Done, expected: Seen) -> None:
        seen = seen_of(done)
        expected.sent.sort(key=lambda each: (each.member, each.place))
        for name in ("fate", "reason", "sent", "told", "cases", "records"):
            was, should = getattr(seen, name), getattr(expected, name)
            assert was == should, f"{name}: expected\n{should}\nand there was\n{was}"
        self.accounts.take(done, self.reference.bundle, self.router.now)
        by_place = {(each.member, each.place): each for each in seen.sent}
        for _, delivery in done.on("partner"):
            terms = delivery["disclosure"]
            self.deliveries.append((by_place[terms["to"], terms["stream_sequence"]], delivery))
        self._forget(done)
