"""The sink in SQL: rows, position and receipts in one transaction, which is what makes it once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from consumers.answers.noting import note_questions
from consumers.change import Numbers, Row
from consumers.delivery import Batch, Delivery, IncidentKey, Positions, SetAside, check_delivery, firsts
from consumers.fold import Effect, Fold
from consumers.receipts import receipts_of
from consumers.sinks import Gap, OutboxReceipt, Written
from consumers.sinks.aside import aside_places, place_of
from consumers.sinks.kept_tables import SET_ASIDE
from consumers.sinks.outbox import forget, keep_receipts, unsent
from consumers.sinks.places import Place, open_database
from consumers.sinks.storable import take_storable
from consumers.sinks.store import store_changes
from consumers.sinks.tables import DELIVERY, INCIDENT, TABLES, VIEWS
from consumers.streams.noting import note_sequences
from schemas.codes import enum_code
from schemas.errors import Rejected
from schemas.exchange import AnswersWithin

KIND: Final = "receiving"
_WITHIN: Final = AnswersWithin()
_NUMBERS: Final = "SELECT section, number FROM section WHERE origin = ? AND incident_id = ?"


class SqlSink:
    """A member's own database: see `consumers.sinks.tables` for what can be read in it.

    Fulfils `Sink[Delivery]` and `Outbox`. Use it from the thread that made it.
    """

    def __init__(
        self,
        place: Place,
        member: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        within: AnswersWithin = _WITHIN,
    ) -> None:
        """Open the member's database, with tables made afresh if there are none; `within` is when answers are due.

        Raises:
            Rejected: it is something else's, another member's, or a newer release's.
        """
        self._member = member
        self._clock = clock
        self._within = within
        self.database = open_database(place, KIND, member, TABLES, VIEWS)
        """For what else is done in it from this thread, each in a transaction of its own."""

    def write(self, batch: Batch[Delivery]) -> Written[Delivery]:
        """Make a batch durable; see `consumers.sinks`."""
        with self.database.transaction():
            stored = self.database.positions()
            unread = [delivery for delivery in batch.taken if not delivery.record.is_before(stored)]
            refused = [one for one in batch.set_aside if not one.record.is_before(stored)]
            self.database.advance(stored, batch.positions, firsts(batch))
            written = self._write(unread, refused, stored)
        return replace(written, repeated=len(batch.taken) - len(unread) + written.repeated)

    def fill(self, batch: Batch[Delivery]) -> Written[Delivery]:
        """Make durable what of a batch is missing here, as `write` does, wherever it was read up to before.

        What is here already, written or set aside, is counted as repeated; the position stays. A record that was set
        aside and can be taken now is set aside no longer.
        """
        with self.database.transaction():
            stored = self.database.positions()
            refused_before = aside_places(self.database, batch)
            refused = [one for one in batch.set_aside if place_of(one.record) not in refused_before]
            written = self._write(batch.taken, refused, stored, refused_before)
            taken_now = [place_of(one.record) for one in written.written if place_of(one.record) in refused_before]
            self.database.write(SET_ASIDE.delete(*SET_ASIDE.key), taken_now)
        return replace(written, repeated=written.repeated + len(batch.set_aside) - len(refused))

    def _write(
        self,
        deliveries: Sequence[Delivery],
        undecoded: Sequence[SetAside],
        stored: Positions,
        refused_before: Collection[tuple[str, int, int]] = (),
    ) -> Written[Delivery]:
        """Within a transaction: what is new of these, with what must be told and kept of it."""
        now = self._clock()
        new = self._new(deliveries)
        faults = note_sequences(self.database, self._member, deliveries, new, now)
        written, unfit = take_storable(self.database, new, lambda some: self._take(some, stored, now), _set_aside)
        refused = [*undecoded, *(one for one in unfit if place_of(one.record) not in refused_before)]
        self.database.set_aside(refused, now)
        keep_receipts(self.database, receipts_of(self._member, written, refused, now), now)
        return Written(tuple(written), len(deliveries) - len(new), tuple(refused), tuple(faults))

    def positions(self) -> Positions:
        """Where to read on."""
        return self.database.positions()

    def note_gap(self, gap: Gap) -> None:
        """Keep that records were lost to retention, in the table `gap`."""
        self.database.note_gap(gap, self._clock())

    def unsent_receipts(self, after: int, limit: int) -> Sequence[OutboxReceipt]:
        """The oldest receipts with a number above `after`."""
        return unsent(self.database, after, limit)

    def forget_receipts(self, numbers: Sequence[int]) -> None:
        """Remove receipts that Kafka has."""
        forget(self.database, numbers)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _new(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Those that are not here yet, by delivery_id; each once."""
        by_id: dict[str, Delivery] = {}
        for delivery in deliveries:
            by_id.setdefault(delivery.delivery_id, delivery)
        for known in self.database.known(DELIVERY, "delivery_id", list(by_id)):
            del by_id[known]
        return list(by_id.values())

    def _take(
        self, deliveries: Sequence[Delivery], stored: Positions, now: datetime
    ) -> tuple[list[Delivery], list[SetAside]]:
        """Fold the deliveries onto what is held, and store what changes and what is asked."""
        fit, refused = self._sort(deliveries)
        held = {_key(row): row for row in self.database.rows_by_key(INCIDENT, dict.fromkeys(d.key for d in fit))}
        fold = Fold(held, now, self._numbers, stored)
        effects = [fold.apply(delivery) for delivery in fit]
        store_changes(self.database, fold.changes, now)
        rows = [_delivery_row(delivery, effect, now) for delivery, effect in zip(fit, effects, strict=True)]
        self.database.write(DELIVERY.insert, DELIVERY.rows(rows))
        note_questions(self.database, fit, self._within, now)
        return fit, refused

    def _numbers(self, key: IncidentKey) -> Numbers:
        """Of the sections of an incident that are held."""
        return dict(self.database.query(_NUMBERS, key))

    def _sort(self, deliveries: Iterable[Delivery]) -> tuple[list[Delivery], list[SetAside]]:
        fit: list[Delivery] = []
        refused: list[SetAside] = []
        for delivery in deliveries:
            try:
                check_delivery(delivery, self._member)
                fit.append(delivery)
            except Rejected as error:
                refused.append(SetAside.of(delivery.record, error, delivery))
        return fit, refused


def _set_aside(delivery: Delivery, why: Rejected) -> SetAside:
    return SetAside.of(delivery.record, why, delivery)


def _key(row: Row) -> IncidentKey:
    return row["origin"], row["incident_id"]


def _delivery_row(delivery: Delivery, effect: Effect, now: datetime) -> Row:
    terms, event, record = delivery.terms, delivery.event, delivery.record
    return {
        **terms,
        "origin": event["origin"],
        "incident_id": event["incident_id"],
        "event_id": event["event_id"],
        "recorded_at": event["recorded_at"],
        "sent_at": event["sent_at"],
        "kind": enum_code(event["kind"]),
        "action": delivery.action,
        "effect": effect,
        "addressed_to_us": terms["addressed_to_you"],
        "durable_at": now,
        "topic": record.topic,
        "partition": record.partition,
        "record_offset": record.offset,
    }
