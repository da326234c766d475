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
from schemas.topics import topic_specs
from tests.routing.scene import a_policy, a_record, an_exchange, stock

EXCHANGE = an_exchange()
TOPICS = frozenset(spec.name for spec in topic_specs(EXCHANGE))
ENDS = ("commits", "aborts", "unknown-and-happened", "unknown-and-did-not", "cannot-begin")


class ListedTransaction:
    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.open = True

    def produce(self, output: Output) -> None:
        assert self.open
        if len(output.value) > 1_000_000:
            raise Unpassable("too large")
        self.outputs.append(output)

    def abort(self) -> None:
        assert self.open
        self.open = False


class ForgottenAtOnce:
    """In place of a recollection: what is to be remembered is what the routers here say, and they say nothing."""

    def known(self, _record: Record) -> Known:
        return NOTHING_KNOWN

    def known_of(self, _partition: int, _event_at: object) -> Known:
        return NOTHING_KNOWN

    def remember(self, _record: Record, _effects: Effects) -> None:
        pass

    def agendas(self) -> tuple[()]:
        return ()

    def changes(self) -> tuple[Output, ...]:
        return ()


class ListedSession:
    """Keeps what is committed in a list; each transaction ends as the script says, and then they all commit."""

    def __init__(self, records: list[Record], script: list[str]) -> None:
        self.intake = Intake()
        self.is_ready = True
        self.clock = SystemClock()
        self.recollection = ForgottenAtOnce()
        self.intake.add(records)
        self.committed: list[Record] = []
        self.outputs: list[Output] = []
        self.transactions = 0
        self._records = records
        self._script = list(script)
        self._transaction = ListedTransaction()

    def fetch(self, _timeout_s: float) -> None:
        pass

    def topics(self) -> frozenset[str]:
        return TOPICS

    def begin(self) -> ListedTransaction:
        self.transactions += 1
        assert self.transactions < 2_000, "no end of it"
        if self._script and self._script[0] == "cannot-begin":
            self._script.pop(0)
            raise Aborted("injected")
        self._transaction = ListedTransaction()
        return self._transaction

    def commit(self, batch) -> None:
        assert self._transaction.open
        end = self._script.pop(0) if self._script else "commits"
        self._transaction.open = False
        if end in ("commits", "unknown-and-happened"):
            self.committed += batch
            self.outputs += self._transaction.outputs
        if end == "aborts":
            raise Aborted("injected")
        if end.startswith("unknown"):
            raise Indefinite("injected")

    def rewind(self) -> None:
        self.intake = Intake()
        done = {(r.topic, r.partition, r.offset) for r in self.committed}
        self.intake.add(r for r in self._records if (r.topic, r.partition, r.offset) not in done)


def plain(record: Record, *_args: object, **_known: object) -> Effects:
    return Effects("routed", (Output("partner.west", b"k", f"{record.topic}/{record.offset}".encode()),))


def run(records: list[Record], script: list[str], router=plain) -> ListedSession:
    session = ListedSession(records, script)
    loop = Loop(session, EXCHANGE, a_policy(exchange=EXCHANGE), router=router)
    while not session.intake.idle:
        loop.turn()
    return session


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
)
def test_every_record_is_committed_once_in_order_and_only_culprits_are_refused(count, script, poison, too_large):
    def router(record: Record, *_args: object, **_known: object) -> Effects:
        if record.offset in poison:
            raise RuntimeError
        if record.offset in too_large:
            return Effects("routed", (Output("partner.west", b"k", b"x" * 1_000_001),))
        return plain(record)

    session = run(some(count), script, router)
    by_place = defaultdict(list)
    for record in session.committed:
        by_place[record.topic, record.partition].append(record.offset)
    assert sorted(n for offsets in by_place.values() for n in offsets) == list(range(count))
    assert all(offsets == sorted(offsets) for offsets in by_place.values())
    refused = [stock(o.value) for o in session.outputs if o.topic.startswith("quarantine.")]
    assert {kept["source"]["offset"] for kept in refused} == {n for n in poison | too_large if n < count}
    assert {kept["reason"] for kept in refused} <= {"internal"}
    assert len(refused) + sum(o.topic == "partner.west" for o in session.outputs) == count


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
    while not session.intake.idle:
        loop.turn()
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
    assert {"incidents.south"} < {record.topic for record in session.committed}
    assert len(session.committed) == 4, "the few, as many of the flood, and a commit after 16 ms instead of 50"
    before = len(session.committed)
    loop.turn()
    assert len(session.committed) - before == 13, "nobody else waits: as much as 50 ms allow"
