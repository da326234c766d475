"""One small exchange of containers in a network of their own: servers and processes set up as compose.yaml says."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from typing import Any, Self

import psycopg
from docker.models.containers import Container

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # one image less; every container here is removed by name

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from tests.images.engine import DEPLOY
from tests.images.service_settings import OURS, SERVICES, bind_mounts, filled, healthcheck

_HEALTHY_S = 180
_DONE_S = 180
_STOP_S = 30
_LOCKED_DOWN = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "init": True}


class Containers:
    """Kafka, PostgreSQL and whatever processes of ours a test starts; all end with it."""

    def __init__(self, image: str, servers: dict[str, str]) -> None:
        self._image = image
        self._servers = servers
        self._password = secrets.token_hex(16)
        self._network = Network()
        self._running: dict[str, DockerContainer] = {}

    def __enter__(self) -> Self:
        self._network.create()
        try:
            for service in ("kafka", "postgres"):
                self._serve(service)
            for service in ("kafka", "postgres"):
                self.wait_healthy(service)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for container in reversed(self._running.values()):
            container.stop()
        self._network.remove()

    def run(self, *arguments: str) -> str:
        """Run a command of ours to its end; what it printed."""
        container = self._ours(arguments)
        try:
            ended = container.start().get_wrapped_container().wait(timeout=_DONE_S)
            out, err = container.get_logs()
            assert ended["StatusCode"] == 0, err.decode()
            return out.decode()
        finally:
            container.stop()

    def start(self, name: str, *arguments: str) -> None:
        """Start a process of ours that runs on; return when it says that it is healthy."""
        self._running[name] = self._ours(arguments).with_network_aliases(name).start()
        self.wait_healthy(name)

    def kill(self, name: str) -> None:
        """End a container without a word of warning."""
        self._running[name].get_wrapped_container().kill()

    def start_again(self, name: str) -> None:
        """Start a container that ended; return when it says that it is healthy."""
        self._running[name].get_wrapped_container().start()
        self.wait_healthy(name)

    def stop(self, name: str) -> int:
        """Ask a container to end, as an engine does that is told to stop it; its exit code."""
        container = self._running[name].get_wrapped_container()
        container.stop(timeout=_STOP_S)
        return int(container.wait(timeout=_STOP_S)["StatusCode"])

    def wait_healthy(self, name: str) -> None:
        """Return when a container's own health check says so; it may say otherwise before."""
        container = self._running[name].get_wrapped_container()
        deadline = time.monotonic() + _HEALTHY_S
        while (state := self._state(container))["Health"]["Status"] != "healthy":
            assert state["Running"], f"{name} ended: {container.logs(tail=20).decode()}"
            assert time.monotonic() < deadline, f"{name}: {state['Health']['Log'][-1:]}"
            time.sleep(0.5)

    def is_running(self, name: str) -> bool:
        """Whether a container runs; none is started anew by the engine."""
        return bool(self._state(self._running[name].get_wrapped_container())["Running"])

    @staticmethod
    def _state(container: Container) -> dict[str, Any]:
        container.reload()
        return dict(container.attrs["State"])

    def ask(self, database: str, question: str) -> list[tuple[Any, ...]]:
        """Rows of a database, over its published port."""
        server = self._running["postgres"]
        where = {"host": server.get_container_host_ip(), "port": server.get_exposed_port(5432), "user": "huecry"}
        with psycopg.connect(dbname=database, password=self._password, **where) as connection:
            return connection.execute(question).fetchall()  # type: ignore[arg-type]

    def _serve(self, service: str) -> None:
        given = {"HUECRY_POSTGRES_PASSWORD": self._password}
        environment = {name: filled(each, given) for name, each in SERVICES[service]["environment"].items()}
        container = (
            DockerContainer(self._servers[service])
            .with_envs(**environment)
            .with_network(self._network)
            .with_network_aliases(service)
            .with_kwargs(healthcheck=healthcheck(service))
        )
        for source, target in bind_mounts(SERVICES[service]):
            container.with_volume_mapping(source, target)
        if service == "postgres":
            container.with_exposed_ports(5432)
        self._running[service] = container.start()

    def _ours(self, arguments: Sequence[str]) -> DockerContainer:
        environment = OURS["consume-greater-manchester"]["environment"]
        given = {"HUECRY_POSTGRES_PASSWORD": self._password}
        return (
            DockerContainer(self._image)
            .with_command(list(arguments))
            .with_envs(**{name: filled(each, given) for name, each in environment.items()})
            .with_network(self._network)
            .with_volume_mapping(DEPLOY / "demo", "/etc/huecry")
            .with_tmpfs_mount("/tmp")
            .with_tmpfs_mount("/var/lib/huecry", "size=16m,uid=10001,mode=0750")
            .with_kwargs(**_LOCKED_DOWN)
        )
