"""Whoever starts a consumer sees what it waits for: on a terminal in words, in a log as one line."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from consumers.runner import Progress
from deploy.cli.consumer_screen import figures
from deploy.demo.crew import free_ports
from schemas.ops.health import Health
from tests.consumers.kafka_side import wait_until

PATIENCE_S = 120.0
EXCHANGE = "exchange: tests\nmembers:\n  north: {name: North, publishes: true}\n  west: {name: West, receives: true}\n"


@pytest.fixture
def nowhere() -> str:
    """An address at which no broker listens."""
    return f"127.0.0.1:{free_ports(1)}"


@pytest.fixture
def command(tmp_path: Path, nowhere: str) -> list[str]:
    (tmp_path / "exchange.yaml").write_text(EXCHANGE)
    words = ["consume", "--exchange", str(tmp_path / "exchange.yaml"), "--member", "west"]
    words += ["--into", str(tmp_path / "received.db"), "--bootstrap", nowhere]
    return [sys.executable, "-c", "from deploy.cli import main; main()", *words]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", "COLUMNS": "200"}


def test_a_terminal_names_the_broker_that_cannot_be_reached(command, nowhere):
    screen, its_end = pty.openpty()
    process = subprocess.Popen(command, stderr=its_end, stdout=subprocess.DEVNULL, env=environment())
    os.close(its_end)
    shown, deadline = b"", time.monotonic() + PATIENCE_S
    try:
        while f"waiting: no broker of Kafka can be reached at {nowhere}".encode() not in shown:
            assert time.monotonic() < deadline, shown[-2000:]
            shown += os.read(screen, 65536)
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def test_a_log_names_it_once(command, nowhere, tmp_path):
    log = tmp_path / "log"

    def told() -> list[dict[str, object]]:
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == "the subscriber waits for Kafka"]

    with log.open("w") as file:
        process = subprocess.Popen(command, stderr=file, stdout=subprocess.DEVNULL, env=environment())
    try:
        wait_until(lambda: bool(told()), "the log to say so", PATIENCE_S)
        (line,) = told()
        assert (line["broker"], line["kafka_error"]) == (nowhere, "_ALL_BROKERS_DOWN")
        process.terminate()
        assert process.wait(PATIENCE_S) == 0, "it ends in good order all the same"
    finally:
        process.kill()
        process.wait()


def test_the_line_of_figures_says_what_it_waits_for_and_nothing_when_it_waits_for_nothing():
    health = Health()
    health.ready("sink")
    assert figures(Progress(), health).endswith("0.0 s behind")
    assert figures(Progress(missing=3), health).endswith("0.0 s behind, 3 MISSING: see huecry replay")
    health.unready("the database is locked", "sink")
    assert figures(Progress(), health).endswith("0.0 s behind; waiting: the database is locked")
