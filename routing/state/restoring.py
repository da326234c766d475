"""Bringing stores up to date from the changelog, before anything of their partitions is routed.

The end that is read to is the high watermark as *uncommitted* readers see it, asked for once the committed offsets of
the inputs are settled: read committed to its own end, a transaction that its writer left open would hide what was
committed behind it (KAFKA-10167).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from routing.state.store import Position, Store
from schemas.errors import Fatal, Unavailable
from schemas.kafka import ClientSettings
from schemas.ops.logs import get_logger

log = get_logger()

COPY_GOOD_FOR_MS: Final = 24 * 60 * 60 * 1000
"""A copy that is older may lack deletions that the changelog no longer shows: it is thrown away."""
_AT_ONCE: Final = 2_000
_ANSWER_S: Final = 5.0
_ASK_EVERY_S: Final = 10.0


class Changelog:
    """The changelog of one exchange, as one worker reads it. Not for threads."""

    def __init__(self, clients: ClientSettings, topic: str) -> None:
        self._topic = topic
        self._admin = AdminClient(clients.config(log_level=0))
        self._consumer = Consumer(
            clients.consumer_config(
                f"{topic}.reader",
                **{
                    "enable.partition.eof": True,
                    # It joins no group: what an operator sets for those that do must not stand in its way.
                    "max.poll.interval.ms": 300_000,
                    "fetch.wait.max.ms": 10,
                    "queued.max.messages.kbytes": 16_384,
                    # Looked at again so soon once that is full: with the usual second a restore would mostly wait.
                    "fetch.queue.backoff.ms": 5,
                    "fetch.max.bytes": 8 * 1024 * 1024,
                    "log_level": 0,
                },
            )
        )
        self._topic_id = ""
        self._stores: Mapping[int, Store] = {}
        self._ends: dict[int, int] = {}
        self._asked: dict[int, Future[Any]] = {}
        self._next_ask = 0.0
        self._began = 0.0
        self._records = 0

    @property
    def is_read(self) -> bool:
        """Whether every store is up to date."""
        return not self._ends

    def begin(self, stores: Mapping[int, Store]) -> None:
        """Begin to bring stores up to date, each from its position. The inputs' committed offsets are settled.

        Raises:
            Unavailable: the topic is not there, or the broker does not answer.
        """
        self._asked = {}
        self._ends = {}
        self._began, self._records = time.monotonic(), 0
        topic_id = self._identify()
        ends = self._end_offsets(stores)
        places = []
        for partition, store in stores.items():
            start = self._start(store, topic_id, ends[partition])
            if start < ends[partition]:
                self._ends[partition] = ends[partition]
                places.append(TopicPartition(self._topic, partition, start or OFFSET_BEGINNING))
            else:
                store.write({}, Position(topic_id, ends[partition], _now_ms()))
        self._topic_id, self._stores = topic_id, stores
        self._consumer.assign(places)

    def read(self, timeout_s: float) -> None:
        """Read some of what is left, and write it to the stores.

        Raises:
            Fatal: a store cannot be written.
        """
        changes: dict[int, dict[bytes, bytes | None]] = {}
        ended: list[Message] = []
        for message in self._consumer.consume(_AT_ONCE, timeout_s):
            partition, key = message.partition(), message.key()
            if message.error() is not None or partition is None or key is None:
                ended.append(message)
            else:
                changes.setdefault(partition, {})[key] = message.value()
                self._records += 1
        for partition, changed in changes.items():
            self._stores[partition].write(changed)
        for message in ended:
            self._note_end(message)

    def positions(self) -> Mapping[int, Position]:
        """How far the stores stand for the changelog after the commit that has just succeeded, as far as is known.

        Asked for now and then, in the background. What stood in the changelog at the time of the answer is of
        transactions that have ended since, and the commit shows that nobody else has written to these partitions.
        """
        found: dict[int, Position] = {}
        for partition, answer in self._asked.items():
            if answer.done() and answer.exception() is None:
                found[partition] = Position(self._topic_id, answer.result().offset, _now_ms())
        self._asked = {partition: answer for partition, answer in self._asked.items() if not answer.done()}
        if not self._asked and time.monotonic() >= self._next_ask:
            self._next_ask = time.monotonic() + _ASK_EVERY_S
            self._asked = self._ask(self._stores)
        return found

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def _start(self, store: Store, topic_id: str, end: int) -> int:
        """From where to read on for a store; one that cannot be brought up to date is emptied."""
        position = store.position()
        if position is None:
            return 0
        is_young = 0 <= _now_ms() - position.at_ms < COPY_GOOD_FOR_MS
        if position.topic_id == topic_id and position.offset <= end and is_young:
            return position.offset
        store.clear()
        return 0

    def _identify(self) -> str:
        """The topic's id, by which it is told from one that was deleted and made again."""
        try:
            (answer,) = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_ANSWER_S).values()
            return str(answer.result(_ANSWER_S + 1).topic_id)
        except (KafkaException, TimeoutError) as error:
            missing = isinstance(error, KafkaException) and _is_missing(error.args[0])
            why = "is not there: huecry provision apply makes it" if missing else "cannot be seen: does Kafka answer?"
            raise Unavailable(f"the topic {self._topic} {why}") from None

    def _end_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        try:
            return {number: answer.result(_ANSWER_S + 1).offset for number, answer in self._ask(partitions).items()}
        except (KafkaException, TimeoutError):
            raise Unavailable(f"the end of the topic {self._topic} cannot be seen: does Kafka answer?") from None

    def _ask(self, partitions: Iterable[int]) -> dict[int, Future[Any]]:
        """The high watermark of each partition, transactions that are open included."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(self._topic, partition): latest for partition in partitions}
        if not asked:
            return {}
        level = IsolationLevel.READ_UNCOMMITTED
        answers = self._admin.list_offsets(asked, isolation_level=level, request_timeout=_ANSWER_S)
        return {place.partition: answer for place, answer in answers.items()}

    def _note_end(self, message: Message) -> None:
        """A partition has been read as far as committed readers may: enough, once that is past the end asked for.

        Raises:
            Fatal: it cannot be read at all.
        """
        error, partition = message.error(), message.partition()
        if error is None or error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's own code
            name = error.name() if error is not None else ""
            if error is not None and error.fatal():
                raise Fatal(f"the topic {self._topic} cannot be read: {name}")
            log.warning("fetch error", topic=self._topic, kafka_error=name)
            return
        end, offset = self._ends.get(partition or 0), message.offset() or 0
        if partition is None or end is None or offset < end:
            return
        self._stores[partition].write({}, Position(self._topic_id, offset, _now_ms()))
        del self._ends[partition]
        if not self._ends:
            self._consumer.unassign()
            took_s = round(time.monotonic() - self._began, 3)
            log.info("what routing remembers is up to date", records=self._records, seconds=took_s)


def _is_missing(error: KafkaError) -> bool:
    return error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)  # noqa: SLF001


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
