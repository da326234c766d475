"""A producer on real Kafka: nothing lost, nothing doubled, nothing overtaken, whatever is killed."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.broker import EmbeddedBroker
from producers.identity import event_id_of
from producers.link import kafka_link
from producers.publisher import Publisher
from producers.settings import FileInput, ProducerSettings, SyntheticInput, production
from producers.sources.synthetic import SyntheticSource, synthetic_events
from producers.spool import Spool
from schemas.codec import EventCodec
from schemas.exchange import Exchange, Limits
from schemas.kafka import ClientSettings
from schemas.ops.health import Health
from schemas.partitioner import partition_of

FORCE = "kent"
TOPIC_PARTITIONS = 3
MAPPING = """
mapping: kent-rows
system: cad
time_zone: Europe/London
incident_key: URN
event_key: [URN, Version]
fields:
  kind: {constant: updated}
  mode: {constant: actual}
  recorded_at: {column: Updated, date: "%d/%m/%Y %H:%M:%S"}
  narrative[0].text: Text
"""


@dataclass(frozen=True)
class Published:
    """One record of the topic."""

    partition: int
    key: str
    event_id: str
    incident_id: str
    sequence: int
    at_ms: int
    grade: str


def make_topic(bootstrap: str, topic: str, **config: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    made = admin.create_topics([NewTopic(topic, num_partitions=TOPIC_PARTITIONS, replication_factor=1, config=config)])
    made[topic].result(30)


def read_all(bootstrap: str, topic: str) -> list[Published]:
    """Everything on the topic, partition by partition, each in order."""
    codec = EventCodec()
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    found = []
    try:
        for partition in range(TOPIC_PARTITIONS):
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
            consumer.assign([TopicPartition(topic, partition, low)])
            at = low
            while at < high:
                for message in consumer.consume(500, 1.0):
                    assert message.error() is None
                    _, event = codec.open(message.value(), Limits().max_event_bytes)
                    found.append(
                        Published(
                            partition,
                            message.key().decode(),
                            event.head["event_id"],
                            event.head["incident_id"],
                            event.section("control")[0]["sequence"],
                            message.timestamp()[1],
                            event.head["grade"],
                        )
                    )
                    at = message.offset() + 1
    finally:
        consumer.close()
    return found


def first_appearances(published: list[Published]) -> dict[str, list[Published]]:
    """By incident, each event where it first stands: a repeat has the same event_id, and routing drops it."""
    seen: set[str] = set()
    incidents = defaultdict(list)
    for record in published:
        if record.event_id not in seen:
            seen.add(record.event_id)
            incidents[record.incident_id].append(record)
    return incidents


def assert_whole_and_in_order(published: list[Published], expected_ids: set[str]) -> None:
    assert {record.event_id for record in published} == expected_ids
    for incident_id, records in first_appearances(published).items():
        assert [record.sequence for record in records] == list(range(1, len(records) + 1)), incident_id
        assert {record.key for record in records} == {incident_id}
        assert {record.partition for record in records} == {partition_of(incident_id.encode(), TOPIC_PARTITIONS)}


def until(condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come about in time"
        time.sleep(0.01)


def the_exchange(name: str, **limits: int) -> Exchange:
    contact = {"desk": "control room", "phone": "01632 960001"}
    return Exchange.model_validate(
        {
            "exchange": name,
            "partitions": TOPIC_PARTITIONS,
            "members": {FORCE: {"name": "Kent", "publishes": True, "contact": contact}},
            "limits": limits,
        }
    )


@pytest.fixture
def topic(broker: EmbeddedBroker, unique: str) -> str:
    """A force's own topic: the force is named after the test."""
    name = f"incidents.{unique}"
    make_topic(broker.bootstrap, name)
    return name


