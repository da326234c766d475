"""One member's control room: the database that its consumer fills, its answers, and what its dispatcher reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from consumers.answers.taking import AnswerTaker, Refused
from consumers.delivery import Record, delivery_opener, open_batch
from consumers.disposal import Disposal
from consumers.feedback.database_sink import FeedbackDatabase
from consumers.feedback.record import feedback_opener
from consumers.sinks.sql import SqlSink
from schemas.exchange import AnswersWithin
from schemas.sections import SECTIONS

MOST_BYTES = 512 * 1024


class Room:
    """A member's own systems."""

    def __init__(
        self, folder: Path, member: str, names: Mapping[str, str], within: AnswersWithin, clock: Callable[[], datetime]
    ) -> None:
        self._about = folder, member, within, clock
        self._topic: list[Record] = []
        self._told = 0
        self._edition = ""
        self._sink = SqlSink(folder / f"{member}.db", member, clock, within)
        self._feedback = FeedbackDatabase(folder / f"{member}-feedback.db", member, names, clock)

    # -- what its consumers do

    def take(self, topic: str, value: bytes) -> None:
        """A record of its partner topic, or of its feedback, is read and written down."""
        if topic.startswith("feedback."):
            self._told += 1
            self._feedback.write(open_batch([Record(topic, 0, self._told, 0, value)], feedback_opener(MOST_BYTES)))
            return
        record = Record(topic, 0, len(self._topic), 0, value)
        self._topic.append(record)
        written = self._sink.write(open_batch([record], delivery_opener(MOST_BYTES)))
        assert not written.set_aside

    def receipts(self) -> Iterator[tuple[str, bytes]]:
        """What it has to say of what it read, each once."""
        while waiting := self._sink.unsent_receipts(0, 1):
            (receipt,) = waiting
            self._sink.forget_receipts([receipt.receipt_number])
            yield receipt.stream, receipt.value

    def read_again_from_the_beginning(self) -> None:
        """The whole of its topic is replayed into its database."""
        self._sink.fill(open_batch(self._topic, delivery_opener(MOST_BYTES)))

    def lose_its_database_and_read_again(self) -> None:
        """A new database is filled from the whole of its topic."""
        folder, member, within, clock = self._about
        self._sink.close()
        self._edition = "-new"
        self._sink = SqlSink(folder / f"{member}-new.db", member, clock, within)
        self._sink.write(open_batch(self._topic, delivery_opener(MOST_BYTES)))

    def dispose(self) -> int:
        """What may be kept no longer goes; how many incidents that were."""
        _, member, _, clock = self._about
        return Disposal(self._sink.database, member, clock).dispose()

    # -- what its people do

    def answer(self, incident: str, kind: str, **said: Any) -> None:
        """Its system inserts a row into ``answer``."""
        _, member, _, clock = self._about
        columns = {"incident_id": incident, "kind": kind, **said}
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        with self._sink.database.transaction():
            self._sink.database.execute(f"INSERT INTO answer ({names}) VALUES ({marks})", list(columns.values()))  # noqa: S608
        (taken,) = AnswerTaker(self._sink.database, member, clock).take_waiting()
        assert not isinstance(taken, Refused), taken.problem

    def hold(self, origin: str, incident: str, reason: str) -> None:
        """Somebody there says that an incident must be kept, and why."""
        with self._sink.database.transaction():
            values = (origin, incident, reason)
            self._sink.database.execute("INSERT INTO hold (origin, incident_id, reason) VALUES (?, ?, ?)", values)

    # -- what its people see

    def screen(self, origin: str, incident: str) -> dict[str, Any]:
        """What is held of an incident: the head's fields, and each section's items; empty if nothing ever came."""
        head = self._rows("SELECT * FROM incident WHERE origin = ? AND incident_id = ?", origin, incident)
        if not head:
            return {}
        shown = dict(head[0])
        rows = self._rows("SELECT section, items FROM section WHERE origin = ? AND incident_id = ?", origin, incident)
        sections = {row["section"]: row["items"] for row in rows}
        shown["sections"] = {
            section: sections[section] and json.loads(sections[section]) for section in SECTIONS if section in sections
        }
        return shown

    def awaiting(self) -> list[tuple[str, str]]:
        """What it is to answer, and by when."""
        return [
            (row["what"], row["answer_by"]) for row in self._rows("SELECT what, answer_by FROM awaiting ORDER BY 1")
        ]

    def told_wrong(self) -> list[tuple[str, str]]:
        """What the latest delivery says was wrong, and why."""
        (row,) = self._rows("SELECT changes FROM delivery ORDER BY record_offset DESC LIMIT 1")
        return [(change["path"], change["reason"]) for change in json.loads(row["changes"])]

    def delivered(self) -> list[str]:
        """What it was sent, by action, in order."""
        return [row["action"] for row in self._rows("SELECT action FROM delivery ORDER BY record_offset")]

    def sealed(self) -> int:
        """How many pieces of what was taken back are kept for a person to decide on, or as evidence."""
        return len(self._rows("SELECT 1 FROM sealed"))

    def lines(self, incident: str) -> dict[str, str]:
        """What its dispatcher reads of each member about an incident of its own."""
        query = "SELECT member, line FROM status_of_incident WHERE incident_id = ?"
        return {row["member"]: row["line"] for row in self._rows(query, incident, of="-feedback")}

    def _rows(self, query: str, *values: str, of: str = "") -> list[sqlite3.Row]:
        """As any program reads them."""
        folder, member, *_ = self._about
        reader = sqlite3.connect(f"file:{folder / member}{of or self._edition}.db?mode=ro", uri=True)
        reader.row_factory = sqlite3.Row
        try:
            return reader.execute(query, values).fetchall()
        finally:
            reader.close()
