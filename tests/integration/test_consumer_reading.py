"""Where a consumer reads from and what it sees, on the real broker."""

from __future__ import annotations

import socket
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from consumers.receiving import receive
from consumers.settings import ConsumerSettings
from deploy.broker import EmbeddedBroker
from schemas.errors import Fatal, Rejected
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings
from schemas.ops import metrics
from schemas.ops.health import Health
from tests.consumers.consuming import Consuming as ConsumingInto
from tests.consumers.kafka_side import Exchange, wait_until
from tests.consumers.making import delivery_bytes


@pytest.fixture(autouse=True)
def _a_locked_database_is_away_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.sinks.sqlite_database._BUSY_S", 0.3)


@pytest.fixture
def exchange(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Exchange:
    return Exchange(broker.bootstrap, unique, tmp_path)


@pytest.fixture
def router(exchange: Exchange) -> Producer:
    return exchange.router()


@pytest.fixture
def unused_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Consuming(ConsumingInto):
    """The same into an SQLite file, which is read meanwhile."""

    def __init__(self, exchange: Exchange, into: Path, **options: Any) -> None:
        super().__init__(exchange, into, **options)
        self._file = into

    def read(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._file, timeout=10)) as database:
            return database.execute(query).fetchall()

    def events(self) -> list[str]:
        return [row[0] for row in self.read("SELECT event_id FROM delivery ORDER BY record_offset")]


@pytest.fixture
def consuming(exchange: Exchange, tmp_path: Path) -> Iterator[Consuming]:
    with Consuming(exchange, tmp_path / "received.db") as running:
        yield running


def send(router: Producer, exchange: Exchange, *steps: int, commit: bool = True) -> None:
    router.begin_transaction()
    for step in steps:
        router.produce(f"partner.{exchange.member}", delivery_bytes("i-1", step, member=exchange.member))
    if commit:
        router.commit_transaction(10)
    else:
        router.flush(10)
        router.abort_transaction(10)


def test_an_aborted_transaction_is_never_seen_and_an_open_one_not_yet(
    consuming: Consuming, router: Producer, exchange: Exchange
) -> None:
    send(router, exchange, 1)
    send(router, exchange, 2, 3, commit=False)
    router.begin_transaction()
    router.produce(f"partner.{exchange.member}", delivery_bytes("i-1", 4, member=exchange.member))
    router.flush(10)
    consuming.wait_for(1)
    assert consuming.events() == ["e-1"]
    router.commit_transaction(10)
    consuming.wait_for(2)
    assert consuming.events() == ["e-1", "e-4"]


def test_the_databases_position_wins_over_the_groups(exchange: Exchange, router: Producer, tmp_path: Path) -> None:
    send(router, exchange, 1, 2, 3)
    with Consuming(exchange, tmp_path / "one.db") as first:
        first.wait_for(3)
    topic = f"partner.{exchange.member}"
    group = Consumer(
        {"bootstrap.servers": exchange.bootstrap, "group.id": f"{exchange.member}.consume.{exchange.member}"}
    )
    with closing(group):
        (committed,) = group.committed([TopicPartition(topic, 0)], 10)
        assert committed.offset == 3, "operators see the group's offsets follow"
    with Consuming(exchange, tmp_path / "two.db") as second:
        second.wait_for(3)
        assert second.events() == ["e-1", "e-2", "e-3"]


def test_what_retention_took_is_a_gap_that_is_kept_and_the_rest_is_read(
    exchange: Exchange, router: Producer, tmp_path: Path
) -> None:
    into, topic = tmp_path / "r.db", f"partner.{exchange.member}"
    send(router, exchange, 1)
    with Consuming(exchange, into) as before:
        before.wait_for(1)
    send(router, exchange, 2, 3, 4)
    admin = AdminClient({"bootstrap.servers": exchange.bootstrap})
    for future in admin.delete_records([TopicPartition(topic, 0, 4)]).values():
        future.result(10)
    with Consuming(exchange, into) as after:
        after.wait_for(1)
        assert after.events() == ["e-1", "e-4"]
        assert after.read("SELECT first_offset, last_offset FROM gap") == [(1, 3)]


def test_a_topic_that_ends_before_the_position_is_refused_with_what_to_do(
    exchange: Exchange, router: Producer, tmp_path: Path
) -> None:
    into = tmp_path / "r.db"
    send(router, exchange, 1)
    with Consuming(exchange, into) as before:
        before.wait_for(1)
    with closing(sqlite3.connect(into)) as database:
        database.execute("UPDATE position SET next_offset = 9999")
        database.commit()
    with Consuming(exchange, into) as after:
        wait_until(lambda: after.error is not None, "a refusal")
    assert isinstance(after.error, Fatal)
    assert "delete its row of table position" in str(after.error)


