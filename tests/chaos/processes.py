"""The exchange as real processes: ordinary ``huecry`` commands, killed with SIGKILL and started again at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from deploy.child_process import start_child
from tests.chaos.exchange import Parties

_HUECRY = (sys.executable, "-c", "from deploy.cli import main; main()")
_GRACE_S = 30.0
WORKERS = 2


class EndedByItself(AssertionError):
    """A process ended that should have gone on, and nobody killed it."""


class Process:
    """One command, started again whenever it was killed; its output is in one log."""

    def __init__(self, name: str, folder: Path, arguments: Sequence[str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._arguments = arguments
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the present one."""
        assert self._child is not None
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def ended(self) -> int | None:
        """The exit code, if it has ended by itself."""
        return None if self._child is None else self._child.poll()

    def start(self) -> None:
        """Start it; it ends when this process ends, however that happens."""
        self._child = start_child([*_HUECRY, *self._arguments], self.log)

    def kill(self) -> None:
        """SIGKILL, and start it again at once."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()
        self.start()

    def ask_to_end(self) -> None:
        """SIGTERM."""
        if self.running:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> int:
        """The exit code, once it has ended; killed if it does not."""
        assert self._child is not None
        try:
            return self._child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    def check(self, *, may_finish: bool) -> None:
        """See that it runs, or has finished well where it may.

        Raises:
            EndedByItself: it does not; names its log.
        """
        if self.ended is not None and not (may_finish and self.ended == 0):
            raise EndedByItself(f"{self.name} ended by itself with code {self.ended}: see {self.log}")


class Processes:
    """Everything that runs: two producers, a router with its workers, three consumers, two ledgers."""

    def __init__(self, parties: Parties, bootstrap: str, *, seed: int, events: int, rate: float) -> None:
        """Describe them; `events` and `rate` (events a second) are each origin's."""
        self._parties = parties
        self._logs = parties.folder / "logs"
        self._logs.mkdir()
        self._common = ("--exchange", str(parties.exchange_file), "--bootstrap", bootstrap)
        reader = self._reader_properties()
        told = ("--synthetic", "--seed", str(seed), "--events", str(events), "--rate", str(rate))
        self.producers = [
            self._make("produce", origin, "--force", origin, *told, "--spool", str(self.spool(origin)))
            for origin in parties.origins
        ]
        rules = ("--agreements", str(parties.agreements), "--workers", str(WORKERS), "--session-timeout", "6")
        self.router = self._make("route", "", *rules)
        self.consumers = [
            self._make("consume", member, "--member", member, "--into", str(self.receiving(member)), *reader)
            for member in parties.recipients
        ]
        self.ledgers = [
            self._make("ledger", origin, "--force", origin, "--into", str(self.ledger(origin)), *reader)
            for origin in parties.origins
        ]

    def spool(self, origin: str) -> Path:
        """The spool of an origin."""
        return self._parties.folder / f"{origin}.spool"

    def receiving(self, member: str) -> Path:
        """The database of a recipient."""
        return self._parties.folder / f"{member}.db"

    def ledger(self, origin: str) -> Path:
        """The ledger of an origin."""
        return self._parties.folder / f"{origin}-ledger.db"

    @property
    def all(self) -> list[Process]:
        """Every process, in the order of the flow."""
        return [*self.producers, self.router, *self.consumers, *self.ledgers]

    def workers(self) -> list[int]:
        """Process ids of the router's present workers."""
        try:
            children = psutil.Process(self.router.pid).children()
            return [child.pid for child in children if "multiprocessing.spawn" in " ".join(child.cmdline())]
        except psutil.NoSuchProcess:
            return []

    def check(self) -> None:
        """See that all are well; producers may have finished.

        Raises:
            EndedByItself: one is not.
        """
        for process in self.all:
            process.check(may_finish=process in self.producers)

    def stop(self) -> dict[str, int]:
        """Ask all to end; their exit codes."""
        for process in self.all:
            process.ask_to_end()
        return {process.name: process.wait() for process in self.all}

    def kill(self) -> None:
        """End everything at once, where a test has failed."""
        workers = self.workers() if self.router.running else []
        for process in self.all:
            if process.running:
                os.kill(process.pid, signal.SIGKILL)
        for pid in workers:
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)

    def _make(self, command: str, member: str, *arguments: str) -> Process:
        name = f"{command}-{member}" if member else command
        return Process(name, self._logs, [command, *self._common, *arguments])

    def _reader_properties(self) -> tuple[str, str]:
        """A killed reader's partitions move at once, so that what comes next can be killed too."""
        path = self._parties.folder / "client.properties"
        path.write_text("session.timeout.ms=2000\nheartbeat.interval.ms=400\n", encoding="utf-8")
        return "--client-properties", str(path)
