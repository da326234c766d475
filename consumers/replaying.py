"""A replay: a member's partner topic is read again from a time, and what is missing here is written in its place.

It needs no place in the consumer group, so that it may run beside the consumer: each batch is a transaction of the same
database. What is here already changes nothing, by its delivery_id; what was set aside and can be taken now is taken;
and nothing older goes over anything newer (`consumers.fold_late`). The position stays where it is. A replay that is
killed may be started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.delivery import Record, delivery_opener, open_batch
from consumers.settings import ConsumerSettings
from consumers.sinks.sql import SqlSink
from consumers.streams.noting import missing_deliveries
from consumers.streams.telling import tell_faults
from consumers.subscriber import record_of
from schemas.errors import Rejected, Unavailable
from schemas.ops import metrics
from schemas.topics import partner_topic

_MOST_RECORDS: Final = 500
_CALL_S: Final = 10.0
_POLL_S: Final = 1.0
_SILENT_S: Final = 60.0


@dataclass(slots=True)
class Replayed:
    """What a replay found."""

    read: int = 0
    written: int = 0
    """Deliveries that were missing."""
    here: int = 0
    """Records that were here already."""
    set_aside: int = 0
    still_missing: int = 0
    """Deliveries that the streams' numbers say are missing, after it."""


def replay(
    settings: ConsumerSettings, since: datetime | None, stop: Event, shown: Callable[[Replayed], None] = lambda _: None
) -> Replayed:
    """Read the member's deliveries again, up to the end that the topic has when this begins.

    Args:
        settings: whose, and into which database.
        since: from which time of their arrival in Kafka; None: from the first that Kafka still has.
        stop: set: end after the batch in hand.
        shown: given what was found so far, after each batch.

    Raises:
        Rejected: the member does not receive, or the database is not this member's.
        Unavailable: Kafka or the database is away; what was written stays.
    """
    settings.must("receives")
    member, replayed = settings.member, Replayed()
    with closing(SqlSink(settings.into, member, within=settings.exchange.answers)) as sink:
        opener = delivery_opener(settings.most_bytes, settings.lookup)
        for records in _records(settings, since):
            written = sink.fill(open_batch(records, opener))
            replayed.read += len(records)
            replayed.written += len(written.written)
            replayed.here += written.repeated
            replayed.set_aside += len(written.set_aside)
            tell_faults(member, written.faults)
            shown(replayed)
            if stop.is_set():
                break
        replayed.still_missing = missing_deliveries(sink.database)
        metrics.set_gauge("missing_deliveries", replayed.still_missing, recipient=member)
    return replayed


def _records(settings: ConsumerSettings, since: datetime | None) -> Iterator[Sequence[Record]]:
    """The committed records of the partner topic, in batches, up to its present end."""
    config = settings.clients.consumer_config(f"{settings.group('consume')}.replay")
    with closing(Consumer({"log_level": 2, **config, "enable.partition.eof": True})) as consumer:
        try:
            ends = _assign(consumer, partner_topic(settings.member), since)
        except KafkaException as error:
            name = error.args[0].name()
            raise Unavailable(f"replay: Kafka does not tell what it holds of {settings.member} ({name})") from None
        last_at = time.monotonic()
        while ends:
            messages = consumer.consume(_MOST_RECORDS, _POLL_S)
            records = [record_of(message) for message in messages if message.error() is None]
            if messages:
                last_at = time.monotonic()
            if records:
                yield records
            ends -= _ended(messages)
            if time.monotonic() - last_at > _SILENT_S:
                raise Unavailable("replay: Kafka has answered nothing for a minute")


def _ended(messages: Sequence[Message]) -> set[int]:
    """The partitions that are read to their end; other errors pass by themselves, or nothing more comes."""
    errors = [(message.partition(), message.error()) for message in messages]
    return {
        number
        for number, error in errors
        if number is not None and error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001  its name
    }


def _assign(consumer: Consumer, topic: str, since: datetime | None) -> set[int]:
    """Begin at the time asked for; the partitions that hold anything since."""
    found = consumer.list_topics(topic, timeout=_CALL_S).topics[topic]
    if found.error is not None:
        raise Rejected(
            "no-topic", f"expected topic {topic}, and Kafka has none", remedy="make it with huecry provision apply"
        )
    starts = []
    for number in found.partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_CALL_S)
        at = _offset_at(consumer, topic, number, since, high) if since is not None else low
        if at < high:
            starts.append(TopicPartition(topic, number, at))
    consumer.assign(starts)
    return {start.partition for start in starts}


def _offset_at(consumer: Consumer, topic: str, number: int, since: datetime, end: int) -> int:
    asked = TopicPartition(topic, number, int(since.timestamp() * 1000))
    (found,) = consumer.offsets_for_times([asked], timeout=_CALL_S)
    return int(found.offset) if found.offset >= 0 else end
