"""The other side of Kafka, for tests: an exchange with one recipient, its topics, a router's producer, its receipts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.codec import decode
from schemas.records import Receipt
from tests.consumers.making import MOST_BYTES, ORIGIN

ROUTER_PARTITIONS = 4


class Exchange:
    """An exchange of one test's own on the shared broker."""

    def __init__(self, bootstrap: str, name: str, folder: Path, *, with_partner_topic: bool = True) -> None:
        self.bootstrap = bootstrap
        self.member = name
        self.origin = f"{ORIGIN}-{name[-8:]}"
        self.file = folder / "exchange.yaml"
        self.file.write_text(
            f"exchange: {name}\npartitions: {ROUTER_PARTITIONS}\nmembers:\n"
            f"  {self.origin}: {{name: Origin, publishes: true}}\n"
            f"  {self.member}: {{name: Recipient, receives: true}}\n"
        )
        # A killed instance's partitions move at once, so that tests are short.
        self.properties = folder / "client.properties"
        self.properties.write_text("session.timeout.ms=1500\nheartbeat.interval.ms=300\n")
        self._make(f"disclosures.{self.origin}", 1)
        self._make(f"feedback.{self.origin}", 1)
        self.make_receipts_topic()
        if with_partner_topic:
            self.make_partner_topic()

    def make_partner_topic(self) -> None:
        """Make the topic this recipient reads."""
        self._make(f"partner.{self.member}", 1)

    def make_receipts_topic(self) -> None:
        """Make the topic for this recipient's receipts."""
        self._make(f"receipts.{self.member}", ROUTER_PARTITIONS)

    def _make(self, topic: str, partitions: int) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(10)

    def router(self) -> Producer:
        """A transactional producer, ready."""
        producer = Producer(
            {"bootstrap.servers": self.bootstrap, "transactional.id": f"{self.member}.route", "linger.ms": 0}
        )
        producer.init_transactions(10)
        return producer

    def command(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a `huecry` command as a process of its own."""
        run = "from deploy.cli import main; main()"
        options = ["--exchange", str(self.file), "--bootstrap", self.bootstrap]
        options += ["--client-properties", str(self.properties), *arguments]
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", run, name, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )

    def receipts(self) -> list[tuple[int, str, Receipt]]:
        """Every receipt in Kafka: partition, key, record."""
        settings = {"bootstrap.servers": self.bootstrap, "group.id": "none", "enable.auto.commit": False}
        consumer = Consumer(settings)
        found = []
        try:
            topic = f"receipts.{self.member}"
            for partition in range(ROUTER_PARTITIONS):
                at, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                consumer.assign([TopicPartition(topic, partition, at)])
                while at < end:
                    if (message := consumer.poll(1)) is not None:
                        assert message.error() is None
                        at = message.offset() + 1
                        receipt = Receipt.from_avro(decode("Receipt", message.value(), MOST_BYTES))
                        found.append((partition, message.key().decode(), receipt))
        finally:
            consumer.close()
        return found


def wait_until(true: Callable[[], bool], what: str, timeout_s: float = 120) -> None:
    """Poll a condition, and fail with what was waited for."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.02)