def test_a_producer_killed_again_and_again_loses_nothing_and_doubles_nothing(
    broker: EmbeddedBroker, topic: str, unique: str, tmp_path: Path
):
    """kill -9 at random moments, then one run to the end: every record on the topic, once by event_id, in order."""
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    rows = [(f"URN{chance.randrange(150):04d}", n) for n in range(3_000)]
    source = tmp_path / "rows.csv"
    with source.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["URN", "Version", "Updated", "Text"])
        writer.writerows([urn, n, "06/03/2026 20:00:00", f"line {n}"] for urn, n in rows)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    exchange = tmp_path / "exchange.yaml"
    exchange.write_text(json.dumps(_described(unique)))
    command = [
        *(sys.executable, "-c", "from deploy.cli import main; main()", "produce", "--json"),
        *("--exchange", str(exchange), "--force", unique, "--mapping", str(tmp_path / "mapping.yaml")),
        *("--source", str(source), "--spool", str(tmp_path / "spool"), "--bootstrap", broker.bootstrap),
    ]
    killed = 0
    for _ in range(6):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until((tmp_path / "spool").exists)
            process.wait(chance.uniform(0.05, 0.7))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        finally:
            process.kill()
            process.wait()
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["unfinished"] == 0
    assert killed >= 3
    sequences: dict[str, int] = defaultdict(int)
    expected = set()
    for urn, n in rows:
        sequences[urn] += 1
        expected.add(event_id_of(unique, urn, sequences[urn], json.dumps([urn, str(n)])))
    assert_whole_and_in_order(read_all(broker.bootstrap, topic), expected)


def _described(force: str) -> dict[str, object]:
    return {
        "exchange": "killed",
        "partitions": TOPIC_PARTITIONS,
        "members": {force: {"name": "A force", "publishes": True}},
    }


def test_a_synthetic_room_publishes_the_events_that_its_seed_tells(
    broker: EmbeddedBroker, topic: str, unique: str, tmp_path: Path
):
    settings = ProducerSettings(
        Exchange.model_validate(_described(unique)),
        unique,
        SyntheticInput(seed=5, incidents=40),
        ClientSettings(broker.bootstrap),
        tmp_path / "spool",
    )
    running = production(settings, Health())
    with running.spool:
        progress = running.run(threading.Event())
    told = list(synthetic_events(unique, 5, 40))
    assert progress.acknowledged == progress.read == len(told)
    assert_whole_and_in_order(read_all(broker.bootstrap, topic), {event.event_id for event in told})


def test_a_producer_told_to_stop_ends_well_and_goes_on_where_it_was(
    broker: EmbeddedBroker, topic: str, unique: str, tmp_path: Path
):
    exchange = tmp_path / "exchange.yaml"
    exchange.write_text(json.dumps(_described(unique)))
    command = [
        *(sys.executable, "-c", "from deploy.cli import main; main()", "produce", "--synthetic", "--json"),
        *("--exchange", str(exchange), "--force", unique, "--spool", str(tmp_path / "spool"), "--rate", "200"),
        *("--bootstrap", broker.bootstrap, "--events", "300"),
    ]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        until(lambda: (tmp_path / "spool").exists() and _acknowledged(tmp_path / "spool") > 20)
        first.send_signal(signal.SIGTERM)
        out, _ = first.communicate(timeout=120)
    finally:
        first.kill()
        first.wait()
    told = json.loads(out)
    assert first.returncode == 0
    assert 20 < told["published"] < 300
    second = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["published"] == 300 - told["published"]
    expected = {event.event_id for event, _ in zip(synthetic_events(unique, 1), range(300), strict=False)}
    published = read_all(broker.bootstrap, topic)
    assert len(published) == 300
    assert_whole_and_in_order(published, expected)


def _acknowledged(path: Path) -> int:
    import sqlite3

    with sqlite3.connect(path) as database:
        try:
            (count,) = database.execute("SELECT count(*) FROM events WHERE state = 'acknowledged'").fetchone()
        except sqlite3.OperationalError:
            return 0
    database.close()
    return int(count)


@pytest.fixture
def own_broker() -> Iterator[EmbeddedBroker]:
    """A broker that this test may stop."""
    with EmbeddedBroker() as running:
        yield running


