"""What waits for this member's answer, and what it answered lately, for a person to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from consumers.sinks.database import Database


class Waiting(NamedTuple):
    """One row of the view ``awaiting``; times as text in UTC."""

    origin: str
    incident_id: str
    local_ref: str | None
    our_reference: str | None
    what: str
    reason: str | None
    ask: str | None
    asked_at: str
    answer_by: str
    overdue: bool
    primacy: str | None
    contact_desk: str | None
    contact_phone: str | None
    contact_email: str | None
    delivery_id: str


class Answered(NamedTuple):
    """What was asked and is closed."""

    origin: str
    incident_id: str
    local_ref: str | None
    our_reference: str | None
    what: str
    closed_at: str
    closed_as: str
    by_role: str | None
    taken_over_at: str | None


_WAITING: Final = f"SELECT {', '.join(Waiting._fields)} FROM awaiting ORDER BY answer_by, delivery_id"  # noqa: S608
_ANSWERED: Final = (
    "SELECT a.origin, a.incident_id, i.local_ref, i.our_reference, a.what, a.closed_at, a.closed_as, a.by_role,"
    " i.taken_over_at FROM asked a JOIN incident i ON i.origin = a.origin AND i.incident_id = a.incident_id"
    " WHERE a.closed_at IS NOT NULL ORDER BY a.closed_at DESC, a.delivery_id LIMIT ?"
)
_PROBLEMS: Final = (
    "SELECT answer_number, kind, problem FROM answer WHERE taken_at IS NULL AND problem IS NOT NULL"
    " ORDER BY answer_number"
)


class Problem(NamedTuple):
    """An answer that could not be taken."""

    answer_number: int
    kind: str
    problem: str


def waiting(database: Database) -> list[Waiting]:
    """What waits, the most urgent first."""
    return [Waiting(*_with_bool(row)) for row in database.query(_WAITING)]


def answered(database: Database, limit: int) -> list[Answered]:
    """What was closed last, the latest first."""
    return [Answered(*row) for row in database.query(_ANSWERED, (limit,))]


def problems(database: Database) -> list[Problem]:
    """The answers that could not be taken, with what was expected."""
    return [Problem(*row) for row in database.query(_PROBLEMS)]


def _with_bool(row: Sequence[Any]) -> list[Any]:
    place = Waiting._fields.index("overdue")
    return [*row[:place], bool(row[place]), *row[place + 1 :]]
