"""Whether processes have ended, on machines where nobody collects the children of the dead."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psutil


def has_ended(process: psutil.Process | int) -> bool:
    """Whether it runs no more: gone, or a zombie.

    A zombie has ended and holds nothing; the child of a process that was killed stays one until the first process of
    the machine collects it, which in a container may be never.
    """
    try:
        found = psutil.Process(process) if isinstance(process, int) else process
        return not found.is_running() or found.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def still_running(processes: Iterable[psutil.Process | int], within_s: float) -> list[psutil.Process | int]:
    """Those that have not ended after so long."""
    left, deadline = list(processes), time.monotonic() + within_s
    while (left := [process for process in left if not has_ended(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left
