"""All of compose.yaml, run as an operator runs it, under a name, on ports and with passwords of its own."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import time
import urllib.request
import uuid
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from deploy.broker import _free_port
from tests.images.engine import COMPOSE, DOCKER_COMPOSE, docker
from tests.images.service_settings import ONCE, OURS, published

_UP_S: Final = 420.0
_HEALTHY_S: Final = 240.0


class Composed:
    """One project of Docker Compose, and what may be asked of it."""

    def __init__(self, image: str, others: dict[str, str]) -> None:
        project = {"COMPOSE_PROJECT_NAME": f"huecry-test-{uuid.uuid4().hex[:8]}", "COMPOSE_FILE": str(COMPOSE)}
        self.services = (*OURS, *others)
        self.ports = {port.service: _free_port() for port in published()}
        self._grafana = secrets.token_hex(16)
        variables = {port.variable: str(self.ports[port.service]) for port in published()}
        images = {f"HUECRY_{service.upper()}_IMAGE": name for service, name in others.items()}
        words = {"HUECRY_POSTGRES_PASSWORD": secrets.token_hex(16), "HUECRY_GRAFANA_PASSWORD": self._grafana}
        self._environment = os.environ | project | variables | images | words | {"HUECRY_IMAGE": image}

    def say(self, *words: str) -> str:
        """Run a subcommand of Compose; what it printed."""
        return self._run([*DOCKER_COMPOSE, *words], None)

    def type(self, script: str, folder: Path) -> str:
        """Run shell commands as an operator types them, in a folder of the test's; what they printed."""
        compose = f'docker() {{ shift; {shlex.join(DOCKER_COMPOSE)} "$@"; }}'
        return self._run(["bash", "-e", "-c", f"{compose}\n{script}"], folder)

    def _run(self, command: list[str], folder: Path | None) -> str:
        told = subprocess.run(
            command,
            cwd=folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_UP_S,
            check=False,
        )
        assert told.returncode == 0, f"{command}\n{told.stdout[-2000:]}\n{told.stderr[-4000:]}"
        return told.stdout

    def up(self) -> None:
        """Start every service whose image is there; return when all that run on are healthy."""
        self.say("up", "--detach", "--no-build", *self.services)
        wait_until(lambda: set(self.health().values()) == {"healthy"}, _HEALTHY_S, self.health)

    def health(self) -> dict[str, str]:
        """Service → what its own health check says, of those that run on."""
        return {
            name: str(self.state(name).get("Health", {}).get("Status")) for name in self.services if name not in ONCE
        }

    def state(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container; empty where there is none."""
        container = self.say("ps", "--all", "--quiet", service).strip()
        told = docker("inspect", "--format", "{{json .State}}", container).stdout if container else ""
        return dict(json.loads(told)) if told.strip() else {}

    def rows(self, database: str, question: str) -> list[str]:
        """What PostgreSQL answers, a line for each row."""
        psql = ("psql", "--username=huecry", f"--dbname={database}", "--no-align", "--tuples-only")
        return self.say("exec", "-T", "postgres", *psql, f"--command={question}").splitlines()

    def get(self, service: str, path: str) -> Any:
        """What a published port answers, read as JSON."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[service]}{path}")
        if service == "grafana":
            request.add_header("Authorization", "Basic " + b64encode(f"admin:{self._grafana}".encode()).decode())
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  a port of this machine
            return json.load(answer)

    def down(self) -> None:
        """Remove containers, volumes and network."""
        self.say("down", "--volumes", "--timeout", "30")


def wait_until(true: Callable[[], bool], within_s: float, told: Callable[[], object]) -> None:
    """Return when something is true."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, told()
        time.sleep(0.5)
