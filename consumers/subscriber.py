"""Reads topics from where a sink's database says, and hands on what is committed.

A consumer group gives each partition to one of several instances; where to read on is the database's word alone. The
group's own offsets follow lazily, for operators' tools to show.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.delivery import Positions, Record
from consumers.sinks import Gap
from schemas.errors import Fatal
from schemas.kafka import leave
from schemas.ops.contact import Contact
from schemas.ops.health import Health
from schemas.ops.logs import get_logger

GROUP_SETTINGS: Final[Mapping[str, Any]] = {
    # Where to read is never guessed: a position that Kafka no longer has comes back to us as an error.
    "auto.offset.reset": "error",
    "enable.auto.commit": True,
    "enable.auto.offset.store": False,
    "auto.commit.interval.ms": 5000,
    "partition.assignment.strategy": "range",
    "isolation.level": "read_committed",
}
"""What a subscriber asks of its client, over the settings of any consumer."""

# How long the partitions of a killed instance wait for the next one. A cluster's usual least is 6 s; a file of client
# properties may say otherwise.
UNLESS_SAID: Final[Mapping[str, int]] = {
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 1500,
    # A topic that is made while we wait for it is seen in seconds, not after five minutes.
    "topic.metadata.refresh.interval.ms": 5000,
    # librdkafka's own lines on stderr are none of our logs': what matters in them comes to us as errors.
    "log_level": 2,
}
"""What a subscriber asks of its client unless a file of client properties says otherwise."""

_CALL_S: Final = 10.0
_PROBE_S: Final = 1.0
_PROBE_EVERY_S: Final = 5.0
_PROBE_AGAIN_S: Final = 1.0
_COMPONENT: Final = "kafka"
_UNPLACED: Final = "waiting for Kafka to give out partitions"
_log = get_logger()


class Subscriber:
    """The committed records of some topics, in order within a partition. Use it from one thread."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        topics: Sequence[str],
        positions: Callable[[], Positions],
        note_gap: Callable[[Gap], None],
        health: Health,
    ) -> None:
        """Join the group.

        Args:
            settings: of the client, with bootstrap.servers and group.id; `GROUP_SETTINGS` go over them.
            topics: what to read.
            positions: where to read on, asked at every assignment.
            note_gap: called with what was lost to retention.
            health: can ask whether Kafka can be read.
        """
        self._positions = positions
        self._note_gap = note_gap
        self._to_place: list[TopicPartition] | None = None
        self._is_given = False
        self._could_not_place = False
        self._trouble = _UNPLACED
        self._probe_at = 0.0
        self._topics = list(topics)
        self._brokers = str(settings.get("bootstrap.servers", ""))
        self._unreachable = f"no broker of Kafka can be reached at {self._brokers}"
        self.contact = Contact(self._brokers)
        """Whether Kafka answers this subscriber."""
        self.placed = False
        """Whether Kafka has said which partitions are ours, and each is read from its position."""
        health.ready(_COMPONENT)
        health.watch(_COMPONENT, lambda: self.contact.trouble() or self._trouble)
        self._consumer = Consumer({**UNLESS_SAID, **settings, **GROUP_SETTINGS, "error_cb": self._client_error})
        self._consumer.subscribe(self._topics, on_assign=self._assigned, on_revoke=self._revoked)

    def poll(self, timeout_s: float, most: int) -> list[Record]:
        """What there is, at most so many records; an empty list if nothing came within the time.

        Raises:
            Unavailable: the sink's database cannot be asked where to read on.
            Fatal: the client cannot go on, or the topic is not the one that was read before.
        """
        is_to_place_now = self._to_place is not None and not self._could_not_place
        first = self._consumer.poll(0 if is_to_place_now else timeout_s)
        if self._to_place is not None:
            # The records before were of another assignment: they come again from where the database says.
            self._place(self._to_place)
            return []
        if first is None or self._trouble:
            self._probe()
        if first is None:
            return []
        records = []
        for message in (first, *self._consumer.consume(most - 1, 0)):
            if (error := message.error()) is not None:
                self._message_error(error)
            else:
                records.append(record_of(message))
        if records:
            self._answered()
        # A rebalance may have come in the middle of it.
        return [] if self._to_place is not None else records

    def wait(self, seconds: float) -> None:
        """Stay in the group for this long without reading: a sink is away."""
        assigned = self._consumer.assignment()
        self._consumer.pause(assigned)
        message = self._consumer.poll(seconds)
        if self._to_place is not None:
            return
        self._consumer.resume(assigned)
        if message is None:
            return
        if (error := message.error()) is not None:
            self._message_error(error)
        else:
            # It was on its way when we paused; read it again in its order.
            record = record_of(message)
            self._consumer.seek(TopicPartition(record.topic, record.partition, record.offset))

    def durable(self, positions: Positions) -> None:
        """What was read up to these positions is safe; the group's offsets will follow."""
        try:
            self._consumer.store_offsets(offsets=[TopicPartition(*place, at) for place, at in positions.items()])
        except KafkaException:
            # Another instance has the partition now. The database's position counts, and that one reads it.
            return

    def close(self) -> None:
        """Leave the group; commits the group's offsets."""
        leave(self._consumer)
        del self._consumer

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Positions need the network and the sink: not from within a callback. Nothing is read until they are known.
        consumer.assign([])
        self._to_place, self._is_given = partitions, True
        self.placed = False
        self._answered()

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:  # noqa: ARG002  the library's signature
        # In good order, or because Kafka has not heard of us for too long: no sign that it answers.
        self._to_place, self._is_given = [], False
        self.placed = False
        self._trouble = self._trouble or _UNPLACED

    def _place(self, partitions: list[TopicPartition]) -> None:
        stored = self._positions()
        if partitions:
            self.contact.asked()
        try:
            placed = [self._placed(partition, stored) for partition in partitions]
        except KafkaException as error:
            self._could_not_place = True
            self._ill("Kafka does not tell what it holds", error.args[0])
            return
        self._could_not_place = False
        self._consumer.assign(placed)
        self._to_place = None
        self.placed = self._is_given
        if self.placed:
            self._trouble = ""
            self._answered()

    def _placed(self, partition: TopicPartition, stored: Positions) -> TopicPartition:
        topic, number = partition.topic, partition.partition
        position = stored.get((topic, number))
        if position is None:
            return TopicPartition(topic, number, OFFSET_BEGINNING)
        low, high = self._consumer.get_watermark_offsets(partition, timeout=_CALL_S)
        if position > high:
            raise Fatal(
                f"{topic}/{number}: the database has read up to {position}, and the topic ends at {high}: it was made "
                "afresh or has lost records. To read it from the beginning, delete its row of table position; "
                "deliveries that are known are not written twice"
            )
        if position < low:
            self._lost(Gap(topic, number, position, low - 1))
        return TopicPartition(topic, number, max(position, low))

    def _lost(self, gap: Gap) -> None:
        _log.error(
            "records were deleted from Kafka before they were read; table gap has them, ask for a replay",
            topic=gap.topic,
            partition=gap.partition,
            position=gap.first,
            offset=gap.last,
            count=gap.last - gap.first + 1,
        )
        self._note_gap(gap)

    def _message_error(self, error: KafkaError) -> None:
        match error.code():
            case KafkaError._AUTO_OFFSET_RESET | KafkaError.OFFSET_OUT_OF_RANGE:  # noqa: SLF001  how the library names it
                self._to_place = self._consumer.assignment()
            case KafkaError.UNKNOWN_TOPIC_OR_PART:
                self._ill("a topic does not exist: make it with huecry provision apply", error)
            case KafkaError.TOPIC_AUTHORIZATION_FAILED | KafkaError.GROUP_AUTHORIZATION_FAILED:
                self._ill("Kafka does not let this client read: see its principal and access rules", error)
            case _ if error.fatal():
                raise Fatal(f"the Kafka client cannot go on: {error.name()}; start this process again")
            case _:
                self._ill("Kafka cannot be read", error)

    def _client_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  how the library names it
            self._ill(self._unreachable, error)
        elif error.fatal():
            self._ill("the Kafka client cannot go on", error)

    def _ill(self, reason: str, error: KafkaError) -> None:
        if reason != self._trouble:
            _log.warning(
                "the subscriber waits for Kafka", kafka_error=error.name(), topics=self._topics, broker=self._brokers
            )
        self._trouble = reason

    def _answered(self) -> None:
        self.contact.answered()
        if not self._trouble:
            self._probe_at = time.monotonic() + _PROBE_EVERY_S

    def _probe(self) -> None:
        """Ask whether Kafka is there, and all is well again after trouble: a quiet topic does not tell.

        Without partitions too: Kafka may have taken them back because it cannot be reached.
        """
        if time.monotonic() < self._probe_at:
            return
        self.contact.asked()
        try:
            found = [self._consumer.list_topics(topic, timeout=_PROBE_S).topics[topic] for topic in self._topics]
        except KafkaException as error:
            self._probe_at = time.monotonic() + _PROBE_AGAIN_S
            if self.contact.silence_s():
                self._ill(self._unreachable, error.args[0])
            return
        self._probe_at = time.monotonic() + _PROBE_EVERY_S
        self.contact.answered()
        if self.placed and all(topic.error is None for topic in found):
            self._trouble = ""
        elif self._trouble == self._unreachable:
            self._trouble = _UNPLACED


def record_of(message: Message) -> Record:
    """A message without an error as a record."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None  # noqa: S101  a message without an error has a place
    assert partition is not None  # noqa: S101
    assert offset is not None  # noqa: S101
    return Record(topic, partition, offset, message.timestamp()[1], message.value())
