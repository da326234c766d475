"""The transactional loop: fetch, route, produce, commit offsets and outputs together.

While the broker commits one batch, what comes meanwhile is routed ahead (`routing.ahead`), and produced in the next.

A batch that Kafka aborts is routed again. A batch that fails twice for another reason is replayed in halves until the
culprit stands alone; that record is quarantined as internal, alerted, never skipped silently.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from routing.account import account, open_accounts
from routing.ahead import route_ahead
from routing.batch import Batch, CommitClock, Routed, WaitReason
from routing.effects import Effects, Known, Policy, Record
from routing.halving import Part, refuse
from routing.input_lags import InputLags
from routing.passing import Passing
from routing.reach import MISSING, Reach
from routing.route import route
from routing.session import Session
from routing.topic_watch import TopicWatch
from routing.transactions import Aborted, Indefinite, TransactionalProducer
from schemas.errors import Fatal, Unavailable
from schemas.exchange import Exchange
from schemas.ops import metrics
from schemas.ops.logs import get_logger
from schemas.topics import family_of, member_of

log = get_logger()


class Router(Protocol):
    """What follows from a record: `routing.route.route`, or what stands for it."""

    def __call__(self, record: Record, policy: Policy, now: datetime, *, known: Known) -> Effects:
        """Everything that follows."""


KnownElsewhere = Callable[[int], bool]
"""Whether a registry knows a schema id that this release does not; raises Unavailable when it cannot be asked."""

_ABORT_PAUSE_S = 0.02
_NO_POLICY_PAUSE_S = 0.05
_NOTE_EVERY_S = 0.1
"""How often to see what waits: looking through all partitions takes half a millisecond when every one is full."""


class Loop:
    """Routes what one session fetches. Not for threads."""

    def __init__(
        self,
        session: Session,
        exchange: Exchange,
        policy: Policy | None,
        *,
        topic_check_s: float = 5.0,
        known_elsewhere: KnownElsewhere = lambda _schema_id: False,
        router: Router = route,
        blind_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Put the parts together; ``blind_s`` says how long nothing could be known of what Kafka holds."""
        self._session = session
        self._policy = policy
        self._exchange = exchange
        self._reach = Reach(exchange)
        self._watch = TopicWatch(session.topics, topic_check_s)
        self._known_elsewhere = known_elsewhere
        self._router = router
        self._waiting: dict[str, str] = {}
        self._next_note = 0.0
        self._lags = InputLags(exchange.publishers(), blind_s)
        self._passing = Passing(session, exchange)
        self._on_its_way: Batch | None = None
        """What is being committed."""
        self._deciding_s = 0.0
        open_accounts(exchange)

    def change_policy(self, policy: Policy | None) -> None:
        """What to decide by from the next batch on; without any, nothing is routed and everything waits."""
        self._policy = policy

    def close(self) -> None:
        """Watch over topics no more."""
        self._watch.close()

    def turn(self, timeout_s: float = 0.1) -> None:
        """Once round: see how the batch before ended, fetch, and have one batch committed if there is one.

        Raises:
            Fatal: a fresh worker must take over.
        """
        # What is due happens in a transaction of its own, so nothing may be routed ahead of that.
        due = self._session.is_ready and self._passing.has_due()
        ahead = self._settle([] if due else self._route_ahead())
        tenure = self._session.tenure
        self._session.fetch(0.0 if ahead else timeout_s)
        if self._session.tenure != tenure:
            ahead = []  # nobody remembers what they were routed on; they will be fetched again
        if (topics := self._watch.seen()) is not None:
            self._take_in_topics(topics)
        if time.monotonic() >= self._next_note:
            self._next_note = time.monotonic() + _NOTE_EVERY_S
            self._lags.note(self._session.intake.oldest())
        if self._policy is None:
            time.sleep(_NO_POLICY_PAUSE_S)
        elif self._session.is_ready:
            if due:
                self._passing.turn(self._present(self._policy), self._reach.unwritable())
            if self._session.is_ready:
                self._begin(ahead)

    def _route_ahead(self) -> list[Routed]:
        """What comes while a commit is on its way, routed under the policy that is in force now."""
        if self._policy is None:
            return []
        policy, unwritable = self._present(self._policy), self._reach.unwritable()

        def take(record: Record) -> Effects | None:
            effects = self._route(record, policy, self._router)
            return None if effects.unknown_schema is not None or effects.write_any_of(unwritable) else effects

        return route_ahead(self._session, self._exchange.limits.transaction_events, take)

    def _settle(self, ahead: list[Routed]) -> list[Routed]:
        """See how the commit that is on its way ends; what was routed ahead, if that still stands."""
        on_its_way, self._on_its_way = self._on_its_way, None
        if on_its_way is None:
            return ahead
        try:
            self._session.settle()
        except Exception as error:  # noqa: BLE001  `_after` tells them apart
            self._session.intake.put_back(record for record, _ in ahead)
            parts: deque[Part] = deque()
            self._session.intake.put_back(self._after(error, Part(on_its_way.records, failures=0), parts))
            self._carry(parts)
            return []
        account(on_its_way.done, on_its_way.deciding_s)
        return ahead

    def _begin(self, ahead: list[Routed]) -> None:
        """Have the next batch committed: what was routed ahead, and what else is there."""
        more = self._session.intake.take(self._exchange.limits.transaction_events - len(ahead))
        if ahead or more:
            self._carry(deque([Part([*(record for record, _ in ahead), *more], failures=0)]), ahead)

    def _carry(self, parts: deque[Part], ahead: Sequence[Routed] = ()) -> None:
        """Route parts of a batch, in halves if it must be; what could not be routed now goes back to the intake."""
        while parts:
            part = parts.popleft()
            try:
                left = self._transact(part, ahead)
            except Exception as error:  # noqa: BLE001  whatever it is, every record must be accounted for
                left = self._after(error, part, parts)
            ahead = ()
            if left:
                self._session.intake.put_back([*left, *(record for later in parts for record in later.records)])
                return

    def _after(self, error: Exception, part: Part, parts: deque[Part]) -> Sequence[Record]:
        """What is to be tried after a part failed goes before the other parts; returns what is to wait, if all is.

        Raises:
            Fatal: a fresh worker must take over.
        """
        match error:
            case Aborted():
                self._take_in_refusals(error.refused)
                time.sleep(_ABORT_PAUSE_S)
                if not part.may_be_aborted_again():
                    return part.records
                parts.appendleft(part)
            case Indefinite():
                self._session.rewind()
                parts.clear()
            case Fatal():
                raise error
            case _:
                parts.extendleft(reversed(part.next_tries(error)))
        return ()

    def _transact(self, part: Part, ahead: Sequence[Routed]) -> Sequence[Record]:
        """One transaction over as much of a part as its time allows; returns what is left of the part.

        Its commit is on its way then, unless the part failed before: of that it is known how it ended.
        """
        producer = self._session.begin()
        try:
            routed = self._produce(part, ahead, producer)
            if routed.done:
                producer.produce(*self._session.recollection.changes())
        except BaseException:
            self._session.abort()
            raise
        if not routed.done:
            self._session.abort()
        else:
            self._session.begin_commit(record for record, _ in routed.done)
            if part.failures:
                self._session.settle()
                account(routed.done, routed.deciding_s)
            else:
                self._on_its_way = routed
        left = part.records[len(routed.done) :]
        if routed.waits:
            self._hold(left[0].topic, routed.waits)
        return left

    def _produce(self, part: Part, ahead: Sequence[Routed], producer: TransactionalProducer) -> Batch:
        """Produce what was routed ahead; route and produce as many of the other records as there is time for."""
        assert self._policy is not None  # noqa: S101  without one, no batch is taken
        policy = self._present(self._policy)
        clock = CommitClock(part.records, policy.exchange.limits.transaction_ms / 1000)
        router = refuse if part.is_culprit else self._router
        unwritable = self._reach.unwritable()
        recollection = self._session.recollection
        for _, effects in ahead:
            producer.produce(*effects.outputs)
        done = [*ahead]
        waits: WaitReason = ""
        for record in part.records[len(ahead) :]:
            effects = self._route(record, policy, router)
            if waits := self._must_wait(effects, unwritable):
                break
            producer.produce(*effects.outputs)
            recollection.remember(record, effects)
            done.append((record, effects))
            if clock.says_commit(len(done)):
                break
        deciding_s, self._deciding_s = self._deciding_s, 0.0
        return Batch(done, deciding_s, waits)

    def _route(self, record: Record, policy: Policy, router: Router) -> Effects:
        started = time.perf_counter()
        effects = router(record, policy, self._session.clock.now(), known=self._known(record))
        self._deciding_s += time.perf_counter() - started
        return effects

    def _present(self, policy: Policy) -> Policy:
        """The policy with who can be reached now."""
        return replace(policy, suspended=self._reach.suspended())

    def _known(self, record: Record) -> Known:
        recollection = self._session.recollection
        if family_of(record.topic) == "incidents":
            return recollection.known(record)
        return recollection.known_of(record.partition, self._reread)

    def _reread(self, origin: str, partition: int, offset: int) -> Record | None:
        """An event again; while the broker does not give it, the batch is routed again.

        Raises:
            Aborted: it does not.
        """
        try:
            return self._session.rereading.event_at(origin, partition, offset)
        except Unavailable as why:
            raise Aborted(str(why)) from None

    def _must_wait(self, effects: Effects, unwritable: frozenset[str]) -> WaitReason:
        """Why a record can be neither routed nor refused now, so that nothing more of its topic may be; or nothing.

        missing-topic: what follows from it cannot be written, such as the feedback that a receipt is for.
        newer-schema: a registry knows its schema and this release does not; routers are upgraded before producers.
        registry-away: nobody can say whether that is so.
        """
        if effects.write_any_of(unwritable):
            return "missing-topic"
        if effects.unknown_schema is None:
            return ""
        try:
            return "newer-schema" if self._known_elsewhere(effects.unknown_schema) else ""
        except Unavailable:
            return "registry-away"

    def _hold(self, topic: str, reason: WaitReason) -> None:
        log.error("topic held", topic=topic, reason=reason)
        self._waiting[topic] = reason
        self._session.intake.hold(topic, reason)

    def _take_in_refusals(self, refused: Mapping[str, str]) -> None:
        """Leave alone what refused a write, at once: one member's topic must not abort everybody's transactions."""
        # A topic that has gone may also show in others that time out with it: look soon, whatever the broker said.
        self._watch.soon()
        if refused:
            self._reach.refused(refused)
            self._hold_and_release()

    def _take_in_topics(self, topics: frozenset[str]) -> None:
        """Those that exist: what lacks may be written again, or no longer."""
        self._reach.seen(topics)
        lacking = bool(self._reach.unwritable())
        still = {"newer-schema": True, "registry-away": False, MISSING: lacking}
        self._waiting = {topic: reason for topic, reason in self._waiting.items() if still[reason]}
        self._hold_and_release()

    def _hold_and_release(self) -> None:
        """Hold the inputs of members whose own topics cannot be written, and those that wait; release all others."""
        holds = self._reach.holds() | self._waiting
        intake = self._session.intake
        for topic in intake.held.keys() - holds.keys():
            intake.release(topic)
            log.warning("topic released", topic=topic)
        for topic in holds.keys() - intake.held.keys():
            intake.hold(topic, holds[topic])
            log.error("topic held: one of its member's own topics cannot be written", topics=[topic, holds[topic]])
        for member in self._exchange.publishers():
            held = any(member_of(topic) == member for topic in holds)
            metrics.set_gauge("origin_paused", float(held), origin=member)
