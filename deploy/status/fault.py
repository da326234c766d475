"""One thing that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "kafka",
    "not-published",
    "not-routed",
    "not-delivered",
    "not-recorded",
    "suspended",
    "paused",
    "spool",
    "late",
    "process",
    "quarantine",
    "set-aside",
    "missing",
    "unanswered",
    "aborts",
    "replaced",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    kind: Kind
    what: str
    """What does not happen, or has happened."""
    why: str
    member: str = ""
    """Whom it is about; empty: the exchange."""
    address: str = ""
    """The process, if it is about one."""
    is_grave: bool = True
    """Something does not flow; else, somebody should look at it."""
    since: float | None = None
    """Seconds since the epoch."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The same from picture to picture, for as long as it is the same fault."""
        return self.kind, self.member, self.address
