"""Rulings on their way: onto the force's topic for good, and what the router says of each.

A ruling lies on the partition of its incident, so that the router of that incident reads it. Nothing is called ruled
before the broker has it on all copies; whether it counts comes back as feedback that names the ruling.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from schemas.casework import Ruling
from schemas.codec import decode, encode
from schemas.codes import enum_code
from schemas.errors import Rejected, Unavailable
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.partitioner import partition_of
from schemas.topics import OUTPUT_EXTRA_BYTES, feedback_topic, rulings_topic

NOT_TAKEN: Final = "ruling-not-taken"
_SEND_S: Final = 15.0
_CALL_S: Final = 10.0
_POLL_S: Final = 0.2
_AGAIN_S: Final = 0.1
_IN_FLIGHT_MOST: Final = 1000
_TOLD_TO_THE_END: Final = {"enable.partition.eof": True, "fetch.wait.max.ms": 50, "log_level": 0}
_QUIET: Final = {"message.timeout.ms": int(_SEND_S * 1000), "log_level": 0}

Said = dict[str, Any]
"""A `Feedback`, decoded; its kind as a code."""


@dataclass(slots=True)
class Outcome:
    """What the router said of one ruling, as far as it was waited for."""

    ruling: Ruling
    said: list[Said] = field(default_factory=list)
    """Nothing: it has not said anything yet, and the ruling will be judged all the same."""

    @property
    def counts(self) -> bool | None:
        """Whether it counts; None: not known yet."""
        return None if not self.said else all(each["kind"] != NOT_TAKEN for each in self.said)


@dataclass(frozen=True, slots=True)
class RulingDesk:
    """The topics by which the desk of one force rules, and hears what became of it."""

    exchange: Exchange
    force: str
    clients: ClientSettings

    def rule(self, rulings: Sequence[Ruling], wait_s: float) -> list[Outcome]:
        """Send rulings, and wait so long for what the router says of all of them.

        Raises:
            Rejected: there is no such topic, or this client may not write or read there.
            Unavailable: Kafka did not take them; none was ruled, or it is not known whether it was.
        """
        consumer = Consumer(self.clients.consumer_config(f"huecry-desk-{uuid.uuid4()}", **_TOLD_TO_THE_END))
        try:
            # From where the topic ends before anything is sent: what is said of a ruling stands behind that.
            consumer.assign(at_its_end(consumer, feedback_topic(self.force), self.clients.bootstrap))
            self._send(rulings)
            return self._heard(consumer, rulings, wait_s)
        finally:
            consumer.close()

    def _send(self, rulings: Iterable[Ruling]) -> None:
        producer = Producer(self.clients.producer_config(self.exchange.limits, **_QUIET))
        refused: list[KafkaError] = []

        def on_delivery(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                refused.append(error)

        topic = rulings_topic(self.force)
        try:
            for ruling in rulings:
                key = ruling.incident_id.encode()
                value, partition = encode("Ruling", ruling.to_avro()), partition_of(key, self.exchange.partitions)
                producer.produce(topic, value, key, partition, on_delivery=on_delivery)
                if len(producer) >= _IN_FLIGHT_MOST:
                    producer.flush(_SEND_S)
        except KafkaException as error:
            refused.append(error.args[0])
        left = producer.flush(_SEND_S + 5)
        if refused or left:
            raise _not_taken(refused[0] if refused else None, topic, self.clients.bootstrap)

    def _heard(self, consumer: Consumer, rulings: Sequence[Ruling], wait_s: float) -> list[Outcome]:
        outcomes = {ruling.ruling_id: Outcome(ruling) for ruling in rulings}
        most = self.exchange.limits.max_event_bytes + OUTPUT_EXTRA_BYTES
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            message = consumer.poll(_POLL_S)
            if message is None:
                continue
            if (error := message.error()) is None:
                _note(outcomes, decode("Feedback", message.value(), most))
            # What a router says of one ruling becomes readable at one moment: at the end, all of it has been read.
            elif error.name() == "_PARTITION_EOF" and all(outcome.said for outcome in outcomes.values()):
                break
        return list(outcomes.values())


def _note(outcomes: Mapping[str, Outcome], said: Said) -> None:
    if outcome := outcomes.get(said["ruling_id"] or ""):
        outcome.said.append({**said, "kind": enum_code(said["kind"])})


def at_its_end(consumer: Consumer, topic: str, bootstrap: str) -> list[TopicPartition]:
    """Every partition of a topic, where it ends now. A partition whose leader is just changing is asked again.

    Raises:
        Rejected: there is no such topic, or it may not be read.
        Unavailable: Kafka does not answer in time.
    """
    deadline = time.monotonic() + _CALL_S
    while True:
        try:
            return _ends(consumer, topic, bootstrap)
        except KafkaException as error:
            code = error.args[0]
            if code.code() not in _PASSING or time.monotonic() > deadline:
                raise Unavailable(
                    f"no Kafka answers at {bootstrap} within {_CALL_S:.0f} s ({code.name()}): nothing was ruled; does "
                    "it run, and is --bootstrap (or HUECRY_BOOTSTRAP) right?"
                ) from None
        time.sleep(_AGAIN_S)


def _ends(consumer: Consumer, topic: str, bootstrap: str) -> list[TopicPartition]:
    found = consumer.list_topics(topic, timeout=_CALL_S).topics[topic]
    if found.error is not None:
        if found.error.code() in _PASSING:
            raise KafkaException(found.error)
        raise Rejected(
            "no-topic",
            f"there is no topic {topic} at {bootstrap}, or it may not be read: huecry provision apply makes it",
        )
    places = [TopicPartition(topic, partition) for partition in found.partitions]
    for place in places:
        _, place.offset = consumer.get_watermark_offsets(place, timeout=_CALL_S)
    return places


_PASSING: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})
"""A partition that was just made, or moves: it has a leader again in a moment."""


def _not_taken(error: KafkaError | None, topic: str, bootstrap: str) -> Rejected | Unavailable:
    if error is not None and error.code() in _REFUSALS:
        return Rejected(
            "refused",
            f"Kafka refuses the ruling on {topic}: {error.name()}",
            remedy="see that the topic is there (huecry provision apply) and that this client may write to it",
        )
    told = f" ({error.name()})" if error is not None else ""
    return Unavailable(
        f"no Kafka at {bootstrap} took the ruling in time{told}, and it is not known whether it will: look with huecry "
        "cases show what stands, then rule again"
    )


_REFUSALS: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001  librdkafka's own codes
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.MSG_SIZE_TOO_LARGE,
    }
)
