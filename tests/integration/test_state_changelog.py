"""Stores are brought up to date from a real changelog: all that was committed, nothing that was not."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from routing.state.restoring import COPY_GOOD_FOR_MS, Changelog
from routing.state.store import DiskStore, Position, StoreMemory
from schemas.errors import Unavailable
from schemas.kafka import ClientSettings
from tests.integration.routing_scene import PATIENCE_S, wait_for

MEMORY = StoreMemory(8)


class Side:
    """A changelog of this test's own, and who writes and reads it."""

    def __init__(self, broker, topic, folder):
        self.clients = ClientSettings(broker.bootstrap)
        self.topic = topic
        self.folder = folder
        self.admin = AdminClient(self.clients.config())
        self.make()
        self.producer = self.writer("writer")
        self.stores = []

    def make(self):
        new = NewTopic(self.topic, 2, 1, config={"cleanup.policy": "compact"})
        self.admin.create_topics([new])[self.topic].result(PATIENCE_S)
        wait_for(self.is_led, "the topic has leaders")

    def is_led(self):
        topic = self.admin.list_topics(timeout=10).topics.get(self.topic)
        return (
            topic is not None and len(topic.partitions) == 2 and all(p.leader >= 0 for p in topic.partitions.values())
        )

    def remake(self):
        self.admin.delete_topics([self.topic])[self.topic].result(PATIENCE_S)
        wait_for(lambda: self.topic not in self.admin.list_topics(timeout=10).topics, "topic deleted")
        self.make()

    def writer(self, name, timeout_ms=10_000):
        return transactional(self.clients, f"{self.topic}.{name}", timeout_ms)

    def commit(self, changes, producer=None, partition=0):
        producer = producer or self.producer
        producer.begin_transaction()
        self.produce(producer, changes, partition)
        producer.commit_transaction(-1)

    def abort(self, changes, partition=0):
        self.producer.begin_transaction()
        self.produce(self.producer, changes, partition)
        self.producer.flush()
        self.producer.abort_transaction(-1)

    def produce(self, producer, changes, partition=0):
        for key, value in changes.items():
            producer.produce(self.topic, value, key, partition)

    def store(self, name="a", partition=0):
        made = DiskStore(self.folder / name / str(partition), MEMORY)
        self.stores.append(made)
        return made

    def restored(self, *stores):
        """The stores, up to date; how many records were read."""
        changelog = Changelog(self.clients, self.topic)
        try:
            changelog.begin(dict(enumerate(stores)))
            wait_for(lambda: changelog.read(0.05) or changelog.is_read, "up to date")
            return changelog._records
        finally:
            changelog.close()

    def close(self):
        for store in self.stores:
            store.close()
        self.admin.delete_topics([self.topic])


def transactional(clients, name, timeout_ms):
    settings = {"transactional.id": name, "transaction.timeout.ms": timeout_ms, "log_level": 0}
    made = Producer(clients.producer_config(**settings))
    made.init_transactions(PATIENCE_S)
    return made


@pytest.fixture
def side(broker, unique, tmp_path):
    made = Side(broker, unique, tmp_path)
    yield made
    made.close()


def held(store):
    return dict(store.after(b"", 10_000))


def test_a_new_store_gets_everything_that_was_committed_and_is_not_deleted_since(side):
    side.commit({b"n/1": b"a", b"n/2": b"b"})
    side.abort({b"n/1": b"never", b"n/3": b"never"})
    side.commit({b"n/2": None, b"n/4": b"d"})
    side.commit({b"n/9": b"of the other"}, partition=1)
    first, second = side.store(), side.store(partition=1)
    side.restored(first, second)
    assert held(first) == {b"n/1": b"a", b"n/4": b"d"}
    assert held(second) == {b"n/9": b"of the other"}


def test_an_empty_changelog_is_read_at_once(side):
    assert side.restored(side.store(), side.store(partition=1)) == 0


def test_a_copy_that_is_behind_is_read_on_for_and_not_read_anew(side):
    side.commit({b"n/%d" % number: b"x" for number in range(50)})
    store = side.store()
    assert side.restored(store) == 50
    side.commit({b"n/1": b"y"})
    assert side.restored(store) == 1
    assert held(store)[b"n/1"] == b"y"
    assert side.restored(store) == 0


