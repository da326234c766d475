"""What every process said at one time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from deploy.status.exposition import Samples, label
from deploy.status.targets import Target
from schemas.ops.metric_catalogue import SERVICES

HANGS_AFTER_S: Final = 30.0
"""A main loop that has not come round for so long does nothing, whatever else the process says of itself."""
UNKNOWN: Final = "process"
"""The service of a process that neither it nor its target names."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process as it answered, or did not."""

    target: Target
    samples: Samples | None = None
    """None: it did not answer."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Component → why it is not ready; empty when it is."""
    trouble: str = ""
    """Why there is no answer: never what a stranger answered."""
    service: str = UNKNOWN
    whose: str = ""
    """The member it works for, or the exchange."""

    @property
    def address(self) -> str:
        """Where it serves its metrics."""
        return self.target.address

    @property
    def is_up(self) -> bool:
        """Whether it answered."""
        return self.samples is not None

    @property
    def is_ready(self) -> bool:
        """Whether it answered, and does its work."""
        return self.is_up and not self.reasons

    @property
    def started_at(self) -> float | None:
        """When it started; None while it does not answer."""
        return None if self.samples is None else self.samples.started_at


@dataclass(frozen=True, slots=True)
class Picture:
    """Every process at one time, in seconds since the epoch."""

    at: float
    processes: tuple[Process, ...] = ()

    def of(self, *services: str) -> Iterator[Process]:
        """The processes of these services."""
        return (process for process in self.processes if process.service in services)

    def at_address(self, address: str) -> Process | None:
        """The process of an address, if it was asked."""
        return next((process for process in self.processes if process.address == address), None)


def answered(target: Target, samples: Samples, reasons: Mapping[str, str]) -> Process:
    """A process that answered: it knows best what it is."""
    said = next(iter(samples.gauge("process_info")), frozenset())
    service, whose = label(said, "service") or _service(target), label(said, "whose") or target.member
    silent_s = max(samples.gauge("loop_silent_seconds").values(), default=0.0)
    if silent_s > HANGS_AFTER_S:
        reasons = {**reasons, "loop": f"it hangs: its main loop has not come round for {silent_s:.0f} s"}
    return Process(target, samples, reasons, service=service, whose=whose)


def silent(target: Target, trouble: str) -> Process:
    """A process that did not answer: what its target says of it is all that is known."""
    return Process(target, trouble=trouble, service=_service(target), whose=target.member)


def named(now: Picture, before: Picture | None) -> Picture:
    """A picture in which those who fell silent bear the name by which they were known."""
    known = {process.address: process for process in before.processes} if before else {}
    return replace(now, processes=tuple(_named(process, known.get(process.address)) for process in now.processes))


def _named(process: Process, known: Process | None) -> Process:
    if process.is_up or known is None:
        return process
    service = known.service if process.service == UNKNOWN else process.service
    return replace(process, service=service, whose=process.whose or known.whose)


def _service(target: Target) -> str:
    return target.job if target.job in SERVICES else UNKNOWN
