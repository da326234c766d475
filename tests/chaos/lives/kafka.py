"""A run on a real broker: the wire to its topics, and what they hold in the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from deploy.topic_reader import records_of
from routing.agreements import Bundle
from routing.state.agenda import FIRST_APPOINTMENT
from routing.state.encoding import decode_appointment
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.topics import family_of, input_topics, state_topic, topic_specs
from tests.chaos.lives.seen import IncidentKey, Put, Seen, Value
from tests.routing.clocks import Fast
from tests.routing.scene import stock

_HEARD: Final = ("partner", "cases", "feedback")
_READ: Final = (*_HEARD, "disclosures", "quarantine")
_PUT: Final = ("incidents", "rulings", "receipts")
_AT_ONCE: Final = 500
_REST_S: Final = 0.05
_FLUSH_S: Final = 60.0


class KafkaWire:
    """Members and desks of one exchange, as clients of the broker."""

    def __init__(
        self,
        clients: ClientSettings,
        exchange: Exchange,
        clock: Fast,
        longest_s: float,
        is_well: Callable[[], bool],
    ) -> None:
        """Connect.

        Args:
            clients: to the broker.
            exchange: whose topics.
            clock: the run's.
            longest_s: by that clock, the longest that something can take to happen of itself.
            is_well: whether the routers run, and nobody will disturb them any more.
        """
        self._clock, self._longest_s, self._is_well = clock, longest_s, is_well
        self._producer = Producer({**clients.producer_config(exchange.limits), "linger.ms": 2})
        self._reader = Consumer(clients.consumer_config(f"{exchange.exchange}.eyes"))
        heard = [spec.name for spec in topic_specs(exchange) if spec.family in _HEARD]
        self._reader.assign([TopicPartition(topic, 0, 0) for topic in heard])
        self._group = Consumer(clients.consumer_config(f"{exchange.exchange}.route"))
        self._ends: dict[tuple[str, int], int] = {}
        self._waiting: list[Message] = []
        self._quiet_since = clock.now()

    def now(self) -> datetime:
        return self._clock.now()

    def send(self, topic: str, key: str, value: bytes, partition: int) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key.encode(), partition, on_delivery=self._note)
            except BufferError:
                self._producer.poll(_REST_S)
            else:
                self._producer.poll(0)
                return

    def heard(self) -> Iterator[tuple[str, Value]]:
        waiting, self._waiting = [*self._waiting, *self._reader.consume(_AT_ONCE, 0)], []
        for message in waiting:
            assert message.error() is None, message.error()
            self._quiet_since = self.now()
            yield message.topic() or "", stock(message.value() or b"")

    def rest_until(self, moment: datetime) -> None:
        """At most a moment, so that what comes meanwhile is heard."""
        left_s = (moment - self.now()).total_seconds() / self._clock.factor
        self._waiting += self._reader.consume(_AT_ONCE, min(max(0.0, left_s), _REST_S))
        self._producer.poll(0)

    def is_settled(self) -> bool:
        assert self._producer.flush(_FLUSH_S) == 0
        if self._waiting or not self._is_well() or self._lag():
            self._quiet_since = self.now()
        return (self.now() - self._quiet_since).total_seconds() > self._longest_s

    def close(self) -> None:
        self._reader.close()
        self._group.close()

    def _note(self, error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        self._ends[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1

    def _lag(self) -> int:
        """How many records that were sent the routers have not yet committed."""
        try:
            committed = self._group.committed([TopicPartition(*place) for place in self._ends], _FLUSH_S)
        except KafkaException:
            return 1  # the coordinator is loading
        return sum(self._ends[at.topic, at.partition] - max(at.offset, 0) for at in committed)


def read(clients: ClientSettings, exchange: Exchange, bundle: Bundle, clock: Fast) -> Seen:
    """Everything that a run left on its topics."""
    ended = clock.now()
    inputs = [
        Put(
            topic, message.partition() or 0, message.offset() or 0, clock.taken_ms(message.timestamp()[1]), _of(message)
        )
        for topic in input_topics(exchange)
        if family_of(topic) in _PUT
        for message in records_of(clients, topic)
    ]
    outputs = {
        spec.name: [_of(message) for message in records_of(clients, spec.name)]
        for spec in topic_specs(exchange)
        if spec.family in _READ
    }
    return Seen(exchange, bundle, inputs, outputs, _due(clients, exchange), ended)


def _of(message: Message) -> dict[str, Any]:
    return stock(message.value() or b"")


def _due(clients: ClientSettings, exchange: Exchange) -> dict[IncidentKey, frozenset[tuple[str, str]]]:
    """What stands in the changelog of what is due."""
    found: dict[IncidentKey, frozenset[tuple[str, str]]] = {}
    for message in records_of(clients, state_topic(exchange.exchange)):
        key = message.key() or b""
        if key.startswith(FIRST_APPOINTMENT):
            origin, _, incident = key.removeprefix(FIRST_APPOINTMENT).decode().partition("/")
            value = message.value()
            appointment = decode_appointment(value) if value else None
            found[origin, incident] = (
                frozenset((each.kind, each.member) for each in appointment.open) if appointment else frozenset()
            )
    return found


def wait_for(condition: Callable[[], object], what: str, patience_s: float) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience_s:.0f} s in vain: {what}"
        time.sleep(0.02)
