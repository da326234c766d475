"""Read a topic from its first record to where it ended when reading began: for commands that list what is there."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from schemas.errors import Rejected, Unavailable
from schemas.kafka import ClientSettings

_TIMEOUT_S: Final = 10.0
_UNKNOWN_S: Final = 2.0
"""A topic that was just made may be unknown to a broker for a moment."""
# What librdkafka would write on stderr, many times a second, our error says once. The end of a topic is told by the
# first fetch that finds nothing: it need not wait for more to come.
_QUIET_TO_THE_END: Final = {"enable.partition.eof": True, "fetch.wait.max.ms": 10, "log_level": 0}


def records_of(settings: ClientSettings, topic: str) -> Iterator[Message]:
    """Every committed record that a topic holds now, those of a partition in order. Commits nothing.

    Raises:
        Rejected: there is no such topic, or it may not be read.
        Unavailable: the broker does not answer.
    """
    consumer = Consumer(settings.consumer_config(f"huecry-reader-{uuid.uuid4()}", **_QUIET_TO_THE_END))
    try:
        places = _places(consumer, topic, settings.bootstrap)
        consumer.assign(places)
        unfinished = {place.partition for place in places}
        while unfinished:
            message = consumer.poll(_TIMEOUT_S)
            if message is None:
                raise Unavailable(f"the broker stopped answering while {topic} was read")
            if (error := message.error()) is None:
                yield message
            elif error.name() == "_PARTITION_EOF":
                unfinished.discard(message.partition())
            else:
                raise Unavailable(f"{topic} could not be read: {error.name()}")
    finally:
        consumer.close()


def _places(consumer: Consumer, topic: str, bootstrap: str) -> list[TopicPartition]:
    deadline = time.monotonic() + _UNKNOWN_S
    while not (partitions := _partitions(consumer, topic, bootstrap)):
        if time.monotonic() > deadline:
            raise Rejected(
                "no-topic",
                f"there is no topic {topic} at {bootstrap}, or it may not be read: huecry provision apply makes an "
                "exchange's topics",
            )
        time.sleep(0.1)
    return [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions]


def _partitions(consumer: Consumer, topic: str, bootstrap: str) -> list[int]:
    """The topic's partitions; none if the broker does not know it."""
    try:
        metadata = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
    except KafkaException as error:
        raise Unavailable(
            f"no Kafka answers at {bootstrap} within {_TIMEOUT_S:.0f} s ({error.args[0].name()}): does it run, and is "
            "--bootstrap (or HUECRY_BOOTSTRAP) right?"
        ) from None
    return [] if metadata.error is not None else sorted(metadata.partitions)
