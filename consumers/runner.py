"""The loop: read, open, make durable, send receipts. For a member's deliveries, and for a force's ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from consumers.chores import Chore, tend
from consumers.delivery import Delivery, Record, SetAside, open_batch
from consumers.receipt_sender import ReceiptSender
from consumers.sinks import Sink, Written
from consumers.streams.telling import tell_faults
from consumers.subscriber import Subscriber
from schemas.errors import Unavailable
from schemas.ops import metrics
from schemas.ops.health import Health
from schemas.ops.lag import Lag
from schemas.ops.logs import get_logger

MOST_RECORDS: Final = 500
"""In one batch: what is there is taken at once, so a backlog is written in few transactions."""
_POLL_S: Final = 0.2
_LONGEST_WAIT_S: Final = 30.0
_COMPONENT: Final = "sink"

T = TypeVar("T")
R = TypeVar("R")
_log = get_logger()


class Counted(NamedTuple):
    """What metrics name: whose database, and which of that member's."""

    recipient: str
    store: Literal["receiving", "ledger", "desk", "feedback", "feedback-webhook", "feedback-file"]


@dataclass
class Progress:
    """What a run has done so far; read it from any thread."""

    lag: Lag = field(default_factory=Lag)
    """Of the oldest record in hand, or of the latest written while more were waiting."""
    received: int = 0
    written: int = 0
    repeated: int = 0
    set_aside: int = 0
    missing: int = 0
    """Deliveries that the numbers of the streams say are missing."""
    waiting: bool = False
    """The sink is away."""
    last_record_at: float = field(default_factory=time.monotonic)
    """On the monotonic clock; the start of the run before the first."""

    @property
    def lag_s(self) -> float:
        """How long the oldest record has been in Kafka without being durable, now; 0: caught up."""
        return self.lag.seconds()


