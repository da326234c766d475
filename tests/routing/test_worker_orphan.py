"""A worker never outlives its supervisor."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.ending import has_ended

BUNDLE = Path(__file__).parent / "agreements" / "bundle"

SUPERVISING = """
import sys, threading, time
from pathlib import Path
from routing.agreements import load_bundle
from routing.settings import RouterSettings
from routing.supervisor import Supervisor
from routing.worker import Assignment
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.ops.health import Health

if __name__ == "__main__":
    bundle = load_bundle(Path(sys.argv[1]))
    members = {"west-yorkshire": {"name": "WY", "publishes": True, "receives": True}}
    nobody = ClientSettings("127.0.0.1:1")
    exchange = Exchange(exchange="orphans", members=members)
    told = Assignment(exchange, RouterSettings(workers=2), nobody, bundle.to_bytes(), bundle.hash, 0)
    supervisor = Supervisor(told, Health())
    threading.Thread(target=supervisor.run, args=(threading.Event(),), daemon=True).start()
    while 0 in supervisor.pids():
        time.sleep(0.05)
    print(*supervisor.pids(), flush=True)
    time.sleep(600)
"""


def wait_until(condition, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def is_waiting_for_kafka(worker: psutil.Process) -> bool:
    """librdkafka's threads are there: it has come to its first call, which no broker ever answers."""
    return not has_ended(worker) and worker.num_threads() > 3


def test_workers_that_wait_for_a_broker_end_when_their_supervisor_is_killed(tmp_path):
    script = tmp_path / "supervising.py"
    script.write_text(SUPERVISING)
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, str(script), str(BUNDLE)], stdout=subprocess.PIPE, stderr=log, text=True
        ) as supervisor,
    ):
        try:
            assert supervisor.stdout is not None
            workers = [psutil.Process(int(pid)) for pid in supervisor.stdout.readline().split()]
            assert len(workers) == 2
            for worker in workers:
                wait_until(lambda worker=worker: is_waiting_for_kafka(worker), 60, "a worker never came to Kafka")
        finally:
            supervisor.kill()
    for worker in workers:
        wait_until(lambda worker=worker: has_ended(worker), 10, "a worker outlived its supervisor")
