"""How many records may be read now, so that a file is replayed at a rate."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """At most ``rate`` records a second; None: as fast as they come. A pause saves up for one second at most."""

    def __init__(self, rate: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._at = clock()
        self._allowed = 1.0

    def allows(self, most: int) -> int:
        """How many records may be read now, ``most`` at most."""
        if self._rate is None:
            return most
        now = self._clock()
        self._allowed = min(self._allowed + (now - self._at) * self._rate, max(1.0, self._rate))
        self._at = now
        return min(most, int(self._allowed))

    def used(self, records: int) -> None:
        """So many were read."""
        self._allowed -= records
