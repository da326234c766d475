"""Read a topic from its first record to where it ended when reading began: for commands that list what is there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from schemas.errors import Rejected, Unavailable
from schemas.kafka import ClientSettings

_TIMEOUT_S = 10.0


def records_of(settings: ClientSettings, topic: str) -> Iterator[Message]:
    """Every committed record that a topic holds now, partition by partition in order. Commits nothing.

    Raises:
        Rejected: there is no such topic, or it may not be read.
        Unavailable: the broker does not answer.
    """
    consumer = Consumer(settings.consumer_config(f"huecry-reader-{uuid.uuid4()}", **{"enable.partition.eof": True}))
    try:
        places = _places(consumer, topic)
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


def _places(consumer: Consumer, topic: str) -> list[TopicPartition]:
    try:
        metadata = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
    except KafkaException as error:
        raise Unavailable(f"the broker does not answer: {error.args[0].name()}; is --bootstrap right?") from None
    if metadata.error is not None or not metadata.partitions:
        raise Rejected(
            "no-topic", f"there is no topic {topic}, or it may not be read (huecry provision apply makes an exchange's)"
        )
    return [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in sorted(metadata.partitions)]
