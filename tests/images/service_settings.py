"""compose.yaml as tests read it: services, what they mount and publish, and their settings as the engine takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from tests.images.engine import COMPOSE, DEPLOY

TEXT: Final = COMPOSE.read_text("utf-8")
FILE: Final = yaml.safe_load(TEXT)
SERVICES: Final = FILE["services"]
OURS: Final = {name: each for name, each in SERVICES.items() if each["image"].startswith("${HUECRY_IMAGE:-")}
ONCE: Final = tuple(name for name, each in OURS.items() if each["restart"].startswith("on-failure"))
"""Those that do their work and end."""
_VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+):(?P<kind>[?-])(?P<rest>[^}]*)\}")
_UNITS_NS: Final = {"s": 1_000_000_000, "m": 60_000_000_000}


class Port(NamedTuple):
    """A port that a service publishes."""

    service: str
    address: str
    variable: str
    outside: int
    inside: int


def filled(value: Any, given: Mapping[str, str]) -> str:
    """A value with its variables filled in, from what is given or from its default."""
    return _VARIABLE.sub(lambda found: given.get(found["name"], found["rest"]), str(value))


def variables() -> dict[str, str | None]:
    """Every variable that the file reads → its default; None where it must be given."""
    found = _VARIABLE.finditer(TEXT)
    return {each["name"]: each["rest"] if each["kind"] == "-" else None for each in found}


def bind_mounts(service: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Folder or file of the repository → where the container finds it."""
    for mount in service.get("volumes", ()):
        source, target, *_ = mount.split(":")
        if source.startswith("."):
            yield (DEPLOY / source).resolve(), target


def published() -> Iterator[Port]:
    """All that is published."""
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            found = re.fullmatch(r"([\d.]+):\$\{(\w+):-(\d+)\}:(\d+)", port)
            assert found is not None, port
            yield Port(name, found[1], found[2], int(found[3]), int(found[4]))


def healthcheck(service: str) -> dict[str, Any]:
    """A service's health check as the engine's interface has it, looking every second."""
    check = SERVICES[service]["healthcheck"]
    times = {name: _nanoseconds(check[name]) for name in ("timeout", "start_period")}
    return {"test": check["test"], "interval": _nanoseconds("1s"), "retries": check["retries"]} | times


def _nanoseconds(duration: str) -> int:
    return int(duration[:-1]) * _UNITS_NS[duration[-1]]
