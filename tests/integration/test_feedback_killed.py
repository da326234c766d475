"""Feedback on the real broker into a database, a webhook and a file, killed at random moments: each record once."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker
from schemas.ops import metrics
from tests.consumers.feedback_making import feedback
from tests.consumers.kafka_side import Exchange, wait_until
from tests.consumers.webhook_server import Receiver

RECORDS = 600
KILLS = 5


@pytest.fixture
def exchange(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Exchange:
    return Exchange(broker.bootstrap, unique, tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


class Places:
    """The three places, and the command that writes to all of them."""

    def __init__(self, exchange: Exchange, receiver: Receiver, folder: Path) -> None:
        self.database, self.file = folder / "feedback.db", folder / "feedback.jsonl"
        self._receiver = receiver
        self.arguments = ("--force", exchange.origin, "--into", str(self.database), "--file", str(self.file))
        self.arguments += ("--webhook", receiver.url, "--webhook-state", str(folder / "webhook.db"))

    def in_database(self) -> Counter[str]:
        if not self.database.exists():
            return Counter()
        with closing(sqlite3.connect(self.database, timeout=30)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'feedback'").fetchone():
                return Counter()
            return Counter(value for (value,) in database.execute("SELECT feedback_id FROM feedback"))

    def in_file(self) -> Counter[str]:
        with self.file.open("rb") as file:
            return Counter(json.loads(line)["feedback_id"] for line in file)

    def in_webhook(self) -> Counter[str]:
        return Counter(list(self._receiver.kept))


def send(exchange: Exchange, first: int, count: int) -> set[str]:
    producer = exchange.router()
    for start in range(first, first + count, 25):
        producer.begin_transaction()
        for number in range(start, min(start + 25, first + count)):
            kind = "delivered" if number % 2 else "accepted"
            producer.produce(f"feedback.{exchange.origin}", feedback(number, kind, f"i-{number % 40}"))
        producer.commit_transaction(10)
    return {f"f-{number}" for number in range(first, first + count)}


@pytest.mark.timeout(900)
def test_feedback_reaches_every_place_once_whatever_is_killed_when(
    exchange: Exchange, receiver: Receiver, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance, places, sent = random.Random(seed), Places(exchange, receiver, tmp_path), set[str]()
    each = RECORDS // (KILLS + 1)
    for turn in range(KILLS):
        before = len(receiver.kept)
        process = exchange.command("feedback", *places.arguments)
        try:
            sent |= send(exchange, 1 + turn * each, each)
            goal = before + chance.randrange(1, each)
            wait_until(lambda goal=goal: len(receiver.kept) >= goal, "some feedback")
        finally:
            process.kill()
            _, told = process.communicate()
            assert process.returncode < 0, told.decode()
    sent |= send(exchange, 1 + KILLS * each, each)
    last = exchange.command("feedback", *places.arguments, "--until-idle", "2")
    _, told = last.communicate(timeout=240)
    assert last.returncode == 0, told.decode()

    once = Counter(dict.fromkeys(sent, 1))
    assert places.in_database() == once
    assert places.in_file() == once
    assert places.in_webhook() == once
    again = Counter(headers["Idempotency-Key"] for _, headers, _ in receiver.requests) - once
    assert sum(again.values()) <= KILLS, "a kill may send the one in hand again, under its key, and no other"
    with closing(sqlite3.connect(places.database)) as database:
        assert database.execute("SELECT count(*) FROM status_of_incident").fetchone() == (40,)


@pytest.mark.timeout(900)
def test_a_webhook_that_is_away_holds_up_neither_database_nor_file_and_says_why(
    exchange: Exchange, receiver: Receiver, tmp_path: Path
) -> None:
    from threading import Event, Thread

    from consumers.feedback.carrying import FeedbackSettings, Way, carry_feedback
    from consumers.feedback.database_sink import FeedbackDatabase
    from consumers.feedback.posting import Webhook
    from consumers.feedback.webhook_sink import FeedbackWebhook
    from schemas.exchange import load_exchange
    from schemas.kafka import ClientSettings
    from schemas.ops.health import Health

    places, stop, health = Places(exchange, receiver, tmp_path), Event(), Health()
    settings = FeedbackSettings(load_exchange(exchange.file), exchange.origin, ClientSettings(exchange.bootstrap))
    ways = [
        Way("feedback", lambda: FeedbackDatabase(places.database, exchange.origin, settings.names())),
        Way("feedback-webhook", lambda: FeedbackWebhook(tmp_path / "w.db", exchange.origin, Webhook(receiver.url))),
    ]
    receiver.status = 503
    carrying = Thread(target=carry_feedback, args=(settings, ways, stop, health))
    carrying.start()
    try:
        sent = send(exchange, 1, 60)
        wait_until(lambda: set(places.in_database()) == sent, "all in the database")
        wait_until(lambda: "got 503" in health.reasons().get("feedback-webhook", ""), "the reason")
        assert "feedback" not in health.reasons()
        labels = {"recipient": exchange.origin, "store": "feedback-webhook"}
        assert metrics.reading("sink_waiting", **labels) == 1
        assert receiver.kept == {}
        receiver.status = 200
        wait_until(lambda: set(receiver.kept) == sent, "all at the webhook")
        wait_until(lambda: health.reasons() == {}, "all well")
    finally:
        stop.set()
        carrying.join(60)
    assert not carrying.is_alive()


def test_what_it_is_told_wrongly_is_said_at_once(exchange: Exchange, tmp_path: Path) -> None:
    nowhere = exchange.command("feedback", "--force", exchange.origin)
    assert b"name where it goes: --into, --webhook, --file, or several" in nowhere.communicate(timeout=60)[1]
    other = exchange.command("feedback", "--force", exchange.member, "--file", str(tmp_path / "f.jsonl"))
    assert (
        f"expected a member of {exchange.member} that publishes ({exchange.origin})".encode() in other.communicate()[1]
    )
    both = ("--file", str(tmp_path / "f.jsonl"), "--into", str(tmp_path / "no-folder" / "f.db"))
    broken = exchange.command("feedback", "--force", exchange.origin, *both)
    assert b"cannot be opened" in broken.communicate(timeout=60)[1]
    assert broken.returncode == 1