@pytest.mark.parametrize("why", ["old", "ahead", "from the future"])
def test_a_copy_that_cannot_be_trusted_is_thrown_away(side, why):
    side.commit({b"n/1": b"a"})
    store = side.store()
    side.restored(store)
    now_ms = time.time_ns() // 1_000_000
    ages = {"old": COPY_GOOD_FOR_MS + 1_000, "ahead": 0, "from the future": -3_600_000}
    position = store.position()._replace(at_ms=now_ms - ages[why])
    store.write({b"n/2": b"deleted long ago"}, position._replace(offset=10_000) if why == "ahead" else position)
    side.restored(store)
    assert held(store) == {b"n/1": b"a"}


def test_a_copy_of_a_topic_that_was_made_again_is_thrown_away(side):
    side.commit({b"n/%d" % number: b"x" for number in range(5)})
    store = side.store()
    side.restored(store)
    side.remake()
    side.producer = side.writer("another")
    side.commit({b"n/%d" % number: b"y" for number in range(10, 16)})
    side.restored(store)
    assert set(held(store)) == {b"n/%d" % number for number in range(10, 16)}


def test_without_its_topic_it_says_what_to_do(side):
    changelog = Changelog(side.clients, f"{side.topic}-none")
    with pytest.raises(Unavailable, match="huecry provision apply"):
        changelog.begin({0: side.store()})
    changelog.close()


def test_what_was_committed_behind_a_crashed_writers_open_transaction_is_not_missed(side):
    """Read to the committed end only, it would be: that end stands before the open transaction (KAFKA-10167)."""
    crashed = side.writer("crashed", timeout_ms=3_000)
    crashed.begin_transaction()
    side.produce(crashed, {b"n/1": b"never"})
    crashed.flush()
    side.commit({b"n/2": b"b"})
    store = side.store()
    changelog = Changelog(side.clients, side.topic)
    changelog.begin({0: store})
    changelog.read(0.5)
    assert not changelog.is_read
    wait_for(lambda: changelog.read(0.05) or changelog.is_read, "the broker ends the open transaction")
    changelog.close()
    assert held(store) == {b"n/2": b"b"}


def dies_with_a_transaction_open(clients, topic):
    """A process that has produced and not committed, and is killed so."""
    producer = transactional(clients, f"{topic}.dying", 3_000)
    producer.begin_transaction()
    producer.produce(topic, b"never", b"n/1", 0)
    producer.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_writers_records_are_never_restored(side):
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=dies_with_a_transaction_open, args=(side.clients, side.topic))
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL
    side.commit({b"n/2": b"b"})
    store = side.store()
    side.restored(store)
    assert held(store) == {b"n/2": b"b"}


def test_the_position_moves_on_while_transactions_are_committed(side, monkeypatch):
    """Each position given stands at or before what was committed until then: reading on from there misses nothing."""
    monkeypatch.setattr("routing.state.restoring._ASK_EVERY_S", 0.01)
    store, elsewhere = side.store(), side.store("b")
    changelog = Changelog(side.clients, side.topic)
    changelog.begin({0: store})
    wait_for(lambda: changelog.read(0.05) or changelog.is_read, "up to date")
    moved = set()
    for number in range(300):
        changes = {b"n/%d" % (number % 7): b"%d" % number}
        side.commit(changes)
        position = changelog.positions().get(0)
        store.write(changes, position)
        if position is not None and position.offset not in moved:
            moved.add(position.offset)
            # What a copy that was left at this position would become.
            copy = side.store(f"copy-{number}")
            copy.write(held(store), position)
            side.commit({b"n/x": b"%d" % number})
            store.write({b"n/x": b"%d" % number})
            side.restored(copy)
            assert held(copy) == held(store)
        if len(moved) > 4:
            break
    changelog.close()
    assert len(moved) > 4
    side.restored(elsewhere)
    assert held(elsewhere) == held(store)


def test_a_store_may_be_read_while_others_write(side):
    """What comes after the end that was asked for need not be read, and may."""
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            side.commit({b"n/%d" % (number % 5): b"%d" % number})

    side.commit({b"n/first": b"x"})
    thread = threading.Thread(target=write)
    thread.start()
    try:
        store = side.store()
        side.restored(store)
    finally:
        stop.set()
        thread.join()
    assert held(store)[b"n/first"] == b"x"
    assert isinstance(store.position(), Position)
