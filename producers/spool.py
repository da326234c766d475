"""The durable spool: nothing that was captured is lost, doubled, or overtaken within its incident.

A batch of records is captured in **one** transaction: the source's position, the events made of them, and the records
set aside. Only then may the source forget them. The spool gives every event its sequence within its incident and its
event_id, and remembers by event key what it has seen:

- the same key with the same content is a repeat, and dropped;
- the same key with other content is set aside: one of the two is not what its key says.

An event is *waiting*, then *acknowledged* by Kafka or *refused* by it for good. What was acknowledged or refused is
remembered for thirty days, with its record, so that it can be mapped and sent again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final, Self

from producers.identity import event_id_of
from producers.mapping import Draft
from producers.sources.source import SourceRecord
from producers.spool_file import SpoolFile, refusals
from producers.spool_records import Captured, Outgoing, Waiting, milliseconds, record_from, record_text, set_aside
from schemas.codec import EventCodec
from schemas.errors import Rejected
from schemas.event import Control, IncidentEvent

REMEMBERED_DAYS: Final = 30
_DAY_MS: Final = 24 * 60 * 60 * 1000
_DEFAULT_MAX_BYTES: Final = 256 * 1024


RANKS: Final[Mapping[str, int]] = {"emergency": 0, "priority": 1, "unknown": 2, "scheduled": 3, "no-attendance": 4}
"""Which grade goes first; an unknown one may be anything, and goes before those that can wait."""

Made = tuple[SourceRecord, Draft | Rejected]
"""A record, and the draft made of it or why none could be made."""


class Spool:
    """One force's spool for one of its systems. Not thread-safe.

    ``publishing`` takes the lock: one process captures and publishes. Others may read, set aside and resubmit beside
    it; whatever they spool, the publishing process sends.
    """

    def __init__(
        self,
        path: Path,
        *,
        origin: str,
        system: str,
        max_event_bytes: int = _DEFAULT_MAX_BYTES,
        publishing: bool = True,
    ) -> None:
        self.origin = origin
        self.system = system
        self._max_event_bytes = max_event_bytes
        self._codec = EventCodec()
        self.file = SpoolFile(path, {"origin": origin, "system": system}, locked=publishing)

    @classmethod
    def existing(cls, path: Path, *, max_event_bytes: int = _DEFAULT_MAX_BYTES) -> Self:
        """A spool that is there already, beside whoever publishes from it.

        Raises:
            Rejected: there is none.
        """
        file = SpoolFile(path, None, locked=False)
        about = file.about()
        file.close()
        return cls(
            path,
            origin=about["origin"],
            system=about["system"],
            max_event_bytes=max_event_bytes,
            publishing=False,
        )

    def position(self, source: str) -> str | None:
        """Where the source of this name goes on; None: from the first record."""
        found = self._one("SELECT position FROM positions WHERE source = ?", source)
        return found[0] if found else None

    def capture(self, source: str, made: Sequence[Made], now: datetime) -> Captured:
        """Store a batch and the position after it, in one transaction; the source may forget it then.

        Raises:
            Unavailable: it could not be stored, none of it: wait, and capture the same batch again.
        """
        captured = Captured()
        with self.file.transaction() as database:
            for record, draft in made:
                try:
                    if isinstance(draft, Rejected):
                        raise draft
                    self.spool_in(database, record, draft, now, captured)
                except Rejected as rejected:
                    set_aside(database, record, rejected, now, captured)
            if made:
                database.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (source, made[-1][0].position))
        return captured

    def spool_again(self, record: SourceRecord, draft: Draft, now: datetime, database: sqlite3.Connection) -> str:
        """Within a transaction: another event of a record that has one already. Returns its event_id.

        Raises:
            Rejected: it is too large.
        """
        (times,) = database.execute(
            "SELECT count(*) FROM events WHERE event_key = ?1 OR (event_key > ?1 || x'1f' AND event_key < ?1 || ' ')",
            (draft.event_key,),
        ).fetchone()
        key = f"{draft.event_key}\x1f{times}" if times else draft.event_key
        captured = Captured()
        self.spool_in(database, record, Draft(key, draft.event), now, captured)
        (event_id,) = database.execute("SELECT event_id FROM events WHERE event_key = ?", (key,)).fetchone()
        return str(event_id)

    def waiting(self, after_row: int = 0) -> list[Waiting]:
        """Events that Kafka has not acknowledged, in the order in which they were made."""
        with refusals(self.file.path):
            rows = self.file.connection.execute(
                "SELECT row, incident_id, rank, made_ms FROM events WHERE state = 'waiting' AND row > ? ORDER BY row",
                (after_row,),
            )
            return [Waiting(*row) for row in rows]

    def outgoing(self, rows: Sequence[int]) -> list[Outgoing]:
        """What to send for these rows, in the order asked; rows no longer waiting are left out."""
        found: dict[int, Outgoing] = {}
        with refusals(self.file.path):
            for start in range(0, len(rows), 500):
                some = rows[start : start + 500]
                marks = ",".join("?" * len(some))
                query = f"SELECT row, incident_id, framed FROM events WHERE state = 'waiting' AND row IN ({marks})"  # noqa: S608  marks only
                found.update((row[0], Outgoing(*row)) for row in self.file.connection.execute(query, some))
        return [found[row] for row in rows if row in found]

    def acknowledge(self, rows: Iterable[int], now: datetime) -> None:
        """Kafka has these."""
        done = [(milliseconds(now), row) for row in rows]
        with self.file.transaction() as database:
            database.executemany(
                "UPDATE events SET state = 'acknowledged', framed = NULL, done_ms = ? "
                "WHERE row = ? AND state = 'waiting'",
                done,
            )

    def refuse(self, row: int, reason: Rejected, now: datetime) -> None:
        """Kafka will never take this one: set its record aside, and go on with the next."""
        with self.file.transaction() as database:
            found = database.execute(
                "SELECT event_id, record FROM events WHERE row = ? AND state = 'waiting'", (row,)
            ).fetchone()
            if found is None:
                return
            database.execute(
                "UPDATE events SET state = 'refused', framed = NULL, done_ms = ? WHERE row = ?",
                (milliseconds(now), row),
            )
            set_aside(database, record_from(found[1]), reason, now, Captured(), event_id=found[0])

    def forget(self, now: datetime) -> int:
        """Forget what was done with more than thirty days ago; how many events that were. Call now and then."""
        with self.file.transaction() as database:
            before = milliseconds(now) - REMEMBERED_DAYS * _DAY_MS
            database.execute("DELETE FROM set_aside WHERE state = 'retried' AND at_ms < ?", (before,))
            return database.execute("DELETE FROM events WHERE done_ms < ?", (before,)).rowcount

    def set_aside_count(self) -> int:
        """How many records wait for a person."""
        found = self._one("SELECT count(*) FROM set_aside WHERE state = 'waiting'")
        return int(found[0]) if found else 0

    def close(self) -> None:
        """Close, and give up the lock. Safe to repeat."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def spool_in(
        self, database: sqlite3.Connection, record: SourceRecord, draft: Draft, now: datetime, captured: Captured
    ) -> None:
        """Within a transaction: one draft, as the next event of its incident, or as the repeat of one.

        Raises:
            Rejected: too large, or its event key was another record's.
        """
        original = record.original()
        digest = blake2b(original.encode(), digest_size=16).digest()
        seen = database.execute("SELECT digest FROM events WHERE event_key = ?", (draft.event_key,)).fetchone()
        if seen is not None:
            if seen[0] != digest:
                raise Rejected(
                    "event-key-reused",
                    f"{record.where}: its event key was that of another record before, and its content differs",
                    remedy="make event_key differ in every version of a record: add a row version or a time of change",
                )
            captured.repeated += 1
            return
        sequence = self._next_sequence(database, draft.event.incident_id)
        event = self._identified(draft, sequence)
        framed = self._framed(event, record)
        if len(framed) > self._max_event_bytes:
            raise Rejected(
                "oversize",
                f"{record.where}: makes an event of {len(framed)} bytes; the exchange takes {self._max_event_bytes}",
                remedy="map fewer or shorter log lines",
            )
        waiting = (event.incident_id, RANKS.get(event.grade, RANKS["unknown"]), milliseconds(now))
        row = database.execute(
            "INSERT INTO events "
            "(event_key, event_id, incident_id, sequence, rank, digest, record, framed, state, made_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?)",
            (
                draft.event_key,
                event.event_id,
                waiting[0],
                sequence,
                waiting[1],
                digest,
                record_text(record, original),
                framed,
                waiting[2],
            ),
        ).lastrowid
        database.execute("INSERT OR REPLACE INTO incidents VALUES (?, ?)", (event.incident_id, sequence))
        captured.waiting.append(Waiting(row or 0, *waiting))

    def _framed(self, event: IncidentEvent, record: SourceRecord) -> bytes:
        try:
            return self._codec.encode(event.to_avro())
        except Exception as error:  # noqa: BLE001  one event that cannot be written must not stop those behind it
            message = f"{record.where}: its event cannot be encoded ({type(error).__name__}): a fault of this program"
            raise Rejected("unencodable", message, remedy="report it with the record's shape") from None

    def _identified(self, draft: Draft, sequence: int) -> IncidentEvent:
        event = draft.event
        control = (event.control or (Control(),))[0].model_copy(update={"sequence": sequence})
        event_id = event_id_of(self.origin, event.incident_id, sequence, draft.event_key)
        return event.model_copy(update={"origin": self.origin, "event_id": event_id, "control": (control,)})

    def _next_sequence(self, database: sqlite3.Connection, incident_id: str) -> int:
        last = database.execute("SELECT sequence FROM incidents WHERE incident_id = ?", (incident_id,)).fetchone()
        return int(last[0]) + 1 if last else 1

    def _one(self, query: str, *values: object) -> tuple[str, ...] | None:
        with refusals(self.file.path):
            found: tuple[str, ...] | None = self.file.connection.execute(query, values).fetchone()
            return found
