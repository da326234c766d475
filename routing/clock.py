"""The one clock of routing: it says when things are decided, when deadlines pass, and when records were taken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A clock that whoever starts a router may replace. Made to be given to another process."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def taken_ms(self, broker_ms: int) -> int:
        """When the broker took a record, by this clock; milliseconds since 1970, as the broker has them."""


class SystemClock:
    """The machine's own; brokers are taken at their word."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def taken_ms(self, broker_ms: int) -> int:
        """When the broker took a record."""
        return broker_ms
