"""Areas made ready to measure places against, before the bundle that holds them is routed under.

That takes seconds where there are many areas, so a thread of its own does it, while the worker goes on beating and its
session stays alive. Nothing is routed meanwhile: the bundle that was in force before may lack a protection.
"""

from __future__ import annotations

from threading import Thread

from routing.agreements.bundle import Bundle
from routing.agreements.measured import geography_of
from routing.policy_topic import InForce
from schemas.errors import Rejected


class Preparation:
    """Makes one bundle at a time ready. Not for threads."""

    def __init__(self) -> None:
        self._bundle: Bundle | None = None
        self._thread: Thread | None = None
        self._fault = ""

    def ready(self, now: InForce) -> InForce:
        """What is in force, once it is ready; until then no bundle, and why. Call it again and again."""
        if now.bundle is None or not now.bundle.areas:
            return now
        if now.bundle is not self._bundle:
            self._start(now.bundle)
        if self._thread is not None and self._thread.is_alive():
            return InForce(None, now.version, f"policy version {now.version}: its areas are being prepared")
        if self._fault:
            reason = f"policy version {now.version} cannot be loaded by this release, nothing is routed: {self._fault}"
            return InForce(None, now.version, reason)
        return now

    def join(self, timeout_s: float) -> None:
        """Wait for what is being prepared, at most so long."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _start(self, bundle: Bundle) -> None:
        # One that was begun for a bundle since replaced goes on to its end: what it finds is remembered, not obeyed.
        self._bundle, self._fault = bundle, ""
        self._thread = Thread(target=self._prepare, args=(bundle,), daemon=True)
        self._thread.start()

    def _prepare(self, bundle: Bundle) -> None:
        fault = ""
        try:
            geography_of(bundle)
        except Rejected as why:
            fault = str(why)
        except Exception as why:  # noqa: BLE001  whatever went wrong, the bundle is not ready
            fault = f"its areas could not be prepared ({type(why).__name__})"
        if bundle is self._bundle:
            self._fault = fault
