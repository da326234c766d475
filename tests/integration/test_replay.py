"""Loss on the real broker: noticed, shown, and made good by a replay beside the consumer that runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.broker import EmbeddedBroker
from schemas.event import Vehicle
from schemas.ops import metrics
from tests.consumers.consuming import Consuming
from tests.consumers.kafka_side import Exchange, wait_until
from tests.consumers.making import delivery_bytes


@pytest.fixture
def exchange(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Exchange:
    return Exchange(broker.bootstrap, unique, tmp_path)


def deliveries(exchange: Exchange, *numbers: int) -> list[bytes]:
    return [
        delivery_bytes(
            f"i-{number % 3}",
            number,
            member=exchange.member,
            origin=exchange.origin,
            number=number,
            sequence=number,
            covers=("vehicles",),
            vehicles=(Vehicle(vehicle_ref=f"v-{number}"),),
        )
        for number in numbers
    ]


def send(exchange: Exchange, *values: bytes) -> None:
    producer = exchange.router()
    producer.begin_transaction()
    for value in values:
        producer.produce(f"partner.{exchange.member}", value)
    producer.commit_transaction(10)


def read(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def forget(path: Path, number: int) -> None:
    """Lose one delivery, as a disk might that did not keep what it promised."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM delivery WHERE stream_sequence = ?", (number,))
        database.commit()


def missing(exchange: Exchange) -> float | None:
    return metrics.reading("missing_deliveries", recipient=exchange.member)


def test_a_hole_is_shown_until_what_was_missing_comes(exchange: Exchange, tmp_path: Path) -> None:
    into = tmp_path / "received.db"
    with Consuming(exchange, into) as consuming:
        send(exchange, *deliveries(exchange, 1, 2, 5))
        consuming.wait_for(3)
        wait_until(lambda: missing(exchange) == 2, "the alarm")
        assert metrics.reading("stream_faults_total", recipient=exchange.member, fault="missing") == 2
        send(exchange, *deliveries(exchange, 3, 4))
        wait_until(lambda: missing(exchange) == 0, "all clear")
    assert read(into, "SELECT first_number, last_number, filled_at IS NULL FROM stream_gap") == [(3, 4, 0)]


def test_a_replay_beside_the_consumer_writes_what_is_missing_and_changes_nothing_else(
    exchange: Exchange, tmp_path: Path
) -> None:
    into = tmp_path / "received.db"
    with Consuming(exchange, into) as consuming:
        send(exchange, *deliveries(exchange, *range(1, 8)))
        consuming.wait_for(7)
        forget(into, 7)
        before = read(into, "SELECT * FROM incident ORDER BY incident_id")
        arguments = ("--member", exchange.member, "--into", str(into), "--since")
        replayed = exchange.command("replay", *arguments, "BEGINNING")
        _, told = replayed.communicate(timeout=120)
        assert replayed.returncode == 0, told.decode()
        assert (
            "7 read again: 1 were missing and are written, 6 were here, 0 set aside; 0 still missing" in told.decode()
        )
        assert read(into, "SELECT count(*) FROM delivery") == [(7,)]
        assert read(into, "SELECT * FROM incident ORDER BY incident_id") == before
        replayed = exchange.command("replay", *arguments, "2999-01-01T00:00Z")
        _, told = replayed.communicate(timeout=120)
        assert "0 read again" in told.decode()
        send(exchange, *deliveries(exchange, 8))
        consuming.wait_for(8)
    assert read(into, "SELECT count(*) FROM delivery") == [(8,)]


def test_a_consumer_may_begin_with_a_replay(exchange: Exchange, tmp_path: Path) -> None:
    into = tmp_path / "received.db"
    arguments = ("--member", exchange.member, "--into", str(into), "--until-idle", "1")
    send(exchange, *deliveries(exchange, 1, 2, 3))
    first = exchange.command("consume", *arguments)
    _, told = first.communicate(timeout=120)
    assert first.returncode == 0, told.decode()
    forget(into, 2)
    second = exchange.command("consume", *arguments, "--replay", "beginning")
    _, told = second.communicate(timeout=120)
    assert second.returncode == 0, told.decode()
    assert "3 read again: 1 were missing and are written" in told.decode()
    assert read(into, "SELECT stream_sequence FROM delivery ORDER BY 1") == [(1,), (2,), (3,)]


def test_a_consumer_that_runs_disposes_of_what_is_due_and_shows_what_waits(exchange: Exchange, tmp_path: Path) -> None:
    into = tmp_path / "received.db"
    ours = {"member": exchange.member, "origin": exchange.origin}
    long_past = {"retain_until": datetime(2026, 1, 31, 9, tzinfo=UTC)}
    to_us = {"addressed_to_you": True}

    def waits(due: str) -> float | None:
        return metrics.reading("awaited_answers", recipient=exchange.member, what="transfer", due=due)

    with Consuming(exchange, into) as consuming:
        send(
            exchange,
            delivery_bytes("i-1", 1, kind="closed", terms=long_past, **ours),
            delivery_bytes("i-2", 2, kind="transfer", terms=to_us, **ours),
        )
        consuming.wait_for(2)
        wait_until(lambda: metrics.reading("disposed_incidents_total", recipient=exchange.member) == 1, "disposal")
        wait_until(lambda: (waits("overdue"), waits("in-time")) == (1, 0), "what is overdue")
    assert read(into, "SELECT incident_id, disposed_at IS NOT NULL FROM incident ORDER BY 1") == [
        ("i-1", 1),
        ("i-2", 0),
    ]
