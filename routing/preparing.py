"""A bundle made ready to be routed under: its areas read, its rules compiled.

A thread of its own does it, while the worker goes on beating and its session stays alive. Nothing is routed until both
are done: the bundle that was in force before may lack a protection. Areas that the router had before are ready at once,
and hundreds of rules are compiled in milliseconds, so an ordinary change holds nothing up. The index of areas takes
longer; until it is made, places are measured without it: the same answers, only slower.
"""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event, Thread
from typing import Final

from routing.agreements.bundle import Bundle
from routing.agreements.measured import geography_of
from routing.deciding import prepare
from routing.policy_topic import InForce
from schemas.errors import Rejected
from schemas.ops.logs import get_logger

log = get_logger()

_AT_ONCE_S: Final = 0.25
"""What is usual is ready within this: then there is no turn of the loop in which nothing is routed."""


class _Work:
    """One bundle's areas being read and indexed, and its rules compiled."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.is_able = Event()
        self.fault = ""
        """Why it cannot be routed under; known once `is_able` is set."""
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            geography = geography_of(self.bundle)
            prepare(self.bundle, datetime.now(UTC))
        except Rejected as why:
            self.fault = str(why)
            return
        except Exception as why:  # noqa: BLE001  whatever went wrong, the bundle is not ready
            self.fault = f"it could not be prepared ({type(why).__name__})"
            return
        finally:
            self.is_able.set()
        try:
            geography.make_index()
        except Exception as why:  # noqa: BLE001  the answers are the same without it
            log.warning("no index of areas", version=self.bundle.version, reason=type(why).__name__)


class Preparation:
    """Makes one bundle at a time ready. Not for threads."""

    def __init__(self) -> None:
        self._work: _Work | None = None

    def ready(self, now: InForce) -> InForce:
        """What is in force, once it is ready; until then no bundle, and why. Call it again and again."""
        if now.bundle is None:
            return now
        if self._work is None or self._work.bundle is not now.bundle:
            # One begun for a bundle since replaced goes on to its end: what it finds is remembered, not obeyed.
            self._work = _Work(now.bundle)
            self._work.is_able.wait(_AT_ONCE_S)
        if not self._work.is_able.is_set():
            return InForce(None, now.version, f"policy version {now.version}: it is being prepared")
        if self._work.fault:
            reason = f"policy version {now.version} cannot be loaded by this release, nothing is routed: "
            return InForce(None, now.version, reason + self._work.fault)
        return now

    def join(self, timeout_s: float) -> None:
        """Wait until all that was begun for the newest bundle is done, at most so long."""
        if self._work is not None:
            self._work.thread.join(timeout_s)
