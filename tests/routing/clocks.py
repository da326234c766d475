"""Clocks for tests, which may be given to a worker process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from routing.state.incident import moment_of


@dataclass(frozen=True)
class Fast:
    """Since it began, time runs so many times as fast, for brokers' times too."""

    began: datetime
    factor: float

    def now(self) -> datetime:
        return self._of(datetime.now(UTC))

    def taken_ms(self, broker_ms: int) -> int:
        return int(self._of(moment_of(broker_ms)).timestamp() * 1000)

    def _of(self, real: datetime) -> datetime:
        return self.began + (real - self.began) * self.factor


class Set:
    """A clock that stands still until it is set; brokers' times are what it shows."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def taken_ms(self, _broker_ms: int) -> int:
        return int(self.at.timestamp() * 1000)

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)
