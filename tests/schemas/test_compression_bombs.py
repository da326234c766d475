"""A few bytes that unpack to very many: refused by the broker, or `oversize` and never decoded, in bounded memory.

Kafka limits a batch as it is stored. `compression.type: lz4` on a topic (topics.yaml) has the broker pack anew what
came in another codec, and measure it again; lz4 packs at most 255 to 1, so that no batch unpacks to more than 255 times
``max.message.bytes``: 70 MB.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.exchange import Exchange
from schemas.topics import topic_specs

MIB = 1 << 20
LARGEST_UNPACKED = 60 * MIB
READ = """
import json, resource, sys
from confluent_kafka import Consumer, TopicPartition
from schemas.codec import EventCodec
from schemas.errors import Rejected

bootstrap, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
codec = EventCodec()
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "queued.max.messages.kbytes": 1024})
consumer.assign([TopicPartition(topic, 0, 0)])
consumer.poll(0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reasons, largest = set(), 0
for _ in range(count):
    message = consumer.poll(30)
    assert message is not None and message.error() is None, message and message.error()
    largest = max(largest, len(message.value()))
    try:
        codec.open(message.value(), 256 * 1024)
    except Rejected as refused:
        reasons.add(refused.reason)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
consumer.close()
print(json.dumps({"reasons": sorted(reasons), "largest": largest, "grown_kib": after - before}))
"""


@pytest.fixture
def topic(broker, unique) -> str:
    """An input topic as it is provisioned, of one partition."""
    member = {"name": "Example", "publishes": True}
    exchange = Exchange(exchange=unique, partitions=1, members={unique: member})
    spec = next(spec for spec in topic_specs(exchange) if spec.family == "incidents")
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(spec.name, 1, 1, config=dict(spec.config))])[spec.name].result(10)
    return spec.name


def produce(broker, topic: str, codec: str, size: int, count: int = 1) -> None:
    """Zeros, as much as a hostile producer can put in one batch; raises if the broker refuses."""
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap,
            "compression.type": codec,
            "message.max.bytes": 200 * MIB,
            "batch.size": 200 * MIB,
            "linger.ms": 200,
            "message.timeout.ms": 30_000,
        }
    )
    failures: list[KafkaError] = []
    zeros = bytes(size)
    for _ in range(count):
        producer.produce(topic, zeros, on_delivery=lambda error, _: error and failures.append(error))
    assert producer.flush(60) == 0
    if failures:
        raise KafkaException(failures[0])


def read(broker, topic: str, count: int = 1) -> dict:
    """What a fresh process makes of the topic, and how much its memory grew."""
    command = [sys.executable, "-c", READ, broker.bootstrap, topic, str(count)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True, timeout=120).stdout)


@pytest.mark.parametrize("codec", ["lz4", "gzip"])
def test_sixty_megabytes_in_one_small_message_are_oversize_and_not_decoded(broker, topic, codec):
    produce(broker, topic, codec, LARGEST_UNPACKED)

    told = read(broker, topic)
    assert told["reasons"] == ["oversize"]
    assert told["largest"] == LARGEST_UNPACKED
    # The batch as fetched, unpacked by the client, and as the value of one message.
    assert told["grown_kib"] * 1024 < 3 * LARGEST_UNPACKED


def test_what_gzip_packs_tighter_than_lz4_can_is_refused_by_the_broker(broker, topic):
    with pytest.raises(KafkaException) as refused:
        produce(broker, topic, "gzip", 90 * MIB)
    assert refused.value.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_a_batch_of_many_messages_of_the_largest_size_is_read_one_by_one_in_bounded_memory(broker, topic):
    size, count = 250 * 1024, 200
    produce(broker, topic, "lz4", size, count)

    told = read(broker, topic, count)
    assert told["reasons"] == ["unknown-schema"]  # zeros are framed: schema id 0
    assert told["grown_kib"] * 1024 < 3 * size * count