class Runner(Generic[T]):
    """Carries records from a subscriber to a sink until told to stop."""

    def __init__(
        self,
        counted: Counted,
        subscriber: Subscriber,
        open_one: Callable[[Record], T],
        sink: Sink[T],
        *,
        health: Health,
        receipts: ReceiptSender | None = None,
    ) -> None:
        """Put the parts together; `counted` is what metrics name."""
        self._recipient = counted.recipient
        self._labels = counted._asdict()
        self._subscriber = subscriber
        self._open_one = open_one
        self._sink = sink
        self._health = health
        self._receipts = receipts
        self.chores: Sequence[Chore] = ()
        """What is done between batches; set it before it runs."""
        self._stop = Event()
        self.progress = Progress(Lag(lambda: max(subscriber.contact.silence_s(), health.stalled_s())))
        self._declare()

    def run(self, stop: Event, until_idle_s: float | None = None) -> None:
        """Work until `stop` is set, or until nothing has come for so long.

        Raises:
            Fatal: this process cannot go on; what it has read and not written is read again by the next.
        """
        self._stop = stop
        self._health.ready(_COMPONENT)
        while not stop.is_set() and not self._is_idle(until_idle_s):
            self._health.beat()
            records = self._patiently(self._poll)
            if records:
                self._carry(records)
            self._patiently(lambda is_quiet=not records: tend(self.chores, is_quiet=is_quiet))  # type: ignore[misc]
            self._patiently(self._send_receipts)

    def _carry(self, records: Sequence[Record]) -> None:
        # A record without a time of its own cannot say how long it has waited.
        self.progress.lag.oldest(min(record.timestamp_ms for record in records) or None)
        batch = self._patiently(lambda: open_batch(records, self._open_one))
        if batch is None:
            return
        started = time.monotonic()
        written = self._patiently(lambda: self._sink.write(batch))
        if written is None:
            return
        metrics.observe("sink_seconds", time.monotonic() - started, **self._labels)
        self._subscriber.durable(batch.positions)
        self._count(records, written)

    def _poll(self) -> list[Record]:
        return self._subscriber.poll(_POLL_S, MOST_RECORDS)

    def _send_receipts(self) -> None:
        if self._receipts is not None:
            self._receipts.send()

    def _patiently(self, act: Callable[[], R]) -> R | None:
        """Act, and while something is away wait and act again; None if told to stop meanwhile."""
        wait_s = 0.0
        while not self._stop.is_set():
            try:
                result = act()
            except Unavailable as error:
                wait_s = min(max(error.retry_after_s, 2 * wait_s), _LONGEST_WAIT_S)
                self._waits(error, wait_s)
            else:
                if wait_s:
                    self._waits_no_more()
                return result
        return None

    def _waits(self, error: Unavailable, wait_s: float) -> None:
        if not self.progress.waiting:
            _log.warning("the subscriber waits for its sink", recipient=self._recipient, error=error)
        self.progress.waiting = True
        self._health.unready(str(error), _COMPONENT)
        metrics.set_gauge("sink_waiting", 1, **self._labels)
        until = time.monotonic() + wait_s
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            self._health.beat()
            self._subscriber.wait(min(left, _POLL_S))

    def _waits_no_more(self) -> None:
        self.progress.waiting = False
        self._health.ready(_COMPONENT)
        metrics.set_gauge("sink_waiting", 0, **self._labels)

    def _declare(self) -> None:
        """Show from the start what this run will count."""
        metrics.declare("delivered_total", **self._labels)
        metrics.set_gauge("sink_waiting", 0, **self._labels)
        metrics.set_gauge_source("consumer_lag_seconds", self.progress.lag.seconds, **self._labels)

    def _is_idle(self, until_idle_s: float | None) -> bool:
        """Whether nothing came for so long; nothing counts as idle before Kafka has given out the partitions."""
        if not self._subscriber.placed:
            self.progress.last_record_at = time.monotonic()
        return until_idle_s is not None and time.monotonic() - self.progress.last_record_at >= until_idle_s

    def _count(self, records: Sequence[Record], written: Written[T]) -> None:
        durable_at = datetime.now(UTC)
        progress = self.progress
        progress.received += len(records)
        progress.written += len(written.written)
        progress.repeated += written.repeated
        progress.set_aside += len(written.set_aside)
        progress.last_record_at = time.monotonic()
        # After a full batch there is more, and of that we know only that it came later than the last of these.
        progress.lag.oldest(records[-1].timestamp_ms if len(records) == MOST_RECORDS else None)
        metrics.set_gauge("last_delivered_timestamp_seconds", durable_at.timestamp(), **self._labels)
        for outcome, count in (
            ("written", len(written.written)),
            ("repeated", written.repeated),
            ("set-aside", len(written.set_aside)),
        ):
            metrics.increment("delivered_total", count, **self._labels, outcome=outcome)
        metrics.observe("sink_batch_events", len(records))
        _observe_journeys(self._recipient, written, durable_at)
        _tell_set_aside(self._recipient, written.set_aside)
        tell_faults(self._recipient, written.faults)


def _observe_journeys(recipient: str, written: Written[T], durable_at: datetime) -> None:
    """How long each delivery took from its recording at the origin; what is made afresh has no such time."""
    for delivery in written.written:
        if isinstance(delivery, Delivery) and (recorded_at := delivery.event["recorded_at"]) is not None:
            seconds = max(0.0, (durable_at - recorded_at).total_seconds())
            metrics.observe("end_to_end_seconds", seconds, origin=delivery.key[0])
            metrics.observe("receive_seconds", seconds, recipient=recipient)


def _tell_set_aside(recipient: str, set_aside: Sequence[SetAside]) -> None:
    for refused in set_aside:
        _log.error(
            "a record was set aside: see table set_aside",
            recipient=recipient,
            reason=refused.reason,
            topic=refused.record.topic,
            partition=refused.record.partition,
            offset=refused.record.offset,
        )
