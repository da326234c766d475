"""Members that confirm what they are sent, in a process of their own: what consumers do, without their databases."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, MutableSequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import Consumer, Message, Producer

from consumers.delivery import Record, delivery_opener, open_batch
from consumers.receipts import receipts_of, router_partition
from routing.heart import Heart
from schemas.kafka import ClientSettings
from schemas.topics import member_of, partner_topic, receipts_topic
from tests.bench.latency import end_of

BATCH_S: Final = 0.1
"""A sink writes a batch in so much time, and says so with one receipt for each of the router's partitions in it."""
_AT_ONCE: Final = 2_000
_MOST_BYTES: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class Confirming:
    """What the process is given."""

    clients: ClientSettings
    members: tuple[str, ...]


def confirm(task: Confirming, cells: MutableSequence[float]) -> None:
    """Read every member's topic from its present end and confirm each delivery, until told to stop."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    parent = os.getppid()
    reader = Consumer(task.clients.consumer_config("bench.members", **{"fetch.wait.max.ms": 100}))
    reader.assign(end_of(reader, tuple(partner_topic(member) for member in task.members)))
    producer = Producer({**task.clients.producer_config(), "linger.ms": 5})
    heart = Heart(cells)
    heart.set_ready(ready=True)
    while not stop.is_set() and os.getppid() == parent:
        began = time.monotonic()
        for member, records in _by_member(reader.consume(_AT_ONCE, BATCH_S)):
            taken = open_batch(records, delivery_opener(_MOST_BYTES)).taken
            for receipt in receipts_of(member, taken, (), datetime.now(UTC)):
                place = router_partition(receipt.stream)
                producer.produce(receipts_topic(member), receipt.value, receipt.stream, place)
        producer.poll(max(0.0, BATCH_S - (time.monotonic() - began)))
    producer.flush(5)
    reader.close()


def _by_member(messages: list[Message]) -> Iterator[tuple[str, list[Record]]]:
    found: dict[str, list[Record]] = {}
    for message in messages:
        if message.error() is not None:
            raise RuntimeError(f"a member could not read its topic: {message.error()}")
        topic = message.topic() or ""
        record = Record(topic, message.partition() or 0, message.offset() or 0, 0, message.value())
        found.setdefault(member_of(topic) or "", []).append(record)
    yield from found.items()
