"""From ``produce`` to visible for a read-committed reader, at a steady rate; one clock, one process, one thread."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from schemas.kafka import ClientSettings
from tests.bench.contenders import SOURCE, TARGETS

EVENTS_PER_S: Final = 540
_LATE_S: Final = 20

Event = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds over all deliveries of all events."""

    p50: float
    p99: float


def measure_latency(clients: ClientSettings, events: Sequence[Event], warm_up_s: float) -> list[float]:
    """Milliseconds of each delivery of what was produced after the warm-up.

    Raises:
        RuntimeError: not all came.
    """
    producer = Producer({**clients.producer_config(), "linger.ms": 0})
    reader = Consumer(clients.consumer_config("bench.reader", **{"fetch.wait.max.ms": 100}))
    reader.assign(end_of(reader, TARGETS))
    reader.consume(1, 1.0)  # the reader is connected before the first event is on its way
    try:
        return _Stopwatch(producer, reader).run(events, warm_up_s)
    finally:
        producer.flush(10)
        reader.close()


def end_of(consumer: Consumer, topics: tuple[str, ...], partitions: int = 1) -> list[TopicPartition]:
    """The present ends of topics: what comes after is new."""
    places = [TopicPartition(topic, partition) for topic in topics for partition in range(partitions)]
    for place in places:
        place.offset = _end_of_one(consumer, place)
    return places


def _end_of_one(consumer: Consumer, place: TopicPartition) -> int:
    """A topic that was just made may have no leader yet for those who ask."""
    deadline = time.monotonic() + _LATE_S
    while True:
        try:
            _, end = consumer.get_watermark_offsets(place, timeout=10)
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return int(end)


def summary(took_ms: list[float]) -> Latency:
    """The median and the 99th percentile."""
    cuts = quantiles(took_ms, n=100)
    return Latency(p50=cuts[49], p99=cuts[98])


class _Stopwatch:
    """Events of one incident come out in the order in which they went in, so they are told apart by their place."""

    def __init__(self, producer: Producer, reader: Consumer) -> None:
        self._producer = producer
        self._reader = reader
        self._sent: dict[tuple[str, bytes], deque[tuple[float, bool]]] = defaultdict(deque)
        self._missing = 0
        self._took_ms: list[float] = []

    def run(self, events: Sequence[Event], warm_up_s: float) -> list[float]:
        """Send at the given rate, and look for what comes out in between."""
        start = time.monotonic()
        sent = 0
        while sent < len(events):
            due = int((time.monotonic() - start) * EVENTS_PER_S)
            for key, value in events[sent:due]:
                self._send(key, value, counts=sent >= warm_up_s * EVENTS_PER_S)
                sent += 1
            self._see(0.001)
        deadline = time.monotonic() + _LATE_S
        while self._missing:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._missing} deliveries did not come within {_LATE_S} s")
            self._see(0.01)
        return self._took_ms

    def _send(self, key: bytes, value: bytes, *, counts: bool) -> None:
        now = time.monotonic()
        self._producer.produce(SOURCE, value, key)
        self._producer.poll(0)
        for topic in TARGETS:
            self._sent[topic, key].append((now, counts))
        self._missing += len(TARGETS)

    def _see(self, wait_s: float) -> None:
        messages = self._reader.consume(500, wait_s)
        now = time.monotonic()
        for message in messages:
            sent_at, counts = self._sent[str(message.topic()), message.key() or b""].popleft()
            self._missing -= 1
            if counts:
                self._took_ms.append((now - sent_at) * 1000)
