"""Reading what a topic holds: all of it that is committed, to where it ended, and no waiting for more."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.broker import EmbeddedBroker
from deploy.topic_reader import records_of
from schemas.errors import Rejected, Unavailable
from schemas.kafka import ClientSettings


@pytest.fixture
def clients(broker: EmbeddedBroker) -> ClientSettings:
    return ClientSettings(broker.bootstrap)


@pytest.fixture
def topic(clients: ClientSettings, unique: str) -> str:
    admin = AdminClient(clients.config())
    admin.create_topics([NewTopic(unique, 3, 1)])[unique].result(20)
    return unique


def values(clients: ClientSettings, topic: str) -> list[bytes]:
    return [message.value() for message in records_of(clients, topic)]


def test_every_record_is_read_each_partition_in_order_and_nothing_is_waited_for(
    clients: ClientSettings, topic: str
) -> None:
    assert values(clients, topic) == [], "an empty topic ends at once"
    producer = Producer(clients.config())
    for number in range(30):
        producer.produce(topic, str(number).encode(), partition=number % 2)  # the third partition stays empty
    assert producer.flush(20) == 0
    started = time.monotonic()
    read = values(clients, topic)
    assert sorted(read, key=int) == [str(number).encode() for number in range(30)]
    for partition in (0, 1):
        assert [value for value in read if int(value) % 2 == partition] == [
            str(number).encode() for number in range(partition, 30, 2)
        ]
    assert time.monotonic() - started < 10
    assert sorted(values(clients, topic)) == sorted(read), (
        "nothing is committed: the next reader begins at the first record too"
    )


def test_what_was_rolled_back_or_is_still_open_is_not_there(clients: ClientSettings, topic: str) -> None:
    producer = Producer(clients.config(**{"transactional.id": topic}))
    producer.init_transactions(20)
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value, partition=0)
        assert producer.flush(20) == 0
        end(20)
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    assert producer.flush(20) == 0
    assert values(clients, topic) == [b"committed"]
    producer.abort_transaction(20)


def test_a_topic_that_is_not_there_says_what_makes_topics(clients: ClientSettings, unique: str) -> None:
    with pytest.raises(Rejected, match=f"there is no topic {unique} at .* huecry provision apply"):
        values(clients, unique)


def test_a_broker_that_is_not_there_is_told_once_with_its_address(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.topic_reader._TIMEOUT_S", 0.5)
    with pytest.raises(Unavailable, match=r"no Kafka answers at 127\.0\.0\.1:1 .*--bootstrap \(or HUECRY_BOOTSTRAP\)"):
        values(ClientSettings("127.0.0.1:1"), "any")
    assert capfd.readouterr() == ("", ""), "librdkafka says nothing beside it"
