"""The loop of a producer: source, mapping, spool, Kafka.

It may be killed at any moment. What the spool has is sent by the next run, under the same event_id and sequence; what
it does not have is still in the source.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from producers.mapping import Draft, Maker
from producers.pace import Pace
from producers.publisher import Publisher
from producers.sources.source import Source, SourceRecord
from producers.spool import Made, Spool
from schemas.errors import Rejected, Unavailable
from schemas.ops import metrics
from schemas.ops.health import Health
from schemas.ops.lag import Lag
from schemas.ops.logs import get_logger

AT_ONCE_RECORDS: Final = 25
CAPTURE_S: Final = 0.02
"""How long records are gathered for one commit while more are there: a live one waits no longer."""
AHEAD_EVENTS: Final = 250_000
"""More than an hour's outage of the whole country; beyond it, records wait in their source."""
IDLE_S: Final = 0.005
FLUSH_S: Final = 10.0
REPORT_EVERY_S: Final = 1.0
FORGET_EVERY_S: Final = 3600.0
_log = get_logger()


@dataclass
class Progress:
    """What has become of the records of this run."""

    read: int = 0
    spooled: int = 0
    repeated: int = 0
    acknowledged: int = 0
    refused: int = 0
    unfinished: int = 0
    """Events in the spool that Kafka has not acknowledged, those of earlier runs among them."""
    set_aside: Counter[str] = field(default_factory=Counter)
    """By reason."""
    seconds: float = 0.0


@dataclass
class Production:
    """One source into one topic. `run` it once."""

    source: Source
    make: Maker
    spool: Spool
    publisher: Publisher
    rate: float | None = None
    health: Health = field(default_factory=Health)
    progress: Progress = field(default_factory=Progress)
    _lag: Lag = field(default_factory=Lag)
    _batch: list[Made] = field(default_factory=list)

    def run(self, stop: threading.Event, report: Callable[[Progress], None] = lambda _: None) -> Progress:
        """Until the source has ended and Kafka has everything, or until ``stop``; then what is under way is waited for.

        Raises:
            Rejected: the source cannot be read at all.
            Fatal: the spool is damaged.
        """
        began = time.monotonic()
        self._declare()
        self.source.resume(self.spool.position(self.source.name))
        pace = Pace(self.rate)
        reported_at = forgot_at = -FORGET_EVERY_S
        while not stop.is_set() and not self._is_done():
            self.health.beat()
            try:
                captured = self._capture(pace)
                self.publisher.turn(0 if captured else IDLE_S)
                self.health.ready("spool")
                if time.monotonic() - forgot_at > FORGET_EVERY_S:
                    forgot_at = time.monotonic()
                    self.spool.forget(datetime.now(UTC))
            except Unavailable as error:
                self._wait(error, stop)
            if time.monotonic() - reported_at > REPORT_EVERY_S:
                reported_at = time.monotonic()
                self._note(reported_at - began)
                report(self.progress)
        self._finish()
        self._note(time.monotonic() - began)
        return self.progress

    def _declare(self) -> None:
        """Show from the start what this run will count."""
        metrics.declare("produced_events_total", origin=self.spool.origin)
        metrics.set_gauge_source("spool_oldest_seconds", self._lag.seconds, origin=self.spool.origin)

    def _is_done(self) -> bool:
        return self.source.exhausted and not self._batch and not self.publisher.unfinished

    def _capture(self, pace: Pace) -> bool:
        """Read, map and spool what is there; whether there was anything."""
        until = time.monotonic() + (0 if self._batch else CAPTURE_S)
        while time.monotonic() < until:
            allowed = pace.allows(AT_ONCE_RECORDS) if self.publisher.unfinished < AHEAD_EVENTS else 0
            records = self.source.read(allowed) if allowed else ()
            if not records:
                break
            pace.used(len(records))
            self._batch += [(record, self._made(record)) for record in records]
        if not self._batch:
            return False
        captured = self.spool.capture(self.source.name, self._batch, datetime.now(UTC))
        self.source.acknowledge(self._batch[-1][0].position)
        self.publisher.add(captured.waiting)
        self._count(len(self._batch), len(captured.waiting), captured.repeated, captured.set_aside)
        self._batch = []
        return True

    def _made(self, record: SourceRecord) -> Draft | Rejected:
        try:
            return self.make(record, datetime.now(UTC))
        except Rejected as rejected:
            return rejected
        except Exception as error:  # noqa: BLE001  one record must not stop those behind it; it is set aside, aloud
            _log.error("record could not be mapped for a fault of ours: set aside", exc_info=error)
            return Rejected("internal", f"{record.where}: a fault of this program ({type(error).__name__})")

    def _count(self, read: int, spooled: int, repeated: int, set_aside: Counter[str]) -> None:
        self.progress.read += read
        self.progress.spooled += spooled
        self.progress.repeated += repeated
        self.progress.set_aside += set_aside
        metrics.set_gauge("last_captured_timestamp_seconds", time.time(), origin=self.spool.origin)
        counts = {"read": read, "spooled": spooled, "repeated": repeated, "set-aside": set_aside.total()}
        for outcome, count in counts.items():
            if count:
                metrics.increment("produced_events_total", count, origin=self.spool.origin, outcome=outcome)

    def _wait(self, error: Unavailable, stop: threading.Event) -> None:
        if "spool" not in self.health.reasons():
            _log.error("capture waits", origin=self.spool.origin, error=error)
        self.health.unready(str(error), "spool")
        stop.wait(error.retry_after_s)

    def _finish(self) -> None:
        try:
            self.publisher.flush(FLUSH_S)
            self.publisher.close()
        except Unavailable as error:
            _log.error("the spool could not be written at the end", origin=self.spool.origin, error=error)
        self.source.close()

    def _note(self, seconds: float) -> None:
        progress, origin = self.progress, self.spool.origin
        progress.seconds = seconds
        progress.acknowledged, progress.refused = self.publisher.acknowledged, self.publisher.refused
        progress.unfinished = self.publisher.unfinished
        metrics.set_gauge("spool_events", progress.unfinished, origin=origin)
        self._lag.oldest(self.publisher.oldest_ms())
        metrics.set_gauge("set_aside_records", self.spool.set_aside_count(), origin=origin)
