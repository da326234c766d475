"""The processes of the demonstration: each is an ordinary ``huecry`` command, as an operator would start it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from deploy.child_process import end_child, start_child
from deploy.status.targets import Target
from schemas.errors import Fatal

_GRACE_S = 25.0
"""More than a supervisor gives its workers: one that is killed while it waits for them cannot collect them."""


@dataclass
class Crew:
    """Child processes by name, each with a log of its own; all end when this process ends."""

    logs: Path
    ports: dict[str, int] = field(default_factory=dict)
    """Where each process serves its metrics and health."""
    _targets: dict[str, tuple[Target, ...]] = field(default_factory=dict)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _said: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    """Commands that people run: they end by themselves."""

    def start(self, name: str, *arguments: str, ports: int = 1) -> None:
        """Start ``huecry`` with these arguments; it serves its metrics on the first of so many free ports.

        The name is the command's and, if it works for one, the member's; of a member's second system, its name too:
        consume-north-yorkshire, produce-greater-manchester.duty-desk.
        """
        self.ports[name] = free_ports(ports)
        self._targets[name] = tuple(_targets(name, range(self.ports[name], self.ports[name] + ports)))
        command = [*huecry(), *arguments, "--metrics-port", str(self.ports[name])]
        self._running[name] = start_child(command, self.logs / f"{name}.log")

    def say(self, name: str, *arguments: str) -> None:
        """Run a ``huecry`` command that ends by itself, as a person at a terminal would."""
        self._said[name] = start_child([*huecry(), *arguments], self.logs / f"{name}.log")

    def ready(self) -> bool:
        """Whether every process that runs says that it is ready."""
        return all(_is_ready(self.ports[name]) for name in self.pids())

    def check(self, *, may_finish: Sequence[str] = ()) -> None:
        """See that all are well.

        Raises:
            Fatal: one ended that should not have, or ended badly; names its log.
        """
        for name, child in (self._running | self._said).items():
            code = child.poll()
            if code is not None and not (code == 0 and (name in may_finish or name in self._said)):
                raise Fatal(f"{name} ended with code {code}: see {self.logs / f'{name}.log'}")

    def finished(self, names: Sequence[str]) -> bool:
        """Whether these have all ended."""
        started = self._running | self._said
        return all(started[name].poll() is not None for name in names)

    def pids(self) -> Mapping[str, int]:
        """Process ids of those that run."""
        return {name: child.pid for name, child in self._running.items() if child.poll() is None}

    def targets(self) -> tuple[Target, ...]:
        """Where those that run serve their metrics, a router's workers too."""
        return tuple(target for name in self.pids() for target in self._targets[name])

    def stop(self) -> None:
        """Ask all to end at once, and see that they do."""
        running = [child for child in (self._running | self._said).values() if child.poll() is None]
        for child in running:
            child.terminate()
        for child in running:
            end_child(child, _GRACE_S)


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody listens on."""
    while True:
        with ExitStack() as held:
            first = held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            try:
                for port in range(first + 1, first + count):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return int(first)


def _targets(name: str, ports: Sequence[int]) -> Iterator[Target]:
    service, _, whose = name.partition("-")
    member = whose.partition(".")[0]
    for place, port in enumerate(ports):
        yield Target(f"127.0.0.1:{port}", f"{service}-worker" if place else service, member)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def huecry() -> list[str]:
    """The command that runs ``huecry``, wherever it was installed."""
    beside = Path(sys.executable).with_name("huecry")
    found = str(beside) if beside.exists() else shutil.which("huecry")
    return [found] if found else [sys.executable, "-c", "from deploy.cli import main; main()"]
