"""Who is killed, stopped or joined when: a plan that follows from a seed, and a thread that carries it out."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from routing.settings import RouterSettings
from routing.supervisor import Supervisor
from routing.worker import Assignment
from schemas.ops.health import Health

What = Literal["kill", "stop", "join"]
SESSION_MS: Final = 2_500
SETTINGS: Final = RouterSettings(
    workers=2,
    session_timeout_ms=SESSION_MS,
    transaction_timeout_ms=SESSION_MS,
    # One that was stopped is left to come back, after its partitions have gone to the other.
    silent_worker_s=30.0,
    stuck_call_s=30.0,
    topic_check_s=1.0,
)
_WEIGHTS: Final[dict[What, int]] = {"kill": 3, "stop": 2, "join": 1}
_FIRST, _LAST = 0.03, 0.9
_LOOK_S: Final = 0.05
_READY_S: Final = 120.0


@dataclass(frozen=True, order=True)
class Disturbance:
    """One of them."""

    at: float
    """When this share of all incidents has begun."""
    what: What
    which: int
    """Chooses one of the workers."""
    jitter_s: float
    """And so much later, so that none keeps time with anybody's commits."""
    lasts_s: float
    """Of a stop: well beyond the session timeout. Of who joins: until it leaves."""


def plan(seed: int, number: int) -> list[Disturbance]:
    """So many, each kind at least once, at moments spread at random over the run."""
    chance = random.Random(seed)
    kinds: list[What] = [*_WEIGHTS, *chance.choices([*_WEIGHTS], [*_WEIGHTS.values()], k=number - len(_WEIGHTS))]
    return sorted(
        Disturbance(
            chance.uniform(_FIRST, _LAST),
            what,
            chance.randrange(100),
            chance.uniform(0, 0.3),
            chance.uniform(1.4, 2.4) * SESSION_MS / 1000,
        )
        for what in kinds
    )


@contextmanager
def supervised(assignment: Assignment) -> Iterator[tuple[Supervisor, Health]]:
    """A supervisor that runs, with its workers, until the block is left."""
    stop, health = threading.Event(), Health()
    running = Supervisor(assignment, health)
    thread = threading.Thread(target=running.run, args=(stop,))
    thread.start()
    try:
        yield running, health
    finally:
        stop.set()
        thread.join(_READY_S)
        assert not thread.is_alive()


@dataclass
class Disturber:
    """Carries a plan out in a thread of its own."""

    assignment: Assignment
    supervisor: Supervisor
    health: Health
    plan: list[Disturbance]
    share: Callable[[], float]
    """Of all incidents, those that have begun."""
    done: Counter[str] = field(default_factory=Counter)
    failed: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether all of the plan was carried out."""
        return len(self.plan) == self.done.total() or bool(self.failed)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Disturb until the plan is carried out, or the block is left."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(_READY_S)

    def _run(self) -> None:
        began = time.monotonic()
        for each in self.plan:
            while self.share() < each.at:
                if self._ended.wait(_LOOK_S):
                    return
            if self._ended.wait(each.jitter_s):
                return
            try:
                told = self._carry_out(each)
            except Exception as error:  # noqa: BLE001  told by the test, which would wait for ever
                self.failed = f"{each.what}: {error!r}"
                return
            self.done[each.what] += 1
            print(f"{time.monotonic() - began:6.1f} s {self.share():.0%} begun: {told}")

    def _carry_out(self, each: Disturbance) -> str:
        match each.what:
            case "kill":
                pid = self._worker(each.which)
                os.kill(pid, signal.SIGKILL)
                return f"SIGKILL worker {pid}"
            case "stop":
                pid = self._worker(each.which)
                os.kill(pid, signal.SIGSTOP)
                try:
                    self._ended.wait(each.lasts_s)
                finally:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
                return f"SIGSTOP worker {pid}, SIGCONT after {each.lasts_s:.1f} s"
            case "join":
                with supervised(self._visitor(each.which)) as (_, health):
                    deadline = time.monotonic() + _READY_S
                    while health.reasons() and time.monotonic() < deadline and not self._ended.wait(_LOOK_S):
                        pass
                    self._ended.wait(each.lasts_s)
                return f"a third worker joined, and left after {each.lasts_s:.1f} s"

    def _worker(self, which: int) -> int:
        """A worker that is well: while one is being replaced there is nobody else to be disturbed."""
        deadline = time.monotonic() + _READY_S
        while self.health.reasons():
            if time.monotonic() > deadline or self._ended.wait(_LOOK_S):
                raise TimeoutError(f"the routers do not become well: {self.health.reasons()}")
        pids = self.supervisor.pids()
        return pids[which % len(pids)]

    def _visitor(self, which: int) -> Assignment:
        """On a machine of its own, where nothing is remembered yet."""
        folder = Path(f"{self.assignment.settings.state_folder}-{which}-{self.done.total()}")
        changes = {"instance": "visitor", "workers": 1, "state_folder": folder}
        return replace(self.assignment, settings=self.assignment.settings.model_copy(update=changes))
