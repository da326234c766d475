"""Times, counts and processes in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from deploy.status.picture import Process

_NOUNS: Final = {
    "produce": "producer",
    "route": "router",
    "route-worker": "worker of the router",
    "consume": "consumer",
    "ledger": "ledger",
    "desk": "desk that notifies",
    "feedback": "feedback to its dispatchers",
    "registry": "registry",
    "broker": "broker",
}
_STEPS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def duration(seconds: float) -> str:
    """A time as people say it: 8 s, 4 min, 2 h 5 min, 3 d."""
    left = max(0, int(seconds))
    for place, (size, unit) in enumerate(_STEPS):
        if left >= size:
            whole, rest = divmod(left, size)
            smaller, its_unit = _STEPS[place + 1] if unit == "h" else (0, "")
            more = f" {rest // smaller} {its_unit}" if smaller and rest >= smaller else ""
            return f"{whole} {unit}{more}"
    return "0 s"


def short(seconds: float | None) -> str:
    """A time for a narrow column, in at most five letters: 81ms, 1.2s, 34s, 4m, 2h, 3d; - if there is none."""
    if seconds is None:
        return "-"
    if math.isinf(seconds):
        return "∞"
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms" if seconds >= 0.001 else "0"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    size, unit = next((size, unit) for size, unit in _STEPS if seconds >= size)
    return f"{seconds // size:.0f}{unit[0]}"


def of_things(count: int, one: str, many: str = "") -> str:
    """1 record, 1,200 records."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def noun(service: str) -> str:
    """What people call a process of this service."""
    return _NOUNS.get(service, "process")


def whose_process(process: Process) -> str:
    """A process, as its operator names it: consume greater-manchester."""
    return " ".join(word for word in (process.service, process.whose) if word)


def ailment(process: Process) -> str:
    """Why a process does not do its work; empty if it does."""
    if not process.is_up:
        return f"{noun(process.service)} not reachable ({process.address}: {process.trouble})"
    if process.reasons:
        return f"{noun(process.service)} not ready: {reasons(process.reasons)}"
    return ""


def reasons(why: Mapping[str, str]) -> str:
    """Why a process is not ready, in one line."""
    return "; ".join(dict.fromkeys(why.values()))
