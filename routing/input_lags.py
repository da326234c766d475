"""How far behind a worker is with each origin's events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from schemas.ops import metrics
from schemas.ops.lag import Lag
from schemas.topics import incidents_topic


class InputLags:
    """One lag for each origin, exposed as ``input_lag_seconds``. Told from the loop's thread, scraped from any."""

    def __init__(self, origins: Iterable[str], blind_s: Callable[[], float]) -> None:
        """Begin with nothing waiting; ``blind_s`` as `Lag` has it."""
        self._lags: dict[str, Lag] = {}
        for origin in origins:
            lag = self._lags[incidents_topic(origin)] = Lag(blind_s)
            metrics.set_gauge_source("input_lag_seconds", lag.seconds, origin=origin)

    def note(self, oldest_ms: Mapping[str, int]) -> None:
        """By topic, when the oldest record came that waits. Say it before records are taken: what is in hand waits."""
        for topic, lag in self._lags.items():
            # Without a time of its own a record cannot say how long it has waited.
            lag.oldest(oldest_ms.get(topic) or None)
