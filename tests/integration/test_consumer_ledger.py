"""The ledger and the receipts of a consumer, on the real broker."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient

from consumers.ledger_queries import Ledger
from consumers.receipt_sender import ReceiptSender
from consumers.sinks.sql import SqlSink
from deploy.broker import EmbeddedBroker
from schemas.kafka import ClientSettings
from tests.consumers.kafka_side import Exchange, wait_until
from tests.consumers.ledger_making import disclosure, feedback
from tests.consumers.making import Topic, delivery_bytes


@pytest.fixture
def exchange(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Exchange:
    return Exchange(broker.bootstrap, unique, tmp_path)


def test_a_ledger_killed_and_started_again_keeps_every_record_once(exchange: Exchange, tmp_path: Path) -> None:
    into, router = tmp_path / "ledger.db", exchange.router()

    def send(start: int, end: int, *, commit: bool = True) -> None:
        router.begin_transaction()
        for n in range(start, end):
            router.produce(f"disclosures.{exchange.origin}", disclosure(f"e-{n}"))
            router.produce(f"feedback.{exchange.origin}", feedback(f"f-{n}", f"e-{n}"))
        if commit:
            router.commit_transaction(10)
        else:
            router.flush(10)
            router.abort_transaction(10)

    def kept() -> int:
        if not into.exists():
            return 0
        with closing(sqlite3.connect(into)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'disclosure'").fetchone():
                return 0
            found: int = database.execute("SELECT count(*) FROM disclosure").fetchone()[0]
            return found

    send(0, 200)
    send(900, 950, commit=False)
    arguments = ("--force", exchange.origin, "--into", str(into))
    first = exchange.command("ledger", *arguments)
    try:
        wait_until(lambda: kept() > 0 or first.poll() is not None, "the first records")
    finally:
        first.kill()
        first.communicate()
    send(100, 300)
    second = exchange.command("ledger", *arguments, "--until-idle", "2")
    _, told = second.communicate(timeout=120)
    assert second.returncode == 0, told.decode()
    assert "200 repeated" in told.decode()
    assert kept() == 300
    with Ledger(into, exchange.origin) as ledger:
        assert ledger.find_event("e-299")
        assert len(ledger.feedback_for("e-150")) == 1
        assert not ledger.find_event("e-901")


def test_receipts_wait_in_the_outbox_until_kafka_has_a_topic_for_them(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.receipt_sender._RETRY_S", 0.2)
    monkeypatch.setattr("consumers.receipt_sender._FORGET_EVERY_S", 0.0)
    admin = AdminClient({"bootstrap.servers": exchange.bootstrap})
    admin.delete_topics([f"receipts.{exchange.member}"])[f"receipts.{exchange.member}"].result(10)
    clients = ClientSettings(exchange.bootstrap)
    settings = clients.producer_config(**{"topic.metadata.propagation.max.ms": 100})
    with closing(SqlSink(tmp_path / "r.db", exchange.member)) as sink:
        sink.write(Topic().batch(delivery_bytes(member=exchange.member, stream=2)))
        sender = ReceiptSender(sink, exchange.member, settings)
        failed: list[KafkaError] = []
        monkeypatch.setattr(sender, "_failed", lambda error, tell=sender._failed: (failed.append(error), tell(error)))

        def turn() -> bool:
            sender.send()
            return bool(failed)

        wait_until(turn, "a failed report")
        assert len(sink.unsent_receipts(0, 9)) == 1
        exchange.make_receipts_topic()

        def is_sent() -> bool:
            sender.send()
            return not sink.unsent_receipts(0, 9)

        wait_until(is_sent, "the outbox to be empty")
        sender.close(5)
    ((partition, key, receipt), *_) = exchange.receipts()
    assert (partition, key, len(receipt.entries)) == (2, f"{exchange.member}/2", 1)


def test_a_stream_beyond_the_topics_partitions_is_sent_where_its_key_says(exchange: Exchange, tmp_path: Path) -> None:
    with closing(SqlSink(tmp_path / "r.db", exchange.member)) as sink:
        sink.write(Topic().batch(delivery_bytes(member=exchange.member, stream=77)))
        sender = ReceiptSender(sink, exchange.member, ClientSettings(exchange.bootstrap).producer_config())

        def is_sent() -> bool:
            sender.send()
            return not sink.unsent_receipts(0, 9)

        wait_until(is_sent, "the outbox to be empty")
        sender.close(5)
    ((_, key, _),) = exchange.receipts()
    assert key == f"{exchange.member}/77"
