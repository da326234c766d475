"""What a recipient gets from a router, made up at random and remembered; and whether the recipient has it all, once."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

from consumers.delivery import Delivery, Record, delivery_opener
from schemas.event import Hazard, LogLine, Person, Vehicle
from tests.consumers.kafka_side import ROUTER_PARTITIONS, Exchange
from tests.consumers.making import MOST_BYTES, delivery_bytes
from tests.consumers.model import Model, read_incidents

INCIDENTS = 150


class RandomRouter:
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

    def check(self, received: Path) -> None:
        """The recipient's database holds every delivery once, in order, and what they make of the incidents."""
        assert read_incidents(received) == self.model.incidents
        with closing(sqlite3.connect(received)) as database:
            written = [row[0] for row in database.execute("SELECT delivery_id FROM delivery ORDER BY record_offset")]
            waiting = database.execute("SELECT count(*) FROM receipt_outbox").fetchone()
        assert written == self.model.seen
        assert waiting == (0,)

    def check_receipts(self) -> None:
        """Every delivery is receipted, to the router process that made it; told again, a receipt says the same."""
        receipted: set[str] = set()
        by_content: dict[str, str] = {}
        for partition, key, receipt in self.exchange.receipts():
            assert (receipt.member, receipt.kind) == (self.exchange.member, "delivered")
            assert key == f"{self.exchange.member}/{partition}"
            for entry in receipt.entries:
                assert self.streams[entry.delivery_id] == partition
                content = by_content.setdefault(entry.delivery_id, entry.model_dump_json())
                assert json.loads(content) == json.loads(entry.model_dump_json())
                receipted.add(entry.delivery_id)
        assert receipted == set(self.model.seen)
