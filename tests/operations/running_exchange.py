"""An exchange that runs: a broker and the ordinary commands of two forces, a router, and three recipients.

Each process keeps its metrics port when it is stopped and started again, as an operator's does.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psutil
from confluent_kafka import Producer

from deploy.broker import EmbeddedBroker
from deploy.policy_publishing import PolicyDesk
from deploy.provision import provision
from deploy.status.targets import target, targets_document
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.topics import incidents_topic
from tests.chaos.exchange import Parties
from tests.chaos.processes import Process

_PORTS: Final = range(12_000, 32_000)
"""Below the range from which systems take the near ends of outgoing connections: a stopped process keeps its port."""
_READY_S: Final = 240.0
_RATE: Final = "3"
WORKERS: Final = 1


class RunningExchange:
    """Everything that runs, by name: produce-<force>, route, consume-<member>, ledger-<force>."""

    def __init__(self, folder: Path, broker: EmbeddedBroker) -> None:
        self.broker = broker
        self.parties = Parties(folder, "operations")
        self.exchange: Exchange
        self.processes: dict[str, Process] = {}
        self._ports: dict[str, tuple[int, ...]] = {}
        self._logs = folder / "logs"
        self._clients = ClientSettings(broker.bootstrap)

    def start(self) -> None:
        """Make topics, put the agreements in force, start every process; returns when all are ready."""
        self.exchange, bundle = self.parties.write()
        self._logs.mkdir()
        provision(self._clients, self.exchange)
        PolicyDesk(self.exchange, self._clients).publish(bundle)
        folder = self.parties.folder
        self._add("route", "route", "--workers", str(WORKERS), "--session-timeout", "6", ports=1 + WORKERS)
        for member in self.parties.recipients:
            self._add(f"consume-{member}", "consume", "--member", member, "--into", str(folder / f"{member}.db"))
        for seed, force in enumerate(self.parties.origins, 1):
            self._add(f"ledger-{force}", "ledger", "--force", force, "--into", str(folder / f"{force}-ledger.db"))
            told = ("--synthetic", "--seed", str(seed), "--rate", _RATE, "--spool", str(folder / f"{force}.spool"))
            self._add(f"produce-{force}", "produce", "--force", force, *told)
        for forces in (False, True):  # what comes before somebody takes it would be late at everybody's
            for name, process in self.processes.items():
                if name.startswith("produce-") is forces:
                    process.start()
            self._wait_until_ready()

    def targets(self) -> list[dict[str, object]]:
        """Where metrics are served, and who serves them there: as Prometheus' file_sd reads it."""
        every = [
            target(f"127.0.0.1:{port}", f"{service}-worker" if place else service, member)
            for name, ports in self._ports.items()
            for service, _, member in [name.partition("-")]
            for place, port in enumerate(ports)
        ]
        return targets_document(every)

    def _wait_until_ready(self) -> None:
        """Wait until every process that runs says that it is ready."""
        deadline = time.monotonic() + _READY_S
        running = [name for name, process in self.processes.items() if process.running]
        while lacking := [name for name in running if not self._is_ready(name)]:
            ended = [name for name, process in self.processes.items() if process.ended is not None]
            assert not ended, f"{ended} ended: see {self._logs}"
            assert time.monotonic() < deadline, f"{lacking} not ready: see {self._logs}"
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask everything to end."""
        for process in self.processes.values():
            process.ask_to_end()
        for process in self.processes.values():
            if process.running:
                process.wait()

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """This process is stopped meanwhile, and started again."""
        process = self.processes[name]
        process.ask_to_end()
        process.wait()
        try:
            yield
        finally:
            process.start()

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Kafka answers nobody meanwhile: its process stands still, and goes on."""
        os.kill(self.broker.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.broker.pid, signal.SIGCONT)

    def workers(self) -> list[int]:
        """Process ids of the router's present workers."""
        children = psutil.Process(self.processes["route"].pid).children()
        return [child.pid for child in children if "multiprocessing.spawn" in " ".join(child.cmdline())]

    def poison(self, force: str) -> None:
        """Put a record on a force's topic that is no event."""
        producer = Producer(self._clients.producer_config(self.exchange.limits))
        producer.produce(incidents_topic(force), b"not an event", b"nothing")
        assert producer.flush(_READY_S) == 0

    def _add(self, name: str, command: str, *arguments: str, ports: int = 1) -> None:
        self._ports[name] = free_ports(ports)
        common = ("--exchange", str(self.parties.exchange_file), "--bootstrap", self.broker.bootstrap)
        serving = ("--metrics-port", str(self._ports[name][0]))
        self.processes[name] = Process(name, self._logs, [command, *common, *arguments, *serving])

    def _is_ready(self, name: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ports[name][0]}/health/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def free_ports(count: int) -> tuple[int, ...]:
    """So many ports in a row that nobody listens on."""
    while True:
        first = secrets.choice(_PORTS)
        ports = tuple(range(first, first + count))
        with ExitStack() as held:
            try:
                for port in ports:
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return ports
