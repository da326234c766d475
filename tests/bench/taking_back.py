"""From a ruling that retracts an incident to the notice on the topic of its last holder, while events go on."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import Consumer, Message, Producer

from schemas.casework import Ruling
from schemas.codec import decode, encode
from schemas.kafka import ClientSettings
from schemas.topics import incidents_topic, member_of, partner_topic, rulings_topic
from tests.bench.latency import EVENTS_PER_S, Event, end_of
from tests.bench.rules import ORIGIN
from tests.bench.wider import MANAGER, PERSON

_LATE_S: Final = 60.0
_SILENT_S: Final = 1.0
_SETTLED_S: Final = 1.0
"""An incident is retracted so long after it was last delivered: its holders are known, and no event is on its way."""
_MOST_BYTES: Final = 512 * 1024


@dataclass
class Drive:
    """One run at a steady rate, in one thread: tells events, retracts some incidents, reads what comes."""

    clients: ClientSettings
    members: tuple[str, ...]
    retractions_per_s: float
    warm_up_s: float
    took_ms: list[float] = field(default_factory=list)
    """Of each retraction that was asked for after the warm-up: until its last holder's notice could be read."""
    deliveries: int = 0
    behind_s: float = 0.0
    """From the last event that was told to the last delivery that came."""
    _holders: dict[bytes, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """Of each incident, who was delivered something of it, and when that last was."""
    _waiting: dict[bytes, tuple[float, set[str]]] = field(default_factory=dict)
    """Of each incident that is being retracted, since when, and who has yet to be told."""
    _retracted: set[bytes] = field(default_factory=set)
    _next: deque[bytes] = field(default_factory=deque)
    """Incidents in the order in which they were first delivered."""

    def run(self, events: Sequence[Event]) -> None:
        """Tell all events at the given rate, and wait for all that comes of them.

        Raises:
            RuntimeError: a notice did not come, or deliveries did not come to an end.
        """
        producer = Producer({**self.clients.producer_config(), "linger.ms": 0})
        reader = Consumer(self.clients.consumer_config("bench.holders", **{"fetch.wait.max.ms": 100}))
        reader.assign(end_of(reader, tuple(partner_topic(member) for member in self.members)))
        reader.consume(1, 1.0)
        try:
            self._tell(producer, reader, events)
            self._wait(reader)
        finally:
            producer.flush(10)
            reader.close()

    def _tell(self, producer: Producer, reader: Consumer, events: Sequence[Event]) -> None:
        start = time.monotonic()
        told = retracted = 0
        while told < len(events):
            passed_s = time.monotonic() - start
            for key, value in events[told : int(passed_s * EVENTS_PER_S)]:
                producer.produce(incidents_topic(ORIGIN), value, key)
                told += 1
            if passed_s > self.warm_up_s and retracted < (passed_s - self.warm_up_s) * self.retractions_per_s:
                retracted += self._retract(producer)
            producer.poll(0)
            self._see(reader.consume(500, 0.001))

    def _wait(self, reader: Consumer) -> None:
        """Until every notice has come, and nothing has for a while."""
        told_at = last_at = time.monotonic()
        while self._waiting or time.monotonic() - last_at < _SILENT_S:
            if time.monotonic() - told_at > _LATE_S:
                raise RuntimeError(
                    f"after {_LATE_S:.0f} s deliveries still came, and {len(self._waiting)} retractions lacked a notice"
                )
            if messages := reader.consume(500, 0.01):
                self._see(messages)
                last_at = time.monotonic()
        self.behind_s = last_at - told_at

    def _retract(self, producer: Producer) -> int:
        """Ask for one back; 0: there is none yet whose holders are known for sure."""
        now = time.monotonic()
        if not self._next or now - max(self._holders[self._next[0]].values()) < _SETTLED_S:
            self._next.rotate(-1)
            return 0
        key = self._next.popleft()
        ruling = Ruling(
            ruling_id=f"bench-{key.decode()}",
            member=ORIGIN,
            incident_id=key.decode(),
            kind="retract",
            person=PERSON,
            role=MANAGER,
            made_at=datetime.now(UTC),
            reason="wrong-recipient",
            ask="erase",
        )
        self._retracted.add(key)
        self._waiting[key] = now, set(self._holders[key])
        producer.produce(rulings_topic(ORIGIN), encode("Ruling", ruling.to_avro()), key)
        return 1

    def _see(self, messages: list[Message]) -> None:
        now = time.monotonic()
        for message in messages:
            if message.error() is not None:
                raise RuntimeError(f"a holder's topic could not be read: {message.error()}")
            key, member = message.key() or b"", member_of(message.topic() or "") or ""
            self.deliveries += 1
            if key in self._retracted:
                self._note(key, member, message.value() or b"", now)
            else:
                if key not in self._holders:
                    self._next.append(key)
                self._holders[key][member] = now

    def _note(self, key: bytes, member: str, value: bytes, now: float) -> None:
        if decode("Delivery", value, _MOST_BYTES)["disclosure"]["action"] != "RETRACT":
            return
        if key not in self._waiting:
            return  # an event that was on its way had made one holder more
        since, left = self._waiting[key]
        left.discard(member)
        if not left:
            del self._waiting[key]
            self.took_ms.append((now - since) * 1000)
