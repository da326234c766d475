"""A consumer killed at random moments on the real broker: everything once, every receipt sent."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from consumers.delivery import Delivery, Record, delivery_opener
from deploy.broker import EmbeddedBroker
from schemas.event import Hazard, LogLine, Person, Vehicle
from tests.consumers.kafka_side import ROUTER_PARTITIONS, Exchange, wait_until
from tests.consumers.making import MOST_BYTES, delivery_bytes
from tests.consumers.model import Model, read_incidents

DELIVERIES = 2000
INCIDENTS = 150
KILLS = 6


@pytest.fixture
def exchange(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Exchange:
    return Exchange(broker.bootstrap, unique, tmp_path)


class Router:
    """Makes deliveries as a router does, and remembers what a receiver must end with."""

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self.random = random.Random(seed)
        self.exchange = exchange
        self.model = Model()
        self.streams: dict[str, int] = {}
        self.step = 0
        self._producer = exchange.router()
        self._open = delivery_opener(MOST_BYTES)
        self._sent: list[bytes] = []

    def deliver(self, count: int) -> None:
        """Transactions of a few deliveries; some are aborted, some deliveries come twice."""
        while count > 0:
            values = [self._one() for _ in range(min(count, self.random.randint(1, 40)))]
            commit = self.random.random() > 0.15
            self._producer.begin_transaction()
            for value in values:
                self._producer.produce(f"partner.{self.exchange.member}", value)
            if not commit:
                self._producer.flush(10)
                self._producer.abort_transaction(10)
                continue
            self._producer.commit_transaction(10)
            count -= len(values)
            for value in values:
                self._sent.append(value)
                delivery = self._delivery(value)
                self.streams[delivery.delivery_id] = int(delivery.terms["stream"].rpartition("/")[2])
                self.model.take(delivery)

    def _delivery(self, value: bytes) -> Delivery:
        return self._open(Record("t", 0, 0, 0, value))

    def _one(self) -> bytes:
        chance = self.random
        if self._sent and chance.random() < 0.05:
            return chance.choice(self._sent)
        self.step += 1
        incident = chance.randrange(INCIDENTS)
        covers = tuple(s for s in ("victims", "vehicles", "narrative", "hazards") if chance.random() < 0.6)
        content = {
            "victims": (Person(person_ref=f"p-{self.step}", role="victim"),),
            "vehicles": tuple(Vehicle(vehicle_ref=f"v-{n}") for n in range(chance.randrange(3))),
            "narrative": tuple(LogLine(entry_id=f"l-{n}", text="typed") for n in range(chance.randrange(4))),
            "hazards": (Hazard(kind="dog"),),
        }
        return delivery_bytes(
            f"i-{incident}",
            self.step,
            action=chance.choice(["SHARE"] * 8 + ["CORRECT", "RESTRICTED"]),
            covers=covers,
            member=self.exchange.member,
            origin=self.exchange.origin,
            stream=incident % ROUTER_PARTITIONS,
            **{section: content[section] for section in covers},
        )


def count(path: Path, table: str) -> int:
    """Rows of a table; 0 while there is no database."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return 0
        found: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        return found


def run_and_kill(exchange: Exchange, router: Router, into: Path) -> None:
    """Start a consumer, deliver while it works, and kill it somewhere in the middle."""
    before = count(into, "delivery")
    consumer = exchange.command("consume", "--member", exchange.member, "--into", str(into))
    try:
        router.deliver(DELIVERIES // (KILLS + 1))
        goal = min(before + router.random.randrange(1, 200), len(router.model.seen))
        wait_until(lambda: consumer.poll() is not None or count(into, "delivery") >= goal, "some deliveries")
        assert consumer.poll() is None, consumer.stderr.read().decode()
    finally:
        consumer.kill()
        consumer.communicate()


def test_a_consumer_killed_at_any_moment_writes_every_delivery_once_and_receipts_each(
    exchange: Exchange, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    router = Router(exchange, seed)
    into = tmp_path / "received.db"
    for _ in range(KILLS):
        run_and_kill(exchange, router, into)
    router.deliver(DELIVERIES // (KILLS + 1))
    last = exchange.command("consume", "--member", exchange.member, "--into", str(into), "--until-idle", "2")
    _, told = last.communicate(timeout=60)
    assert last.returncode == 0, told.decode()

    assert read_incidents(into) == router.model.incidents
    with closing(sqlite3.connect(into)) as database:
        written = [row[0] for row in database.execute("SELECT delivery_id FROM delivery ORDER BY record_offset")]
    assert written == router.model.seen
    assert count(into, "receipt_outbox") == 0

    receipted: set[str] = set()
    by_content: dict[str, str] = {}
    for partition, key, receipt in exchange.receipts():
        assert (receipt.member, receipt.kind) == (exchange.member, "delivered")
        assert key == f"{exchange.member}/{partition}"
        for entry in receipt.entries:
            assert router.streams[entry.delivery_id] == partition
            # Sent again after a kill, a receipt says the same.
            content = by_content.setdefault(entry.delivery_id, entry.model_dump_json())
            assert json.loads(content) == json.loads(entry.model_dump_json())
            receipted.add(entry.delivery_id)
    assert receipted == set(router.model.seen)
