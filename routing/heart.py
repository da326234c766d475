"""How a worker lets its supervisor see that it is alive, and how long a call into librdkafka has been going on.

A transactional call can hang for ever inside librdkafka (issues 5456, 5511) and cannot be interrupted: somebody outside
must see it. Four numbers in shared memory are all it takes; times are CLOCK_MONOTONIC, which all processes share.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from typing import Final

from schemas.ops.contact import Contact

_BEAT: Final = 0
_CALL_SINCE: Final = 1
_READY: Final = 2
_ASKED: Final = 3
SLOTS: Final = 4


class Heart:
    """One worker's numbers: last beat (0: none yet), start of the present call (0: none), ready (1 or 0).

    The fourth belongs to ``kafka``, the worker's contact with Kafka.
    """

    def __init__(self, cells: MutableSequence[float] | None = None, brokers: str = "") -> None:
        self._cells: MutableSequence[float] = [0.0] * SLOTS if cells is None else cells
        self.kafka = Contact(brokers, cells=self._cells, cell=_ASKED)

    def still(self) -> None:
        """Before a worker starts: what its predecessor left says nothing of it."""
        for cell in range(SLOTS):
            self._cells[cell] = 0.0

    @property
    def has_beaten(self) -> bool:
        """Whether the worker has come as far as its first beat."""
        return self._cells[_BEAT] != 0.0

    def beat(self) -> None:
        """The loop has come round."""
        self._cells[_BEAT] = time.monotonic()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around a call that may hang."""
        self._cells[_CALL_SINCE] = time.monotonic()
        try:
            yield
        finally:
            self._cells[_CALL_SINCE] = 0.0
            self.beat()

    def set_ready(self, *, ready: bool) -> None:
        """Whether the worker has its partitions and its producers."""
        self._cells[_READY] = float(ready)

    @property
    def ready(self) -> bool:
        """Whether the worker says so."""
        return self._cells[_READY] == 1.0

    def silent_s(self) -> float:
        """Seconds since the last beat; 0 before the first."""
        return time.monotonic() - self._cells[_BEAT] if self.has_beaten else 0.0

    def in_call_s(self) -> float:
        """Seconds that the present call has taken; 0 if there is none."""
        since = self._cells[_CALL_SINCE]
        return time.monotonic() - since if since else 0.0
