"""A consumer killed at random moments on the real broker: everything once, every receipt sent."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker
from tests.consumers.kafka_side import Exchange, wait_until
from tests.consumers.random_router import RandomRouter

DELIVERIES = 2000
KILLS = 6


@pytest.fixture
def exchange(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Exchange:
    return Exchange(broker.bootstrap, unique, tmp_path)


def count(path: Path, table: str) -> int:
    """Rows of a table; 0 while there is no database."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return 0
        found: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        return found


def run_and_kill(exchange: Exchange, router: RandomRouter, into: Path) -> None:
    """Start a consumer, deliver while it works, and kill it somewhere in the middle."""
    before = count(into, "delivery")
    consumer = exchange.command("consume", "--member", exchange.member, "--into", str(into))
    try:
        router.deliver(DELIVERIES // (KILLS + 1))
        goal = min(before + router.random.randrange(1, 200), len(router.model.seen))
        wait_until(lambda: consumer.poll() is not None or count(into, "delivery") >= goal, "some deliveries")
        assert consumer.poll() is None, consumer.stderr.read().decode()
    finally:
        consumer.kill()
        consumer.communicate()


def test_a_consumer_killed_at_any_moment_writes_every_delivery_once_and_receipts_each(
    exchange: Exchange, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    router = RandomRouter(exchange, seed)
    into = tmp_path / "received.db"
    for _ in range(KILLS):
        run_and_kill(exchange, router, into)
    router.deliver(DELIVERIES // (KILLS + 1))
    last = exchange.command("consume", "--member", exchange.member, "--into", str(into), "--until-idle", "2")
    _, told = last.communicate(timeout=120)
    assert last.returncode == 0, told.decode()

    router.check(into)
    router.check_receipts()