def test_a_sink_that_is_away_is_waited_for_and_nothing_is_lost(
    consuming: Consuming, exchange: Exchange, router: Producer
) -> None:
    send(router, exchange, 1)
    consuming.wait_for(1)
    holder = sqlite3.connect(consuming.into, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    send(router, exchange, 2)
    send(router, exchange, 3)
    wait_until(lambda: consuming.progress.waiting, "the consumer to wait")
    assert "sink" in consuming.health.reasons()
    assert metrics.reading("sink_waiting", recipient=exchange.member, store="receiving") == 1
    holder.close()
    consuming.wait_for(3)
    assert consuming.events() == ["e-1", "e-2", "e-3"]
    assert consuming.health.reasons() == {}
    assert metrics.reading("sink_waiting", recipient=exchange.member, store="receiving") == 0


def test_what_retention_takes_while_the_sink_is_away_is_a_gap_too(
    consuming: Consuming, exchange: Exchange, router: Producer
) -> None:
    send(router, exchange, 1)
    consuming.wait_for(1)
    holder = sqlite3.connect(consuming.into, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    send(router, exchange, 2)
    wait_until(lambda: consuming.progress.waiting, "the consumer to wait")
    assert consuming.progress.lag_s > 0
    send(router, exchange, 3)
    send(router, exchange, 4)
    admin = AdminClient({"bootstrap.servers": exchange.bootstrap})
    for future in admin.delete_records([TopicPartition(f"partner.{exchange.member}", 0, 6)]).values():
        future.result(10)
    holder.close()
    consuming.wait_for(3)
    assert consuming.events() == ["e-1", "e-2", "e-4"]
    assert consuming.read("SELECT first_offset, last_offset FROM gap") == [(3, 5)]


def test_a_topic_that_does_not_exist_yet_is_waited_for_and_said(
    broker: EmbeddedBroker, unique: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange = Exchange(broker.bootstrap, unique, tmp_path, with_partner_topic=False)
    with Consuming(exchange, tmp_path / "r.db") as waiting:
        wait_until(lambda: "provision" in waiting.health.reasons().get("kafka", ""), "the reason")
        assert "UNKNOWN_TOPIC_OR_PART" in capsys.readouterr().err
        exchange.make_partner_topic()
        send(exchange.router(), exchange, 1)
        waiting.wait_for(1)
        assert waiting.health.reasons() == {}


def test_a_second_instance_takes_over_when_the_first_goes_and_all_is_written_once(
    exchange: Exchange, router: Producer, tmp_path: Path
) -> None:
    into = tmp_path / "shared.db"
    with Consuming(exchange, into) as first:
        send(router, exchange, 1, 2)
        first.wait_for(2)
        with Consuming(exchange, into) as second:
            wait_until(lambda: second.health.reasons() == {} or second.error is not None, "the second to join")
            send(router, exchange, 3)
            wait_until(lambda: first.progress.written + second.progress.written == 3, "the third delivery")
            first.stop.set()
            first.join()
            send(router, exchange, 4)
            wait_until(lambda: first.progress.written + second.progress.written == 4, "the fourth delivery")
            assert second.progress.written >= 1
            assert second.events() == ["e-1", "e-2", "e-3", "e-4"]


def test_an_undecodable_record_is_set_aside_and_does_not_block(
    consuming: Consuming, exchange: Exchange, router: Producer, capsys: pytest.CaptureFixture[str]
) -> None:
    router.begin_transaction()
    router.produce(f"partner.{exchange.member}", b"\x00Ann Example, 1 High Street")
    router.commit_transaction(10)
    send(router, exchange, 1)
    consuming.wait_for(1)
    assert consuming.read("SELECT reason, value FROM set_aside") == [
        ("unknown-schema", b"\x00Ann Example, 1 High Street")
    ]
    told = capsys.readouterr().err
    assert "set aside" in told
    assert "Ann" not in told


def test_a_member_that_does_not_receive_is_refused(exchange: Exchange, tmp_path: Path) -> None:
    settings = ConsumerSettings(
        load_exchange(exchange.file), exchange.origin, ClientSettings(exchange.bootstrap), tmp_path / "r.db"
    )
    with pytest.raises(Rejected, match="that receives"):
        receive(settings, threading.Event(), Health())


def test_the_command_serves_metrics_and_ends_in_good_order_on_sigterm(
    exchange: Exchange, router: Producer, tmp_path: Path, unused_port: int
) -> None:
    into = tmp_path / "r.db"
    arguments = ("--member", exchange.member, "--into", str(into), "--metrics-port", str(unused_port))
    process = exchange.command("consume", *arguments)
    try:
        send(router, exchange, 1)

        def scraped() -> str:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{unused_port}/metrics", timeout=5) as answer:
                    return str(answer.read().decode())
            except urllib.error.URLError:
                return ""

        sample = f'huecry_delivered_total{{outcome="written",recipient="{exchange.member}",store="receiving"}} 1.0'
        wait_until(lambda: sample in scraped(), "the delivery to be counted")
        process.terminate()
        _, told = process.communicate(timeout=120)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert "1 deliveries received: 1 written" in told.decode()
    assert f"sqlite3 -box {into}" in told.decode()
