"""The streams' numbers, kept with the deliveries that bear them: within the transaction of their batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from consumers.delivery import Delivery
from consumers.sinks import StreamFault
from consumers.sinks.database import Database
from consumers.sinks.table import iso
from consumers.streams.counting import Counted
from consumers.streams.tables import STREAM, STREAM_GAP

_OPEN: Final = "SELECT stream, first_number, last_number FROM stream_gap WHERE filled_at IS NULL AND fault = 'missing'"
_BEGUN: Final = "SELECT topic FROM position WHERE first_offset = 0"
_FILL: Final = "UPDATE stream_gap SET filled_at = ? WHERE stream = ? AND first_number = ? AND fault = 'missing'"
_MISSING: Final = (
    "SELECT coalesce(sum(last_number - first_number + 1), 0) FROM stream_gap"
    " WHERE filled_at IS NULL AND fault = 'missing'"
)


def missing_deliveries(database: Database) -> int:
    """How many deliveries are known to be missing."""
    ((count,),) = database.query(_MISSING)
    return int(count)


def note_sequences(
    database: Database, member: str, deliveries: Sequence[Delivery], new: Collection[Delivery], now: datetime
) -> list[StreamFault]:
    """Take in the numbers of deliveries in the order in which they came, repeats too; what they tell of is returned.

    Args:
        database: where they are kept.
        member: whose streams these are: another's are not counted.
        deliveries: all of a batch whose position is stored: where a topic was read from its start, so is each stream.
        new: those that are here for the first time.
        now: when it is noticed.
    """
    mine = [(stream, number, one) for stream, number, one in _numbered(deliveries) if stream.startswith(f"{member}/")]
    if not mine:
        return []
    counts = _counts(database, {stream for stream, _, _ in mine})
    begun = {topic for (topic,) in database.query(_BEGUN)}
    are_new = {one.delivery_id for one in new}
    before = {stream: set(counted.holes) for stream, counted in counts.items()}
    faults: list[StreamFault] = []
    for stream, number, one in mine:
        counted = counts.get(stream)
        if counted is None:
            counted = counts[stream] = Counted(1, 0) if one.record.topic in begun else Counted(number, number - 1)
        above = counted.last + 1
        met = counted.meet(number, is_new=one.delivery_id in are_new)
        # A second copy in the same batch is a repeat of the first.
        are_new.discard(one.delivery_id)
        if met == "missing":
            faults.append(StreamFault("missing", stream, above, number - 1))
        elif met == "reused":
            faults.append(StreamFault("reused", stream, number, number))
            _note_reused(database, stream, number, one, now)
    _keep(database, counts, before, now)
    return faults


def _numbered(deliveries: Sequence[Delivery]) -> Iterator[tuple[str, int, Delivery]]:
    for delivery in deliveries:
        if (number := delivery.terms["stream_sequence"]) is not None:
            yield delivery.terms["stream"], number, delivery


def _counts(database: Database, streams: Collection[str]) -> dict[str, Counted]:
    rows = database.rows_by_key(STREAM, [(stream,) for stream in sorted(streams)])
    counts = {row["stream"]: Counted(row["first_number"], row["last_number"]) for row in rows}
    for stream, first, last in database.query(_OPEN):
        if stream in counts:
            counts[stream].holes.add((first, last))
    return counts


def _note_reused(database: Database, stream: str, number: int, second: Delivery, now: datetime) -> None:
    row = (stream, "reused", number, number, iso(now), second.delivery_id, None)
    database.write(STREAM_GAP.insert_new, [row])


def _keep(
    database: Database, counts: dict[str, Counted], before: dict[str, set[tuple[int, int]]], now: datetime
) -> None:
    database.write(STREAM.upsert, [(stream, one.first, one.last) for stream, one in counts.items()])
    for stream, counted in counts.items():
        known = before.get(stream, set())
        for first, last in known - counted.holes:
            if any(first <= hole[0] and hole[1] <= last for hole in counted.holes):
                database.execute(STREAM_GAP.delete(*STREAM_GAP.key), (stream, "missing", first))
            else:
                database.execute(_FILL, (iso(now), stream, first))
        found = [(stream, "missing", *hole, iso(now), None, None) for hole in counted.holes - known]
        database.write(STREAM_GAP.upsert, found)