def test_through_an_outage_capture_goes_on_and_afterwards_everything_arrives_in_order(
    own_broker: EmbeddedBroker, tmp_path: Path
):
    make_topic(own_broker.bootstrap, f"incidents.{FORCE}")
    health = Health()
    room = SyntheticSource(FORCE, 3, 150)
    room.resume(None)
    with Spool(tmp_path / "spool", origin=FORCE, system="synthetic") as spool:
        link = kafka_link(ClientSettings(own_broker.bootstrap), Limits())
        publisher = Publisher(spool, f"incidents.{FORCE}", link, health=health)
        capture(room, spool, publisher, 100)
        assert publisher.flush(20) == 0
        own_broker.stop()
        capture(room, spool, publisher, 200)
        until(lambda: publisher.turn(0.05) or "publisher" in health.reasons())
        assert publisher.unfinished == 200
        assert "Kafka" in health.reasons()["publisher"]
        capture(room, spool, publisher, 10_000)
        own_broker.start()
        assert publisher.flush(120) == 0
        assert "publisher" not in health.reasons()
        publisher.close()
    told = {event.event_id for event in synthetic_events(FORCE, 3, 150)}
    published = read_all(own_broker.bootstrap, f"incidents.{FORCE}")
    assert_whole_and_in_order(published, told)
    assert len(published) == len(told)


def capture(room: SyntheticSource, spool: Spool, publisher: Publisher, most: int) -> None:
    now = datetime.now(UTC)
    records = room.read(most)
    publisher.add(spool.capture(room.name, [(record, room.draft(record, now)) for record in records], now).waiting)


def test_a_topic_that_is_not_there_yet_is_waited_for(broker: EmbeddedBroker, unique: str, tmp_path: Path):
    health = Health()
    room = SyntheticSource(unique, 3, 5)
    room.resume(None)
    with Spool(tmp_path / "spool", origin=unique, system="synthetic") as spool:
        link = kafka_link(ClientSettings(broker.bootstrap), Limits())
        publisher = Publisher(spool, f"incidents.{unique}", link, health=health)
        capture(room, spool, publisher, 1_000)
        until(lambda: publisher.turn(0.05) or "publisher" in health.reasons())
        assert publisher.refused == 0
        make_topic(broker.bootstrap, f"incidents.{unique}")
        assert publisher.flush(30) == 0
        publisher.close()
    assert_whole_and_in_order(
        read_all(broker.bootstrap, f"incidents.{unique}"), {e.event_id for e in synthetic_events(unique, 3, 5)}
    )


def test_an_event_that_kafka_never_takes_is_set_aside_and_the_others_of_its_batch_arrive(
    broker: EmbeddedBroker, unique: str, tmp_path: Path
):
    """The broker refuses the whole batch: only the event that is refused alone is the culprit."""
    topic = f"incidents.{unique}"
    make_topic(broker.bootstrap, topic, **{"max.message.bytes": "6000", "compression.type": "lz4"})
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    source = tmp_path / "rows.csv"
    noise = random.Random(1).randbytes(20_000).hex()
    rows = [f"URN{n % 4},{n},06/03/2026 20:00:00,{noise if n == 17 else 'short'}" for n in range(40)]
    source.write_text("\n".join(["URN,Version,Updated,Text", *rows]) + "\n")
    settings = ProducerSettings(
        Exchange.model_validate(_described(unique)),
        unique,
        FileInput(source, tmp_path / "mapping.yaml"),
        ClientSettings(broker.bootstrap),
        tmp_path / "spool",
    )
    running = production(settings, Health())
    with running.spool as spool:
        progress = running.run(threading.Event())
        assert (progress.read, progress.acknowledged, progress.refused) == (40, 39, 1)
        assert spool.set_aside_count() == 1
    published = read_all(broker.bootstrap, topic)
    assert len({record.event_id for record in published}) == 39
    for incident_id, records in first_appearances(published).items():
        sequences = [record.sequence for record in records]
        assert sequences == [n for n in range(1, 11) if (incident_id, n) != ("URN1", 5)]


def test_two_producers_never_share_a_spool(tmp_path: Path):
    """The lock is the process's: it is held while the process lives, and free when it is killed."""
    from schemas.errors import Fatal

    path = tmp_path / "spool"
    script = (
        "import sys, time; from pathlib import Path; from producers.spool import Spool\n"
        f"spool = Spool(Path({str(path)!r}), origin='kent', system='cad'); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Fatal, match=f"process {holder.pid}"):
            Spool(path, origin="kent", system="cad")
    finally:
        holder.kill()
        holder.communicate()
    Spool(path, origin="kent", system="cad").close()
