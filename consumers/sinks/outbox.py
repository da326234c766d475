"""The outbox of a database: receipts that are written with what they are about, and wait there for Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from consumers.receipts import NewReceipt
from consumers.sinks import OutboxReceipt
from consumers.sinks.database import Database
from consumers.sinks.table import iso
from consumers.sinks.tables import RECEIPT_OUTBOX


def keep_receipts(database: Database, receipts: Iterable[NewReceipt], at: datetime) -> None:
    """Put receipts into the outbox, within the transaction that writes what they are about."""
    rows = [(one.stream, one.kind, one.deliveries, iso(at), one.value) for one in receipts]
    database.write(RECEIPT_OUTBOX.insert, rows)


def unsent(database: Database, after: int, limit: int) -> Sequence[OutboxReceipt]:
    """The oldest receipts with a number above `after`."""
    rows = database.query(
        "SELECT receipt_number, stream, kind, deliveries, value FROM receipt_outbox"
        " WHERE receipt_number > ? ORDER BY receipt_number LIMIT ?",
        (after, limit),
    )
    return [OutboxReceipt(*row) for row in rows]


def forget(database: Database, numbers: Sequence[int]) -> None:
    """Remove receipts that Kafka has."""
    with database.transaction():
        database.write("DELETE FROM receipt_outbox WHERE receipt_number = ?", [(n,) for n in numbers])
