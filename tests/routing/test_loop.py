"""Whatever becomes of its transactions, the loop accounts for every record once and in order.

Choreography only: the session here is a list. That the broker plays its part is proven in tests/integration.
"""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.clock import SystemClock
from routing.effects import NOTHING_KNOWN, Effects, Known, Output, Record
from routing.intake import Intake
from routing.loop import Loop
from routing.transactions import Aborted, Indefinite, Unpassable
from schemas.errors import Fatal
from schemas.exchange import Limits
from schemas.topics import topic_specs
from tests.routing.scene import a_policy, a_record, an_exchange, stock

EXCHANGE = an_exchange()
IN_FOURS = an_exchange(limits=Limits(transaction_events=4))
TOPICS = frozenset(spec.name for spec in topic_specs(EXCHANGE))
ENDS = ("commits", "aborts", "unknown-and-happened", "unknown-and-did-not", "cannot-begin")


class ListedTransaction:
    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.open = True

    def produce(self, *outputs: Output) -> None:
        assert self.open
        if any(len(output.value) > 1_000_000 for output in outputs):
            raise Unpassable("too large")
        self.outputs += outputs

    def abort(self) -> None:
        assert self.open
        self.open = False


class Listed:
    """In place of a recollection: which records follow on which; none is routed on top of another than that."""

    def __init__(self) -> None:
        self.committed: list[Record] = []
        self.on_its_way: list[Record] | None = None
        self.open: list[Record] = []

    def known(self, record: Record) -> Known:
        last = [r.offset for r in (*self.committed, *(self.on_its_way or ()), *self.open) if place(r) == place(record)]
        assert all(offset < record.offset for offset in last), "nothing is routed twice, or before its time"
        return NOTHING_KNOWN

    def known_of(self, _partition: int, _event_at: object) -> Known:
        return NOTHING_KNOWN

    def remember(self, record: Record, _effects: Effects) -> None:
        self.open.append(record)

    def hand_over(self) -> None:
        assert self.on_its_way is None
        self.on_its_way, self.open = self.open, []

    def happened(self) -> None:
        self.committed += self.on_its_way or ()
        self.on_its_way = None

    def dropped(self) -> None:
        self.open = []

    def aborted(self) -> None:
        self.on_its_way, self.open = None, []

    def agendas(self) -> tuple[()]:
        return ()

    def changes(self) -> tuple[Output, ...]:
        return ()


def place(record: Record) -> tuple[str, int]:
    return record.topic, record.partition


class ListedSession:
    """Keeps what is committed in a list; each transaction ends as the script says, and then they all commit.

    A commit takes as many looks at it as ``looks`` says, so that what is there is routed ahead meanwhile.
    """

    def __init__(self, records: list[Record], script: list[str], looks: list[int] | None = None) -> None:
        self.intake = Intake()
        self.is_ready = True
        self.tenure = 0
        self.clock = SystemClock()
        self.recollection = Listed()
        self.intake.add(records)
        self.committed: list[Record] = []
        self.outputs: list[Output] = []
        self.transactions = 0
        self._records = records
        self._script = list(script)
        self._looks = list(looks or ())
        self._left = 0
        self._transaction = ListedTransaction()
        self._on_its_way: list[Record] | None = None

    def fetch(self, _timeout_s: float) -> None:
        assert self._on_its_way is None, "the group is heard between transactions"

    def take_in(self, _wait_s: float) -> None:
        self._left = 0

    def topics(self) -> frozenset[str]:
        return TOPICS

    def begin(self) -> ListedTransaction:
        assert self._on_its_way is None, "one transaction at a time"
        self.transactions += 1
        assert self.transactions < 2_000, "no end of it"
        if self._script and self._script[0] == "cannot-begin":
            self._script.pop(0)
            self.recollection.aborted()
            raise Aborted("injected")
        self._transaction = ListedTransaction()
        return self._transaction

    def abort(self) -> None:
        self._transaction.abort()
        self.recollection.aborted()

    def begin_commit(self, batch) -> None:
        assert self._transaction.open
        self._transaction.open = False
        self._on_its_way = list(batch)
        self._left = self._looks.pop(0) if self._looks else 0
        assert self.recollection.open == self._on_its_way, "what is committed is what was remembered"
        self.recollection.hand_over()

    @property
    def is_committing(self) -> bool:
        self._left -= 1
        return self._on_its_way is not None and self._left >= 0

    def settle(self) -> None:
        batch, self._on_its_way = self._on_its_way, None
        end = self._script.pop(0) if self._script else "commits"
        if end in ("commits", "unknown-and-happened"):
            self.committed += batch
            self.outputs += self._transaction.outputs
        if end == "commits":
            self.recollection.happened()
            return
        self.recollection.aborted()
        raise Aborted("injected") if end == "aborts" else Indefinite("injected")

    def rewind(self) -> None:
        self.tenure += 1
        self.intake = Intake()
        self.recollection.committed = list(self.committed)
        done = {(r.topic, r.partition, r.offset) for r in self.committed}
        self.intake.add(r for r in self._records if (r.topic, r.partition, r.offset) not in done)


def plain(record: Record, *_args: object, **_known: object) -> Effects:
    return Effects("routed", (Output("partner.west", b"k", f"{record.topic}/{record.offset}".encode()),))


def run(records: list[Record], script: list[str], router=plain, looks=None) -> ListedSession:
    session = ListedSession(records, script, looks)
    exchange = IN_FOURS if looks else EXCHANGE
    loop = Loop(session, exchange, a_policy(exchange=exchange), router=router)
    until_all_is_committed(loop, session)
    return session


def until_all_is_committed(loop: Loop, session: ListedSession) -> None:
    while not session.intake.idle or session.recollection.on_its_way is not None:
        loop.turn()


