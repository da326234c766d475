"""Asks processes how they are: all at once, each within a time, so that one that hangs holds up nobody."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple

from deploy.status.exposition import parse
from deploy.status.picture import Picture, Process, answered, silent
from deploy.status.targets import Target
from schemas.errors import Rejected

_MOST_BYTES: Final = 64 * 1024 * 1024
_REFUSALS: Final = {ConnectionRefusedError: "connection refused", TimeoutError: "no answer in time"}


class Heard(NamedTuple):
    """What one target answered, as it came."""

    target: Target
    readiness: str = ""
    metrics: str = ""
    trouble: str = ""
    """Why there is no answer."""


class Looker:
    """Asks the same processes again and again. Call it from one thread."""

    def __init__(self, timeout_s: float = 3.0) -> None:
        self._timeout_s = timeout_s
        self._asking: dict[str, threading.Thread] = {}

    def look(self, targets: Sequence[Target]) -> Picture:
        """What each says now; whoever has not answered in time counts as silent."""
        heard: SimpleQueue[Heard] = SimpleQueue()
        until = time.monotonic() + self._timeout_s
        expected = sum(self._ask(target, heard) for target in targets)
        answers: dict[str, Heard] = {}
        while len(answers) < expected:
            try:
                answer = heard.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
            answers[answer.target.address] = answer
        at, late = time.time(), f"no answer in {self._timeout_s:g} s"
        # Read when all have been heard: to read a large answer takes time that another's must not run out in.
        return Picture(at, tuple(understood(answers.get(one.address) or Heard(one, trouble=late)) for one in targets))

    def _ask(self, target: Target, heard: SimpleQueue[Heard]) -> bool:
        """Ask in a thread of its own; not while an earlier question hangs, or they would pile up."""
        earlier = self._asking.get(target.address)
        if earlier is not None and earlier.is_alive():
            return False
        asking = threading.Thread(target=lambda: heard.put(ask(target, self._timeout_s)), daemon=True)
        self._asking[target.address] = asking
        asking.start()
        return True


def ask(target: Target, timeout_s: float) -> Heard:
    """Ask one process whether it is ready, and for its metrics."""
    try:
        readiness = _get(target, "/health/ready", timeout_s)
        return Heard(target, readiness, _get(target, "/metrics", timeout_s))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Heard(target, trouble=_trouble(error))


def understood(heard: Heard) -> Process:
    """What an answer says of the process that gave it."""
    if heard.trouble:
        return silent(heard.target, heard.trouble)
    try:
        return answered(heard.target, parse(heard.metrics), _reasons(heard.readiness))
    except Rejected as rejected:
        return silent(heard.target, str(rejected))


def _get(target: Target, path: str, timeout_s: float) -> str:
    host, _, port = target.address.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=timeout_s)
    try:
        connection.request("GET", path)
        return connection.getresponse().read(_MOST_BYTES).decode("utf-8", "replace")
    finally:
        connection.close()


def _reasons(body: str) -> Mapping[str, str]:
    try:
        told: Any = json.loads(body)
        return {str(component): _line(reason) for component, reason in told["reasons"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Rejected("not-ours", "it is no huecry process: it does not say whether it is ready") from None


def _line(text: object) -> str:
    return " ".join(str(text).split())[:300]


def _trouble(error: Exception) -> str:
    """Why there is no answer, in our own words: what a stranger sends is not repeated."""
    for kind, words in _REFUSALS.items():
        if isinstance(error, kind):
            return words
    return (error.strerror or type(error).__name__).lower() if isinstance(error, OSError) else "no HTTP"
