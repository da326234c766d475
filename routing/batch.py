"""One batch: the records of one transaction with what follows from them, and when it is to be committed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from routing.effects import Effects, Record

Routed = tuple[Record, Effects]
"""A record with what follows from it."""
WaitReason = Literal["", "missing-topic", "newer-schema", "registry-away"]

_SHARED_PART: Final = 5
"""Of a transaction's time, what is used at least before it is cut short for those who wait for its commit."""


class Batch(NamedTuple):
    """The records of one transaction with what follows from them, and why the one after them must wait, if it must."""

    done: Sequence[Routed]
    deciding_s: float
    waits: WaitReason = ""

    @property
    def records(self) -> list[Record]:
        """Those that were routed."""
        return [record for record, _ in self.done]


class CommitClock:
    """When to commit: in time, and sooner once all that is left of the batch is one force's flood.

    Records come from topics in turn, so when only one topic is left the others' few are routed, and wait for nothing
    but the commit.
    """

    def __init__(self, records: Sequence[Record], most_s: float) -> None:
        self._ends = time.monotonic() + most_s
        self._may_end = time.monotonic() + most_s / _SHARED_PART
        others = (n for n, record in enumerate(reversed(records)) if record.topic != records[-1].topic)
        self._alone_after = len(records) - next(others, len(records))

    def says_commit(self, routed: int) -> bool:
        """Whether to commit now that so many of the records are routed."""
        now = time.monotonic()
        return now >= self._ends or (now >= self._may_end and 0 < self._alone_after <= routed)
