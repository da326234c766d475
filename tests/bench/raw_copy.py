"""The yardstick: the same bytes copied to the same topics, exactly once, with nothing but confluent-kafka.

The same client settings, batch size and two producers in turn as the router's session, so that what differs is routing.
A batch of raw copies is over long before the router's limit of time, so only its limit of events is kept here.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from routing.heart import Heart
from routing.settings import RouterSettings, fetching, joining, producing
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings


@dataclass(frozen=True, slots=True)
class CopyTask:
    """What one copying process is given."""

    exchange: Exchange
    settings: RouterSettings
    clients: ClientSettings
    group: str
    source: str
    targets: tuple[str, ...]


def copy(task: CopyTask, cells: MutableSequence[float]) -> None:
    """Copy until told to stop. The entry of a process."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    parent = os.getppid()
    heart = Heart(cells)
    producers = [_producer(task, turn) for turn in "ab"]
    asked = {**joining(task.settings, task.group), **fetching(task.settings, task.exchange)}
    consumer = Consumer(task.clients.consumer_config(task.group, **asked))
    consumer.subscribe([task.source], on_assign=lambda *_: heart.set_ready(ready=True))
    most = task.exchange.limits.transaction_events
    while not stop.is_set() and os.getppid() == parent:
        if batch := consumer.consume(1, 0.1):
            batch += consumer.consume(most - 1, 0)
            producers.reverse()
            _copy_batch(batch, task.targets, producers[0], consumer)
    consumer.close()


def _producer(task: CopyTask, turn: str) -> Producer:
    settings = {**producing(task.settings), "transactional.id": f"{task.group}.{turn}"}
    producer = Producer(task.clients.producer_config(task.exchange.limits, **settings))
    producer.init_transactions(30)
    return producer


def _copy_batch(batch: Sequence[Any], targets: Sequence[str], producer: Producer, consumer: Consumer) -> None:
    producer.begin_transaction()
    ends: dict[int, TopicPartition] = {}
    for message in batch:
        if message.error() is not None:
            raise RuntimeError(f"the copy could not fetch: {message.error()}")
        key, value = message.key(), message.value()
        for topic in targets:
            _produce(producer, topic, value, key)
        ends[message.partition()] = TopicPartition(message.topic(), message.partition(), message.offset() + 1)
    producer.send_offsets_to_transaction(list(ends.values()), consumer.consumer_group_metadata())
    producer.commit_transaction()


def _produce(producer: Producer, topic: str, value: bytes, key: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, key)
        except BufferError:
            producer.poll(0.05)
        else:
            return