def some(count: int) -> list[Record]:
    """Records of two forces on two partitions each."""
    return [
        a_record(b"v", topic=("incidents.north", "incidents.south")[n % 2], partition=n // 2 % 2, offset=n)
        for n in range(count)
    ]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("routing.loop._ABORT_PAUSE_S", 0.0)


@given(
    count=st.integers(0, 24),
    script=st.lists(st.sampled_from(ENDS), max_size=30),
    poison=st.sets(st.integers(0, 23), max_size=4),
    too_large=st.sets(st.integers(0, 23), max_size=2),
    looks=st.lists(st.integers(0, 4), max_size=12),
)
def test_every_record_is_committed_once_in_order_and_only_culprits_are_refused(count, script, poison, too_large, looks):
    def router(record: Record, *_args: object, **_known: object) -> Effects:
        if record.offset in poison:
            raise RuntimeError
        if record.offset in too_large:
            return Effects("routed", (Output("partner.west", b"k", b"x" * 1_000_001),))
        return plain(record)

    session = run(some(count), script, router, looks)
    by_place = defaultdict(list)
    for record in session.committed:
        by_place[record.topic, record.partition].append(record.offset)
    assert sorted(n for offsets in by_place.values() for n in offsets) == list(range(count))
    assert all(offsets == sorted(offsets) for offsets in by_place.values())
    refused = [stock(o.value) for o in session.outputs if o.topic.startswith("quarantine.")]
    assert {kept["source"]["offset"] for kept in refused} == {n for n in poison | too_large if n < count}
    assert {kept["reason"] for kept in refused} <= {"internal"}
    assert len(refused) + sum(o.topic == "partner.west" for o in session.outputs) == count


def test_what_comes_while_a_commit_is_on_its_way_is_routed_ahead_and_produced_after_it():
    committed_when_routed = {}

    def router(record: Record, *_args: object, **_known: object) -> Effects:
        committed_when_routed[record.offset] = len(session.committed)
        return plain(record)

    session = ListedSession(some(8), [], [1])
    loop = Loop(session, IN_FOURS, a_policy(exchange=IN_FOURS), router=router)
    until_all_is_committed(loop, session)
    assert set(committed_when_routed.values()) == {0}, "all was routed before anything was known to be committed"
    assert session.transactions == 2
    assert [output.value for output in session.outputs] == [f"{r.topic}/{r.offset}".encode() for r in session.committed]


@pytest.mark.parametrize("end", ["aborts", "unknown-and-did-not", "unknown-and-happened"])
def test_what_was_routed_ahead_of_a_commit_that_fails_is_dropped_and_routed_again(end):
    routed = []

    def router(record: Record, *_args: object, **_known: object) -> Effects:
        routed.append(record.offset)
        return plain(record)

    session = ListedSession(some(8), [end], [1])
    loop = Loop(session, IN_FOURS, a_policy(exchange=IN_FOURS), router=router)
    until_all_is_committed(loop, session)
    assert sorted(record.offset for record in session.committed) == list(range(8))
    assert len(session.outputs) == 8
    assert len(routed) == (12 if end == "unknown-and-happened" else 16), (
        "what follows was routed on what did not happen"
    )


def test_the_search_for_a_culprit_survives_aborts_between_its_steps():
    """As when librdkafka, after a refused record, fails the next transaction too: once this never came to an end."""

    def router(record: Record, *_args: object, **_known: object) -> Effects:
        if record.offset == 5:
            raise RuntimeError
        return plain(record)

    class Gapped(ListedSession):
        def begin(self):
            transaction = super().begin()
            if self.transactions % 2:
                raise Aborted("skipped sequence numbers")
            return transaction

    session = Gapped(some(16), [])
    loop = Loop(session, EXCHANGE, a_policy(exchange=EXCHANGE), router=router)
    until_all_is_committed(loop, session)
    assert len(session.committed) == 16
    assert session.transactions < 60


def test_a_culprit_that_cannot_even_be_quarantined_ends_the_worker(monkeypatch):
    def never(*_args: object, **_known: object) -> Effects:
        raise RuntimeError

    monkeypatch.setattr("routing.loop.refuse", never)
    with pytest.raises(Fatal, match="neither be routed nor quarantined"):
        run(some(3), [], never)


def test_a_fault_in_counting_does_not_route_again_what_is_committed(monkeypatch):
    def fails(*_args: object, **_labels: object) -> None:
        raise ValueError("no such label")

    monkeypatch.setattr("routing.account.metrics.increment", fails)
    monkeypatch.setattr("routing.account.metrics.observe", fails)
    assert len(run(some(8), []).committed) == 8


def test_a_batch_of_one_force_s_flood_commits_once_the_few_of_another_are_routed(monkeypatch):
    """Without it the few wait for as long as a transaction may last."""
    now = 0.0

    def slow(record: Record, *_args: object, **_known: object) -> Effects:
        nonlocal now
        now += 0.004
        return plain(record)

    monkeypatch.setattr("time.monotonic", lambda: now)
    flood = [a_record(b"v", topic="incidents.north", offset=n) for n in range(100)]
    few = [a_record(b"v", topic="incidents.south", offset=n) for n in range(2)]
    session = ListedSession([*flood, *few], [])
    loop = Loop(session, EXCHANGE, a_policy(exchange=EXCHANGE), router=slow)
    loop.turn()
    first = session.recollection.on_its_way
    assert {"incidents.south"} < {record.topic for record in first}
    assert len(first) == 4, "the few, as many of the flood, and a commit after 16 ms instead of 50"
    loop.turn()
    assert session.committed == first
    assert len(session.recollection.on_its_way) == 13, "nobody else waits: as much as 50 ms allow"
