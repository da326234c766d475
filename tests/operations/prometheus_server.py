"""A real Prometheus for tests: on a free port of this machine, with a folder of its own, gone when the test is."""

from __future__ import annotations

import json
import math
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import yaml

from deploy.child_process import end_child, start_child

T = TypeVar("T")

_PORTS: Final = range(12_000, 32_000)
"""Below the range from which systems take the near ends of outgoing connections."""
_START_S: Final = 120.0
_ANSWER_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.1


class Sample(NamedTuple):
    """One value of an answer."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """One server with the given configuration; ask it once `start` has returned."""

    def __init__(self, folder: Path, configuration: Mapping[str, Any]) -> None:
        self._folder = folder
        self._configuration = configuration
        self._port = 0
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it says of itself."""
        return self._folder / "prometheus.log"

    def start(self) -> None:
        """Start it, and return when it answers."""
        program = shutil.which("prometheus")
        assert program is not None, "checked by the fixture"
        settings = self._folder / "prometheus.yaml"
        settings.write_text(yaml.safe_dump(dict(self._configuration)))
        deadline = time.monotonic() + _START_S
        while not self._answers():
            assert time.monotonic() < deadline, self.log.read_text()
            if self._child is None or self._child.poll() is not None:
                self._port = secrets.choice(_PORTS)
                self._child = start_child(
                    [
                        program,
                        f"--config.file={settings}",
                        f"--storage.tsdb.path={self._folder / 'tsdb'}",
                        f"--web.listen-address=127.0.0.1:{self._port}",
                        "--log.level=warn",
                    ],
                    self.log,
                )
            time.sleep(_LOOK_EVERY_S)

    def stop(self) -> None:
        """End it."""
        if self._child is not None:
            end_child(self._child, 10)

    def ask(self, expr: str) -> list[Sample]:
        """The present value of an expression: its numbers, those that are not one (no observations) left out."""
        answer = self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expr}))
        data = answer["data"]
        found = [data["result"]] if data["resultType"] == "scalar" else [each["value"] for each in data["result"]]
        labels = [{}] if data["resultType"] == "scalar" else [each["metric"] for each in data["result"]]
        samples = [Sample(of, float(value)) for of, (_, value) in zip(labels, found, strict=True)]
        return [sample for sample in samples if not math.isnan(sample.value)]

    def alerts(self, state: str = "firing") -> list[dict[str, str]]:
        """The labels of the alerts in this state."""
        found = self._get("/api/v1/alerts")["data"]["alerts"]
        return [alert["labels"] for alert in found if alert["state"] == state]

    def get(self, path: str) -> Any:
        """The data of an answer of its interface."""
        return self._get(path)["data"]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=_ANSWER_S) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _get(self, path: str) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=_ANSWER_S) as answer:
                read: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"Prometheus refuses {urllib.parse.unquote_plus(path)}: {error.read()!r}") from error
        assert read["status"] == "success", read
        return read


def eventually(look: Callable[[], T], within_s: float, what: Callable[[], str]) -> T:
    """What `look` returns, once it is true; fails with what was there instead."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what()}"
        time.sleep(_LOOK_EVERY_S)
    return found
