"""The sink in SQL: rows, position and receipts in one transaction, which is what makes it once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from consumers.delivery import Batch, Delivery, IncidentKey, Positions, SetAside, check_delivery
from consumers.fold import Change, Fold, Row
from consumers.receipts import receipts_of
from consumers.sinks import Gap, OutboxReceipt, Written
from consumers.sinks.content import content_row
from consumers.sinks.content_tables import CONTENT, LOG_ENTRY
from consumers.sinks.places import Place, open_database
from consumers.sinks.storable import take_storable
from consumers.sinks.table import Table, iso, to_json
from consumers.sinks.tables import DELIVERY, INCIDENT, RECEIPT_OUTBOX, SEALED, SECTION, TABLES
from schemas.errors import Rejected

KIND: Final = "receiving"
_SEAL: Final = (
    "INSERT INTO sealed (origin, incident_id, section, sealed_by, sealed_at, items)"
    " SELECT origin, incident_id, section, ?, ?, items FROM section"
    " WHERE origin = ? AND incident_id = ? AND items IS NOT NULL AND items <> '[]'"
    " ON CONFLICT (origin, incident_id, section, sealed_by) DO NOTHING"
)
_IN_SECTION: Final = ("origin", "incident_id", "section")
_GONE_ENTRIES: Final = f"{LOG_ENTRY.delete(*_IN_SECTION)} AND delivery_id <> ?"


class SqlSink:
    """A member's own database: see `consumers.sinks.tables` for what can be read in it.

    Fulfils `Sink[Delivery]` and `Outbox`. Use it from the thread that made it.
    """

    def __init__(self, place: Place, member: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open the member's database, with tables made afresh if there are none.

        Raises:
            Rejected: it is something else's, another member's, or a newer release's.
        """
        self._member = member
        self._clock = clock
        self._database = open_database(place, KIND, member, TABLES)

    def write(self, batch: Batch[Delivery]) -> Written[Delivery]:
        """Make a batch durable; see `consumers.sinks`."""
        with self._database.transaction():
            stored = self._database.positions()
            new, repeated = self._new(batch, stored)
            now = self._clock()
            refused = [one for one in batch.set_aside if not one.record.is_before(stored)]
            written, unfit = take_storable(self._database, new, lambda some: self._take(some, now), _set_aside)
            refused += unfit
            self._database.set_aside(refused, now)
            receipts = receipts_of(self._member, written, refused, now)
            self._database.write(RECEIPT_OUTBOX.insert, [(*one[:3], iso(now), one.value) for one in receipts])
            self._database.advance(stored, batch.positions)
        return Written(tuple(written), repeated, tuple(refused))

    def positions(self) -> Positions:
        """Where to read on."""
        return self._database.positions()

    def note_gap(self, gap: Gap) -> None:
        """Keep that records were lost to retention, in the table `gap`."""
        self._database.note_gap(gap, self._clock())

    def unsent_receipts(self, after: int, limit: int) -> Sequence[OutboxReceipt]:
        """The oldest receipts with a number above `after`."""
        rows = self._database.query(
            "SELECT receipt_number, stream, kind, deliveries, value FROM receipt_outbox"
            " WHERE receipt_number > ? ORDER BY receipt_number LIMIT ?",
            (after, limit),
        )
        return [OutboxReceipt(*row) for row in rows]

    def forget_receipts(self, numbers: Sequence[int]) -> None:
        """Remove receipts that Kafka has."""
        with self._database.transaction():
            self._database.write("DELETE FROM receipt_outbox WHERE receipt_number = ?", [(n,) for n in numbers])

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _new(self, batch: Batch[Delivery], stored: Positions) -> tuple[list[Delivery], int]:
        """The deliveries that are not here yet, and how many are: by position, and by delivery_id."""
        unread = [delivery for delivery in batch.taken if not delivery.record.is_before(stored)]
        known = self._database.known(DELIVERY, "delivery_id", [delivery.delivery_id for delivery in unread])
        new: dict[str, Delivery] = {}
        for delivery in unread:
            if delivery.delivery_id not in known:
                new.setdefault(delivery.delivery_id, delivery)
        return list(new.values()), len(batch.taken) - len(new)

    def _take(self, deliveries: Sequence[Delivery], now: datetime) -> tuple[list[Delivery], list[SetAside]]:
        """Fold the deliveries onto what is held, and store what changes."""
        fit, refused = self._sort(deliveries)
        held = {_key(row): row for row in self._database.rows_by_key(INCIDENT, dict.fromkeys(d.key for d in fit))}
        fold = Fold(held, now)
        effects = ["applied" if fold.apply(delivery) else "superseded" for delivery in fit]
        self._store(fold.changes, now)
        rows = [_delivery_row(delivery, effect, now) for delivery, effect in zip(fit, effects, strict=True)]
        self._database.write(DELIVERY.insert, DELIVERY.rows(rows))
        return fit, refused

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

    def _store(self, changes: dict[IncidentKey, Change], now: datetime) -> None:
        self._seal(changes, now)
        self._database.write(INCIDENT.upsert, INCIDENT.rows(change.row for change in changes.values()))
        sections = [
            {
                "origin": key[0],
                "incident_id": key[1],
                "section": name,
                "items": None if section.items is None else to_json(section.items),
                "stated_at": section.stated_at,
                "event_id": section.event_id,
                "delivery_id": section.delivery_id,
                "withdrawn_at": now if section.items is None else None,
            }
            for key, change in changes.items()
            for name, section in change.sections.items()
        ]
        self._database.write(SECTION.upsert, SECTION.rows(sections))
        self._store_content(changes, iso(now))

    def _seal(self, changes: dict[IncidentKey, Change], now: datetime) -> None:
        retracted = {key: change for key, change in changes.items() if change.sealed_by and change.known}
        self._database.write(_SEAL, [(change.sealed_by, iso(now), *key) for key, change in retracted.items()])
        for table in (SECTION, *dict.fromkeys(CONTENT.values())):
            self._database.write(table.delete("origin", "incident_id"), list(retracted))
        rows = [
            (*key, section, by, iso(now), to_json(items))
            for key, change in changes.items()
            for by, section, items in change.sealed
        ]
        self._database.write(SEALED.upsert, rows)

    def _store_content(self, changes: dict[IncidentKey, Change], now: str) -> None:
        """Replace the rows of every section that changed, in the table that shows it."""
        outdated: dict[Table, list[tuple[str, ...]]] = {}
        rows: dict[Table, list[list[Any]]] = {}
        gone_entries: list[tuple[str, ...]] = []
        for key, change in changes.items():
            for name, section in change.sections.items():
                table = CONTENT[name]
                if table is LOG_ENTRY:
                    gone_entries.append((*key, name, section.delivery_id))
                elif change.known:
                    outdated.setdefault(table, []).append((*key, name))
                seen = {"first_seen_at": now, "last_seen_at": now, "delivery_id": section.delivery_id}
                for ordinal, item in enumerate(section.items or (), start=1):
                    row = table.row({**content_row(key, name, ordinal, item), **seen})
                    rows.setdefault(table, []).append(row)
        for table, keys in outdated.items():
            self._database.write(table.delete(*_IN_SECTION), keys)
        for table, some in rows.items():
            self._database.write(table.upsert, some)
        self._database.write(_GONE_ENTRIES, gone_entries)


def _set_aside(delivery: Delivery, why: Rejected) -> SetAside:
    return SetAside.of(delivery.record, why, delivery)


def _key(row: Row) -> IncidentKey:
    return row["origin"], row["incident_id"]


def _delivery_row(delivery: Delivery, effect: str, now: datetime) -> Row:
    terms, event, record = delivery.terms, delivery.event, delivery.record
    return {
        **terms,
        "origin": event["origin"],
        "incident_id": event["incident_id"],
        "event_id": event["event_id"],
        "recorded_at": event["recorded_at"],
        "sent_at": event["sent_at"],
        "action": delivery.action,
        "effect": effect,
        "addressed_to_us": terms["addressed_to_you"],
        "durable_at": now,
        "topic": record.topic,
        "partition": record.partition,
        "record_offset": record.offset,
    }
