"""Runs the workers, and replaces one that dies or is stuck.

A worker's transactional call can hang for ever inside librdkafka and cannot be interrupted: a worker whose call has
taken longer than ``stuck_call_s``, or whose loop has been silent for ``silent_worker_s``, is ended with SIGKILL. A
fresh worker with the same names fences whatever the old one left behind and routes exactly what was missing.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from typing import Final

from routing.heart import SLOTS, Heart
from routing.settings import RouterSettings
from routing.worker import Assignment, work
from schemas.ops import metrics
from schemas.ops.health import Health
from schemas.ops.logs import get_logger

log = get_logger()

_LOOK_EVERY_S: Final = 0.2
_STOP_WITHIN_S: Final = 15.0
_FIRST_BACKOFF_S: Final = 0.2
_MOST_BACKOFF_S: Final = 10.0
_WELL_AFTER_S: Final = 30.0
_START_WITHIN_S: Final = 120.0
"""Many workers that start at once on few processors take long to load; ending them for it would begin that again."""


class Supervisor:
    """A fixed number of worker processes, kept running."""

    def __init__(self, assignment: Assignment, health: Health) -> None:
        self._settings: RouterSettings = assignment.settings
        self._health = health
        self._slots = [
            _Slot(replace(assignment, slot=slot, metrics_port=_port_of(assignment.metrics_port, slot)))
            for slot in range(self._settings.workers)
        ]

    def run(self, stop: threading.Event, on_look: Callable[[], None] = lambda: None) -> None:
        """Keep the workers running until `stop` is set, then let them finish."""
        for reason in ("died", "stuck-call", "not-started", "silent"):
            metrics.declare("workers_replaced_total", reason=reason)
        for slot in self._slots:
            slot.start()
        try:
            while not stop.wait(_LOOK_EVERY_S):
                for slot in self._slots:
                    slot.look(self._settings)
                self._report()
                on_look()
        finally:
            self._stop()

    def pids(self) -> list[int]:
        """Process ids of the present workers, by slot."""
        return [slot.pid for slot in self._slots]

    def _report(self) -> None:
        self._health.beat()
        ready = sum(slot.is_ready for slot in self._slots)
        metrics.set_gauge("workers", ready, state="running")
        metrics.set_gauge("workers", len(self._slots) - ready, state="starting")
        if ready == len(self._slots):
            self._health.ready("workers")
        else:
            cut_off = next((trouble for slot in self._slots if (trouble := slot.trouble)), "")
            why = f"{ready} of {len(self._slots)} workers have their partitions" + (f"; {cut_off}" if cut_off else "")
            self._health.unready(why, "workers")

    def _stop(self) -> None:
        deadline = time.monotonic() + _STOP_WITHIN_S
        for slot in self._slots:
            slot.ask_to_stop()
        for slot in self._slots:
            slot.end_by(deadline)
        metrics.set_gauge("workers", 0, state="running")


class _Slot:
    """One worker's place: its present process, and how to judge it."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._context = multiprocessing.get_context("spawn")
        self._cells = self._context.Array("d", SLOTS, lock=False)
        self._heart = Heart(self._cells, assignment.clients.bootstrap)
        self._process: BaseProcess | None = None
        self._started = 0.0
        self._backoff_s = _FIRST_BACKOFF_S
        self._start_at: float | None = None

    @property
    def pid(self) -> int:
        """Process id; 0 while there is none."""
        return (self._process.pid or 0) if self._process else 0

    @property
    def is_ready(self) -> bool:
        """Whether the worker runs, has its partitions, and has Kafka's ear."""
        is_running = self._process is not None and self._process.is_alive()
        return is_running and self._heart.ready and not self.trouble

    @property
    def trouble(self) -> str:
        """What the worker's loop, which may hang, does not say: that Kafka does not answer it."""
        return self._heart.kafka.trouble()

    def start(self) -> None:
        """Start a fresh process."""
        self._heart.still()
        self._process = self._context.Process(
            target=work, args=(self._assignment, self._cells), name=f"huecry-route-{self._assignment.slot}", daemon=True
        )
        self._process.start()
        self._started = time.monotonic()
        self._start_at = None

    def look(self, settings: RouterSettings) -> None:
        """End the worker if it is stuck; replace it if it is gone, later and later if that does not help."""
        if self._start_at is not None:
            if time.monotonic() >= self._start_at:
                self.start()
            return
        if reason := self._fault(settings):
            self._replace(reason)

    def _fault(self, settings: RouterSettings) -> str:
        if self._process is None or not self._process.is_alive():
            return "died"
        if self._heart.in_call_s() > settings.stuck_call_s:
            return "stuck-call"
        if not self._heart.has_beaten and time.monotonic() - self._started > _START_WITHIN_S:
            return "not-started"
        if self._heart.silent_s() > settings.silent_worker_s and not self._heart.in_call_s():
            return "silent"
        return ""

    def _replace(self, reason: str) -> None:
        metrics.increment("workers_replaced_total", reason=reason)
        log.error("worker replaced", slot=self._assignment.slot, pid=self.pid, reason=reason)
        if self._process is not None:
            self._process.kill()
            self._process.join()
        lasted = time.monotonic() - self._started
        self._backoff_s = _FIRST_BACKOFF_S if lasted > _WELL_AFTER_S else min(self._backoff_s * 2, _MOST_BACKOFF_S)
        self._heart.set_ready(ready=False)
        self._start_at = time.monotonic() + self._backoff_s

    def ask_to_stop(self) -> None:
        """Ask the worker to finish its batch and leave."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def end_by(self, deadline: float) -> None:
        """Wait for the worker to leave; end it at the deadline."""
        if self._process is None:
            return
        self._process.join(max(0.0, deadline - time.monotonic()))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _port_of(first: int | None, slot: int) -> int | None:
    """Workers serve their metrics on the ports after the supervisor's."""
    return None if first is None else first + 1 + slot
