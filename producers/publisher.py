"""The spool to Kafka: every event at least once, in order per incident, with the same event_id however often.

One idempotent producer that never gives up by itself: while Kafka is away, events wait in the spool and capture goes
on. On any failed report the producer is discarded with all it holds, and another starts at the oldest unacknowledged
event, so that nothing overtakes what failed. A report that says "never" may be about a whole batch: what was under way
is then sent again one by one, and only an event refused alone is set aside, with an alarm. A missing topic or a lacking
permission is not the event's fault: wait, with an alarm.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message

from producers.link import NEVER, Connect, Link
from producers.send_order import SendOrder
from producers.spool import Spool
from producers.spool_records import Outgoing, Waiting, milliseconds
from schemas.errors import Rejected
from schemas.ops import metrics
from schemas.ops.contact import Contact
from schemas.ops.health import Health
from schemas.ops.logs import get_logger

UNDER_WAY_EVENTS: Final = 1_000
UNDER_WAY_BYTES: Final = 32 * 1024 * 1024
MARK_AFTER_S: Final = 0.02
LOOK_FOR_NEW_S: Final = 0.25
ALARM_AFTER_S: Final = 5.0
PROBE_EVERY_S: Final = 5.0
PROBE_S: Final = 0.5
"""How long capture may stand still for a question to Kafka that gets no answer."""
BACK_OFF_S: Final = (0.1, 5.0)
_COMPONENT: Final = "publisher"
_log = get_logger()


class Publisher:
    """Sends what waits in a spool. Not thread-safe; call `turn` again and again."""

    def __init__(
        self,
        spool: Spool,
        topic: str,
        connect: Connect,
        *,
        health: Health | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.acknowledged = 0
        self.refused = 0
        self._spool = spool
        self._topic = topic
        self._connect = connect
        self._health = health or Health()
        self._clock = clock
        self._order = SendOrder()
        self._one_by_one: deque[Waiting] = deque()
        self._under_way: dict[int, Waiting] = {}
        self._bytes: dict[int, int] = {}
        self._arrived: list[int] = []
        self._link: Link | None = None
        self._generation = self._failures = self._last_row = 0
        self._failed: tuple[int | None, KafkaError] | None = None
        self._marked_at = self._looked_at = self._resume_at = self._progress_at = clock()
        self._probe_at = self._progress_at + PROBE_EVERY_S
        self._contact = Contact(clock=clock)
        self._health.ready(_COMPONENT)
        self._health.watch("kafka", self._contact.trouble)
        metrics.declare("publisher_restarts_total", origin=spool.origin)
        self.add(spool.waiting())

    @property
    def unfinished(self) -> int:
        """Events that Kafka has not acknowledged, or whose acknowledgement is not in the spool yet."""
        return len(self._order) + len(self._one_by_one) + len(self._under_way) + len(self._arrived)

    def add(self, events: list[Waiting]) -> None:
        """Events that were just spooled. Those of other processes are found by looking, a little later."""
        new = [event for event in events if event.row > self._last_row]
        if new:
            self._last_row = new[-1].row
            self._order.add(new)

    def turn(self, wait_s: float = 0.0) -> None:
        """Send what may be sent, take reports for at most ``wait_s``, and mark what has arrived.

        Raises:
            Unavailable: the spool cannot be written now; call again.
        """
        self._look_for_new()
        if self._link is None and self._clock() >= self._resume_at:
            self._generation += 1
            self._link = self._connect(self._noticed)
        if self._link is not None:
            self._send(self._link)
            self._link.poll(0 if self._failed else wait_s)
            self._probe(self._link)
        elif wait_s:
            time.sleep(wait_s)
        self._mark()
        if self._failed is not None:
            self._recover(*self._failed)
        elif self._under_way and self._clock() - self._progress_at > ALARM_AFTER_S:
            self._alarm("Kafka has acknowledged nothing for some seconds: events wait in the spool")

    def flush(self, timeout_s: float) -> int:
        """Turn until nothing is unfinished or the time is up; how many events are unfinished then."""
        until = self._clock() + timeout_s
        while self.unfinished and self._clock() < until:
            self.turn(0.02)
        self._mark(now=True)
        return self.unfinished

    def close(self) -> None:
        """Let go of the connection; what has not arrived stays in the spool."""
        self._mark(now=True)
        self._drop_link()

    def oldest_ms(self) -> int | None:
        """When the oldest unacknowledged event was made, in milliseconds since 1970; None: none waits."""
        times = [event.made_ms for event in (*self._under_way.values(), *self._one_by_one)]
        unsent = self._order.oldest_ms()
        return min([*times, unsent] if unsent is not None else times, default=None)

    def _look_for_new(self) -> None:
        """A record that was retried or resubmitted beside us is in the spool, and nobody told us."""
        if self._clock() - self._looked_at >= LOOK_FOR_NEW_S:
            self._looked_at = self._clock()
            self.add(self._spool.waiting(self._last_row))

    def _send(self, link: Link) -> None:
        if self._one_by_one:
            if not self._under_way:
                self._produce(link, [self._one_by_one.popleft()])
            return
        room = UNDER_WAY_EVENTS - len(self._under_way)
        # Half of the room at a time, so that what is captured next may still go first.
        if len(self._order) and room >= UNDER_WAY_EVENTS // 4 and sum(self._bytes.values()) < UNDER_WAY_BYTES:
            self._produce(link, self._order.take(room // 2, milliseconds(datetime.now(UTC))))

    def _produce(self, link: Link, events: list[Waiting]) -> None:
        """All of them become under way; what the link does not take comes back when the failure is recovered from."""
        if not self._under_way:
            self._progress_at = self._clock()
        outgoing = self._spool.outgoing([event.row for event in events])
        there = {each.row for each in outgoing}
        self._under_way.update((event.row, event) for event in events if event.row in there)
        for each in outgoing:
            self._bytes[each.row] = len(each.framed)
            if not self._take(link, each):
                return

    def _take(self, link: Link, outgoing: Outgoing) -> bool:
        reported = partial(self._reported, self._generation, outgoing.row)
        try:
            link.produce(self._topic, outgoing.framed, outgoing.incident_id.encode(), on_delivery=reported)
        except BufferError:
            self._failed = (None, KafkaError(KafkaError._QUEUE_FULL))  # noqa: SLF001  librdkafka's public name for it
        except KafkaException as error:
            self._failed = (outgoing.row, error.args[0])
        return self._failed is None

    def _reported(self, generation: int, row: int, error: KafkaError | None, _message: Message) -> None:
        if generation != self._generation or row not in self._under_way:
            return  # of a producer that was discarded
        if error is None:
            del self._under_way[row]
            del self._bytes[row]
            self._arrived.append(row)
            self._failures, self._progress_at = 0, self._clock()
            self._health.ready(_COMPONENT)
            self._answered()
        elif self._failed is None:
            self._failed = (row, error)

    def _answered(self) -> None:
        self._contact.answered()
        self._probe_at = self._clock() + PROBE_EVERY_S

    def _probe(self, link: Link) -> None:
        """Ask whether Kafka is there when nothing has told for some time: an idle producer must know it too."""
        if self._clock() < self._probe_at:
            return
        self._probe_at = self._clock() + PROBE_EVERY_S
        self._contact.asked()
        with suppress(KafkaException):
            link.list_topics(self._topic, timeout=PROBE_S)
            self._answered()

    def _noticed(self, error: KafkaError) -> None:
        """Trouble that is no message's: librdkafka retries by itself, unless it is fatal."""
        if error.fatal() and self._failed is None:
            self._failed = (None, error)

    def _recover(self, row: int | None, error: KafkaError) -> None:
        """Discard the producer; the next one starts at the oldest unacknowledged event."""
        never = error.code() in NEVER
        if never and row is not None and set(self._under_way) == {row}:
            self._refuse(row, error)
        self._failed = None
        self._drop_link()
        back = sorted([*self._under_way.values(), *self._one_by_one])
        self._under_way.clear()
        self._bytes.clear()
        self._one_by_one.clear()
        if never:
            self._one_by_one.extend(back)
        else:
            self._order.put_back(back)
            self._back_off(error)

    def _refuse(self, row: int, error: KafkaError) -> None:
        reason = Rejected(
            "refused-by-kafka",
            f"Kafka will never take the event of this record ({error.name()})",
            remedy="see the limits of the topic; mend the record or the limit, then: huecry setaside retry",
        )
        self._spool.refuse(row, reason, datetime.now(UTC))
        del self._under_way[row]
        self.refused += 1
        metrics.increment("produced_events_total", origin=self._spool.origin, outcome="refused")
        _log.error(
            "event refused by Kafka for good: set aside",
            origin=self._spool.origin,
            topic=self._topic,
            kafka_error=error.name(),
        )

    def _back_off(self, error: KafkaError) -> None:
        shortest_s, longest_s = BACK_OFF_S
        self._resume_at = self._clock() + min(longest_s, shortest_s * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        metrics.increment("publisher_restarts_total", origin=self._spool.origin)
        self._alarm(f"Kafka does not take events of {self._topic} ({error.name()})")

    def _alarm(self, reason: str) -> None:
        """Once for each reason: in the log, and in readiness until Kafka acknowledges again."""
        if self._health.reasons().get(_COMPONENT) != reason:
            self._health.unready(reason, _COMPONENT)
            name = reason.rpartition("(")[2].rstrip(")") if reason.endswith(")") else None
            _log.warning(
                "publisher waits: events stay in the spool",
                origin=self._spool.origin,
                topic=self._topic,
                count=self.unfinished,
                kafka_error=name,
            )

    def _drop_link(self) -> None:
        link, self._link = self._link, None
        self._generation += 1
        if link is not None:
            link.purge(in_queue=True, in_flight=True, blocking=False)
            link.poll(0)

    def _mark(self, *, now: bool = False) -> None:
        """Write what has arrived into the spool, some at a time: a commit costs as much for one as for many."""
        due = now or len(self._arrived) >= UNDER_WAY_EVENTS // 4 or self._clock() - self._marked_at >= MARK_AFTER_S
        if self._arrived and due:
            self._spool.acknowledge(self._arrived, datetime.now(UTC))
            self.acknowledged += len(self._arrived)
            amount = len(self._arrived)
            metrics.increment("produced_events_total", amount, origin=self._spool.origin, outcome="acknowledged")
            self._arrived.clear()
            self._marked_at = self._clock()
