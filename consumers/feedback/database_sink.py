"""Feedback in a database of the force: every record, and a line for each incident and member."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from consumers.delivery import Batch, Positions, SetAside
from consumers.feedback.record import Told
from consumers.feedback.status import Step, line, told
from consumers.feedback.tables import FEEDBACK, KIND, STATUS, TABLES
from consumers.sinks import Gap, Written
from consumers.sinks.places import Place, open_database
from consumers.sinks.storable import take_storable
from consumers.sinks.table import iso
from schemas.errors import Rejected

Row = dict[str, Any]
Key = tuple[str, str]


class FeedbackDatabase:
    """One force's feedback in SQL. Fulfils `Sink[Told]`: position and rows in one transaction."""

    def __init__(
        self,
        place: Place,
        force: str,
        names: Mapping[str, str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the force's database, with tables made afresh if there are none.

        Args:
            place: where it is.
            force: whose.
            names: member → its name, as a dispatcher knows it.
            clock: what time it is.

        Raises:
            Rejected: it is something else's, another force's, or a newer release's.
        """
        self._names = names
        self._clock = clock
        self._database = open_database(place, KIND, force, TABLES)

    def write(self, batch: Batch[Told]) -> Written[Told]:
        """Make a batch durable; see `consumers.sinks`."""
        with self._database.transaction():
            stored = self._database.positions()
            new = self._new(one for one in batch.taken if not one.record.is_before(stored))
            written, unfit = take_storable(self._database, new, self._take, _set_aside)
            refused = [*(one for one in batch.set_aside if not one.record.is_before(stored)), *unfit]
            self._database.set_aside(refused, self._clock())
            self._database.advance(stored, batch.positions)
        return Written(tuple(written), len(batch.taken) - len(new), tuple(refused))

    def positions(self) -> Positions:
        """Where to read on."""
        return self._database.positions()

    def note_gap(self, gap: Gap) -> None:
        """Keep that records were lost to retention, in the table `gap`."""
        self._database.note_gap(gap, self._clock())

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _new(self, some: Iterable[Told]) -> list[Told]:
        new: dict[str, Told] = {}
        for one in some:
            new.setdefault(one.feedback_id, one)
        for known in self._database.known(FEEDBACK, "feedback_id", list(new)):
            del new[known]
        return list(new.values())

    def _take(self, some: Sequence[Told]) -> tuple[list[Told], list[SetAside]]:
        rows = [row for one in some for row in _rows(one, self._names)]
        self._database.write(FEEDBACK.insert_new, FEEDBACK.rows(rows))
        keys = dict.fromkeys(_key(row) for row in rows if row["incident_id"])
        held = {_key(row): row for row in self._database.rows_by_key(STATUS, keys)}
        for row in rows:
            if row["incident_id"]:
                held[_key(row)] = _status(held.get(_key(row)), row)
        self._database.write(STATUS.upsert, STATUS.rows(held.values()))
        return list(some), []


def _set_aside(one: Told, why: Rejected) -> SetAside:
    return SetAside.of(one.record, why)


def _key(row: Row) -> Key:
    return row["incident_id"], row["member"] or ""


def _rows(one: Told, names: Mapping[str, str]) -> Iterator[Row]:
    """A row for each event that it names; one where it names none."""
    value = one.value
    source = value["source"] or {}
    said = {
        **value,
        "member_name": names.get(value["member"], value["member"]),
        "topic": source.get("topic"),
        "partition": source.get("partition"),
        "record_offset": source.get("offset"),
    }
    nothing: Row = {"entry": 0, "incident_id": "", "event_id": ""}
    entries = [{**entry, "was_at": entry["at"], "entry": number} for number, entry in enumerate(value["entries"], 1)]
    for entry in entries or [nothing]:
        yield {**entry, **said}


def _status(before: Row | None, row: Row) -> Row:
    """The line of an incident at a member, once this is told too."""
    kind, at = row["kind"], row.get("was_at") or row["at"]
    steps = told(_steps(before), kind, at, row)
    name = row["member_name"] or ""
    at_of = {step.kind: step.at for step in steps}
    confirmed = [step.at for step in steps if step.kind in ("erased", "restricted")]
    return {
        "incident_id": row["incident_id"],
        "member": row["member"] or "",
        "member_name": name,
        "line": line(name, steps),
        "reference": row.get("reference") or (before or {}).get("reference"),
        "delivered_at": at_of.get("delivered"),
        "accepted_at": at_of.get("accepted"),
        "rejected_at": at_of.get("rejected"),
        "unanswered_at": at_of.get("unanswered"),
        "retracted_at": at_of.get("retracted"),
        "confirmed_at": max(confirmed, default=None),
        "updated_at": max(filter(None, ((before or {}).get("updated_at"), iso(row["at"])))),
        "steps": json.dumps([[step.kind, iso(step.at), step.more] for step in steps], ensure_ascii=False),
    }


def _steps(before: Row | None) -> list[Step]:
    if before is None:
        return []
    return [Step(kind, datetime.fromisoformat(at), more) for kind, at, more in json.loads(before["steps"])]
