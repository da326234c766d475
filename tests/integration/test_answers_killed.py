"""Answers on the real broker, by row and by call, while the consumer is killed: each is told once, and none is lost."""

from __future__ import annotations

import itertools
import json
import random
import socket
import sqlite3
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker
from schemas.records import ReceiptEntry
from tests.consumers.kafka_side import ROUTER_PARTITIONS, Exchange, wait_until
from tests.consumers.making import delivery_bytes

INCIDENTS = 240
KILLS = 5


@pytest.fixture
def exchange(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Exchange:
    return Exchange(broker.bootstrap, unique, tmp_path)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ReceivingSystem:
    """Answers every transfer that it finds waiting: one in two by a row, the others by a call."""

    def __init__(self, path: Path, port: int, seed: int) -> None:
        self._path, self._port = path, port
        self._random = random.Random(seed)
        self.answered: dict[str, str] = {}
        """Incident → the log number that it was accepted under."""
        self._unheard: dict[str, str] = {}
        """The same of calls whose answer was not heard."""
        self._log_numbers = itertools.count(1)
        self.refused = 0

    def answer_some(self) -> None:
        """Whatever waits and was not answered yet; a call whose answer was not heard is made again until it is."""
        for incident, reference in dict(self._unheard).items():
            self._call(incident, reference)
        for incident in self._waiting():
            if incident in self.answered or incident in self._unheard:
                continue
            reference = f"GMP-{next(self._log_numbers)}"
            if self._random.random() < 0.5:
                self._insert(incident, reference)
                self.answered[incident] = reference
            else:
                self._unheard[incident] = reference
                self._call(incident, reference)

    def _waiting(self) -> list[str]:
        with closing(sqlite3.connect(self._path, timeout=30)) as database:
            return [row[0] for row in database.execute("SELECT incident_id FROM awaiting ORDER BY asked_at")]

    def _insert(self, incident: str, reference: str) -> None:
        with closing(sqlite3.connect(self._path, timeout=30)) as database:
            database.execute(
                "INSERT INTO answer (incident_id, kind, reference) VALUES (?, 'accepted', ?)", (incident, reference)
            )
            database.commit()

    def _call(self, incident: str, reference: str) -> None:
        body = json.dumps({"incident_id": incident, "kind": "accepted", "reference": reference})
        try:
            with closing(HTTPConnection("127.0.0.1", self._port, timeout=5)) as connection:
                connection.request("POST", "/answers", body)
                status = connection.getresponse().status
        except (OSError, HTTPException):
            return
        self.refused += status not in (202, 503)
        if status == 202:
            self.answered[incident] = self._unheard.pop(incident)


def deliver(exchange: Exchange, count: int, numbers: itertools.count[int]) -> None:
    """Transfers of new incidents, a transaction of each few."""
    producer = exchange.router()
    for _ in range(count // 10):
        producer.begin_transaction()
        for number in itertools.islice(numbers, 10):
            producer.produce(
                f"partner.{exchange.member}",
                delivery_bytes(
                    f"i-{number}",
                    number,
                    member=exchange.member,
                    origin=exchange.origin,
                    stream=number % ROUTER_PARTITIONS,
                    kind="transfer",
                    terms={"addressed_to_you": True},
                ),
            )
        producer.commit_transaction(10)


def told(exchange: Exchange) -> dict[str, dict[str, tuple[int, ReceiptEntry]]]:
    """Of each incident the acceptances in Kafka: each once however often it was sent, with its partition."""
    found: dict[str, dict[str, tuple[int, ReceiptEntry]]] = defaultdict(dict)
    for partition, _, receipt in exchange.receipts():
        if receipt.kind == "accepted":
            for entry in receipt.entries:
                found[entry.incident_id][receipt.model_dump_json()] = (partition, entry)
    return found


def has_tables(path: Path) -> bool:
    """Whether the consumer has made its database."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(path, timeout=30)) as database:
        return bool(database.execute("SELECT 1 FROM sqlite_master WHERE name = 'awaiting'").fetchone())


@contextmanager
def at_work(system: ReceivingSystem) -> Iterator[None]:
    """Have the receiving system answer in a thread of its own."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            system.answer_some()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)


@pytest.mark.timeout(900)
def test_an_answer_is_told_once_whatever_is_killed_when(exchange: Exchange, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance, port, into = random.Random(seed), free_port(), tmp_path / "received.db"
    system, numbers = ReceivingSystem(into, port, seed), itertools.count(1)
    arguments = ("--member", exchange.member, "--into", str(into), "--answers-port", str(port))
    consumer: subprocess.Popen[bytes] = exchange.command("consume", *arguments)
    wait_until(lambda: consumer.poll() is not None or has_tables(into), "the tables")
    with at_work(system):
        for number in range(KILLS + 1):
            deliver(exchange, INCIDENTS // (KILLS + 1), numbers)
            if number == KILLS:
                break
            goal = len(system.answered) + chance.randrange(1, INCIDENTS // (KILLS + 1))
            wait_until(lambda goal=goal: len(system.answered) >= goal, "some answers")
            consumer.kill()
            _, said = consumer.communicate()
            assert consumer.returncode < 0, said.decode()
            consumer = exchange.command("consume", *arguments)
        wait_until(lambda: len(system.answered) == INCIDENTS, "every answer")
    consumer.kill()
    consumer.communicate()
    last = exchange.command("consume", *arguments, "--until-idle", "2")
    _, said = last.communicate(timeout=120)
    assert last.returncode == 0, said.decode()

    assert system.refused == 0
    acceptances = told(exchange)
    assert {incident: len(once) for incident, once in acceptances.items()} == dict.fromkeys(system.answered, 1)
    for incident, once in acceptances.items():
        ((partition, entry),) = once.values()
        assert entry.reference == system.answered[incident]
        assert partition == int(incident[2:]) % ROUTER_PARTITIONS
    with closing(sqlite3.connect(into)) as database:
        assert database.execute("SELECT count(*) FROM awaiting").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM receipt_outbox").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM answer WHERE taken_at IS NULL").fetchone() == (0,)
        ours = dict(database.execute("SELECT incident_id, our_reference FROM incident"))
    assert ours == system.answered
