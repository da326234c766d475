"""Who is killed when: a plan that follows from a seed, and its execution against the progress of a run."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.chaos.processes import Process, Processes

Role = Literal["producer", "worker", "supervisor", "consumer", "ledger"]

_WEIGHTS: Final[dict[Role, int]] = {"worker": 4, "consumer": 3, "producer": 2, "supervisor": 1, "ledger": 1}
_FIRST, _LAST = 0.02, 0.93
_MOST_JITTER_S = 0.15


@dataclass(frozen=True, order=True)
class Kill:
    """One kill."""

    at: float
    """When this share of all is done: of a producer events published, of the others deliveries durable."""
    role: Role
    which: int
    """Chooses one of those who have the role."""
    jitter_s: float
    """And so much later, so that no kill keeps time with anybody's commits."""


def plan_kills(seed: int, count: int) -> list[Kill]:
    """So many kills, every role at least once, at moments spread at random over the run."""
    chance = random.Random(seed)
    roles: list[Role] = [*_WEIGHTS, *chance.choices([*_WEIGHTS], [*_WEIGHTS.values()], k=count - len(_WEIGHTS))]
    return sorted(
        Kill(chance.uniform(_FIRST, _LAST), role, chance.randrange(100), chance.uniform(0, _MOST_JITTER_S))
        for role in roles
    )


@dataclass
class Killer:
    """Carries a plan out; call `look` with the progress again and again."""

    processes: Processes
    plan: list[Kill]
    done: Counter[Role] = field(default_factory=Counter)
    _due_at: float | None = None

    @property
    def finished(self) -> bool:
        """Whether all of the plan was carried out."""
        return not self.plan

    def look(self, published: float, durable: float) -> str | None:
        """Kill who is due at these shares of all; what was done, if anything was."""
        due = next((kill for kill in self.plan if kill.at <= (published if kill.role == "producer" else durable)), None)
        if due is None:
            return None
        self._due_at = self._due_at or time.monotonic() + due.jitter_s
        if time.monotonic() < self._due_at or (name := self._carry_out(due)) is None:
            return None
        self.plan.remove(due)
        self._due_at = None
        self.done[due.role] += 1
        return f"{published:.0%} published, {durable:.0%} durable: SIGKILL {name}"

    def _carry_out(self, kill: Kill) -> str | None:
        """The name of whom it met; None if there is nobody just now: somebody is being replaced."""
        if kill.role == "worker":
            workers = self.processes.workers()
            if not workers:
                return None
            pid = workers[kill.which % len(workers)]
            os.kill(pid, signal.SIGKILL)
            return f"worker {pid}"
        running = [process for process in self._of(kill.role) if process.running]
        if not running:
            return None
        process = running[kill.which % len(running)]
        process.kill()
        return process.name

    def _of(self, role: Role) -> list[Process]:
        match role:
            case "producer":
                return self.processes.producers
            case "supervisor":
                return [self.processes.router]
            case "consumer":
                return self.processes.consumers
            case _:
                return self.processes.ledgers
