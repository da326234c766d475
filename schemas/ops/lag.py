"""How far a process is behind, worked out when it is asked, so that it rises while the process hangs or is cut off.

>>> lag = Lag(clock=lambda: 1_000.0)
>>> lag.oldest(997_500)
>>> lag.seconds()
2.5
>>> lag.oldest(None)
>>> lag.seconds()
0.0
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Lag:
    """The age of the oldest thing that waits. Told from one thread, asked from any."""

    def __init__(self, blind_s: Callable[[], float] = lambda: 0.0, clock: Callable[[], float] = time.time) -> None:
        """Begin with nothing waiting.

        Args:
            blind_s: how long nobody here could have known of anything new: something may have waited for as long.
            clock: seconds since 1970.
        """
        self._blind_s = blind_s
        self._clock = clock
        self._oldest_ms: float | None = None

    def oldest(self, timestamp_ms: float | None) -> None:
        """The oldest that waits is of this time (milliseconds since 1970); None: nothing waits."""
        self._oldest_ms = timestamp_ms

    def seconds(self) -> float:
        """How long something has been waiting; 0 when caught up."""
        oldest_ms = self._oldest_ms
        waited_s = 0.0 if oldest_ms is None else self._clock() - oldest_ms / 1000
        return max(0.0, waited_s, self._blind_s())
