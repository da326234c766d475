"""``huecry desk`` on the real broker, killed -9 again and again while its webhook comes and goes: everybody is told."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from deploy.broker import EmbeddedBroker
from deploy.provision import provision
from schemas.codec import stable_id
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings
from tests.consumers.case_making import SECRET, a_line, a_notice, an_event, case_record
from tests.consumers.kafka_side import wait_until
from tests.consumers.ledger_making import FORCE as RECORDED
from tests.deploy.notifying.webhook import Told, a_webhook

_LATER = datetime.now(UTC) + timedelta(hours=1)


class Desk:
    """A force of this test's own, and processes that tell of its cases."""

    def __init__(self, bootstrap: str, name: str, folder: Path) -> None:
        self.force, self.folder, self.bootstrap = f"{name}-force", folder, bootstrap
        self.file = folder / "exchange.yaml"
        self.file.write_text(
            f"exchange: {name}\npartitions: 1\nmembers:\n  {self.force}: {{name: A force, publishes: true}}\n"
            f"  {name}-p: {{name: The partner, receives: true}}\n"
        )
        self.properties = folder / "client.properties"
        self.properties.write_text("session.timeout.ms=1500\nheartbeat.interval.ms=300\n")
        self.clients = ClientSettings(bootstrap)
        provision(self.clients, load_exchange(self.file))
        self.producer = Producer(self.clients.producer_config())

    def opens(self, number: int) -> str:
        """A case is opened; its id."""
        value = case_record(a_line(), event=an_event(f"i-{number}"), notices=(a_notice(deadline=_LATER),))
        self.producer.produce(f"cases.{self.force}", value)
        assert self.producer.flush(20) == 0
        return stable_id("case", RECORDED, f"i-{number}")

    def starts(self, url: str) -> subprocess.Popen[bytes]:
        options = ["--exchange", str(self.file), "--bootstrap", self.bootstrap, "--force", self.force]
        options += ["--notify", url, "--remember", str(self.folder / "told.db")]
        options += ["--client-properties", str(self.properties)]
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", "from deploy.cli import main; main()", "desk", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )


def _cases(told: Told) -> set[str]:
    return {body["case_id"] for body in told.bodies}


@pytest.fixture
def desk(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Desk:
    return Desk(broker.bootstrap, unique, tmp_path)


def test_a_desk_killed_and_a_webhook_away_leave_nobody_untold_and_hardly_anybody_told_twice(desk: Desk) -> None:
    expected, kills = set(), 3
    with a_webhook() as told:
        told.answers = [503, 500, 204, 429]
        for turn in range(kills):
            expected |= {desk.opens(10 * turn + number) for number in range(10)}
            running = desk.starts(told.url)
            try:
                wait_until(lambda turn=turn: len(_cases(told)) > 10 * turn + 3, "some of them told")
            finally:
                running.kill()
                running.communicate()
        last = desk.starts(told.url)
        # One more, so that it is seen to be at work before it is asked to end.
        expected.add(desk.opens(10 * kills))
        try:
            wait_until(lambda: _cases(told) == expected, "all of them told")
        finally:
            last.terminate()
            _, said = last.communicate(timeout=60)
        assert last.returncode == 0, said.decode()
        # Only what was being told when its desk was killed may have been told again.
        assert len(told.bodies) <= len(expected) + kills
        assert {body["notice_id"] for body in told.bodies} == {headers["Idempotency-Key"] for headers in told.headers}
        assert len({body["notice_id"] for body in told.bodies}) == len(expected)
        again = desk.starts(told.url)
        try:
            expected.add(desk.opens(99))
            wait_until(lambda: _cases(told) == expected, "a new one told")
        finally:
            again.terminate()
            again.communicate(timeout=60)
        assert len(told.bodies) <= len(expected) + kills, "a desk that starts again tells nothing again"
        assert all(SECRET.encode() not in raw and b"i-1" not in raw for raw in told.raw)
        assert SECRET not in said.decode()
