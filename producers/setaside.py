"""What was set aside, and what the router quarantined: seen, and mapped again once the mapping is mended.

These work beside a producer that runs: what they spool, it sends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from producers.mapping import Maker
from producers.spool import Spool
from producers.spool_records import Captured, moment_of, record_from
from schemas.errors import Rejected

SYNTHETIC_SYSTEM: Final = "synthetic"
"""The system of a synthetic control room's spool: its events come from no record, and cannot be mapped again."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that waits for a person. ``columns`` is the record itself: its owner's data, for nobody else."""

    number: int
    at: datetime
    where: str
    reason: str
    message: str
    remedy: str
    event_id: str | None
    columns: dict[str, object]


@dataclass
class Retried:
    """What became of records that were mapped again."""

    spooled: int = 0
    repeated: int = 0
    still_set_aside: Counter[str] = field(default_factory=Counter)
    """By reason."""


def listed(spool: Spool, numbers: Collection[int] | None = None) -> list[SetAside]:
    """The records that wait, the oldest first; only those with these numbers if told.

    Raises:
        Rejected: there is none with one of the numbers.
    """
    rows = spool.file.connection.execute(
        "SELECT number, at_ms, reason, message, remedy, event_id, record FROM set_aside WHERE state = 'waiting' "
        "ORDER BY number"
    )
    found = []
    for number, at_ms, reason, message, remedy, event_id, text in rows:
        if numbers is None or number in numbers:
            record = record_from(text)
            found.append(
                SetAside(
                    number, moment_of(at_ms), record.where, reason, message, remedy, event_id, dict(record.columns)
                )
            )
    if missing := sorted(set(numbers or ()) - {record.number for record in found}):
        raise Rejected("no-such-record", f"no record waits under number {', '.join(map(str, missing))}")
    return found


def retry(spool: Spool, make: Maker, now: datetime, numbers: Collection[int] | None = None) -> Retried:
    """Map records again, all or those with these numbers; what maps now is spooled, the rest stays with its new reason.

    Raises:
        Rejected: no such number; or the spool is a synthetic control room's.
    """
    _refuse_synthetic(spool)
    result = Retried()
    for waiting in listed(spool, numbers):
        with spool.file.transaction() as database:
            (text,) = database.execute("SELECT record FROM set_aside WHERE number = ?", (waiting.number,)).fetchone()
            record = record_from(text)
            try:
                draft = make(record, now)
                if waiting.event_id is not None:
                    spool.spool_again(record, draft, now, database)
                    result.spooled += 1
                else:
                    captured = Captured()
                    spool.spool_in(database, record, draft, now, captured)
                    result.spooled += len(captured.waiting)
                    result.repeated += captured.repeated
                database.execute("UPDATE set_aside SET state = 'retried' WHERE number = ?", (waiting.number,))
            except Rejected as rejected:
                result.still_set_aside[rejected.reason] += 1
                database.execute(
                    "UPDATE set_aside SET reason = ?, message = ?, remedy = ? WHERE number = ?",
                    (rejected.reason, str(rejected), rejected.remedy, waiting.number),
                )
    return result


def resubmit(spool: Spool, event_id: str, make: Maker, now: datetime) -> str:
    """Map the record of an event again, and spool it as a new event of its incident: the repair of a quarantined one.

    Returns the new event_id.

    Raises:
        Rejected: this spool does not know the event or its record; the record still does not map.
    """
    _refuse_synthetic(spool)
    with spool.file.transaction() as database:
        found = database.execute("SELECT record FROM events WHERE event_id = ?", (event_id,)).fetchone()
        if found is None:
            raise Rejected(
                "unknown-event",
                f"{spool.file.path}: this spool of {spool.origin} does not know that event",
                remedy="a spool knows the events it made, for 30 days after delivery: name the spool that made it",
            )
        record = record_from(found[0])
        return spool.spool_again(record, make(record, now), now, database)


def _refuse_synthetic(spool: Spool) -> None:
    if spool.system == SYNTHETIC_SYSTEM:
        raise Rejected(
            "not-mapped",
            f"{spool.file.path}: is the spool of a synthetic control room: its events come from no record",
        )
