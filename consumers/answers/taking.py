"""Answers at the database: each is taken with its receipt and with what it closes, in one transaction.

An answer that is said again in the same words, of the same question, is taken without another receipt: whoever never
heard that it was taken may say it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from consumers.answers.effects import close_questions
from consumers.answers.fitting import AlreadyAnswered, Target, targets
from consumers.answers.saying import FIELDS, Answer, read_answer
from consumers.receipts import Entry, receipt
from consumers.sinks.database import Database
from consumers.sinks.outbox import keep_receipts
from consumers.sinks.table import iso, to_json
from schemas.errors import Rejected

_MOST_AT_ONCE: Final = 200
_WAITING: Final = "FROM answer WHERE taken_at IS NULL AND problem IS NULL"
_TAKEN: Final = (
    "UPDATE answer SET taken_at = ?, answers = ?, repeats = ?, origin = ?, incident_id = ? WHERE answer_number = ?"
)
_TARGETS: Final = (
    "SELECT delivery_id, origin, incident_id, event_id, stream, what, closed_as, by_role FROM asked"
    " WHERE origin = ? AND incident_id = ? ORDER BY coalesce(number, 0), asked_at, delivery_id"
)
_LATEST: Final = (
    "SELECT d.delivery_id, d.origin, d.incident_id, d.event_id, d.stream FROM delivery d JOIN incident i"
    " ON i.origin = d.origin AND i.incident_id = d.incident_id AND i.event_id IS NOT NULL"
    " WHERE d.origin = ? AND d.incident_id = ? AND d.action IN ('share', 'correct') AND d.effect = 'applied'"
    " ORDER BY coalesce(d.number, 0) DESC, d.record_offset DESC LIMIT 1"
)
_SAME: Final = ("kind", "reference", "cause", "passed_to", "by_role")


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer that is durable, and the deliveries that it answers."""

    answer_number: int
    kind: str
    origin: str
    incident_id: str
    answers: tuple[str, ...]
    is_repeat: bool = False
    """The same was said before: it is not told again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that cannot be taken as it stands: the row says why in column ``problem``."""

    answer_number: int
    problem: str


class AnswerTaker:
    """Takes answers in a member's receiving database. Use it from the thread that opened the database."""

    def __init__(
        self, database: Database, member: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._member = member
        self._clock = clock

    def take_waiting(self) -> list[Taken | Refused]:
        """Take what has been inserted since; a row that cannot be taken gets its problem written beside it.

        Raises:
            Unavailable: the database is away; whatever was not taken waits.
        """
        if not self._database.query(f"SELECT 1 {_WAITING} LIMIT 1"):
            return []
        with self._database.transaction():
            return [self._take_row(number, said) for number, said in self._waiting()]

    def say(self, said: Sequence[Mapping[str, Any]], said_by: str) -> list[Taken]:
        """Write answers down and take them: all, or none.

        Args:
            said: of each what `FIELDS` name.
            said_by: how it was said: command or call.

        Raises:
            Rejected: one of them cannot be taken; nothing was written.
            Unavailable: the database is away; nothing was written.
        """
        with self._database.transaction():
            return [self._say_one(place, one, said_by) for place, one in enumerate(said, start=1)]

    def _say_one(self, place: int, said: Mapping[str, Any], said_by: str) -> Taken:
        try:
            answer = read_answer(said)
            columns = {**asdict(answer), "said_by": said_by}
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO answer ({', '.join(columns)}) VALUES ({marks}) RETURNING answer_number"  # noqa: S608
            ((number,),) = self._database.query(insert, list(columns.values()))
            return self._take(number, answer)
        except Rejected as error:
            raise Rejected(error.reason, f"answer {place}: {error}", remedy=error.remedy) from None

    def _waiting(self) -> Iterator[tuple[int, dict[str, Any]]]:
        columns = ("answer_number", *FIELDS)
        select = f"SELECT {', '.join(columns)} {_WAITING} ORDER BY answer_number LIMIT ?"
        for row in self._database.query(select, (_MOST_AT_ONCE,)):
            yield row[0], dict(zip(FIELDS, row[1:], strict=True))

    def _take_row(self, number: int, said: Mapping[str, Any]) -> Taken | Refused:
        try:
            return self._take(number, read_answer(said))
        except Rejected as error:
            problem = str(error)
            self._database.execute("UPDATE answer SET problem = ? WHERE answer_number = ?", (problem, number))
            return Refused(number, problem)

    def _take(self, number: int, answer: Answer) -> Taken:
        origin, incident_id = self._incident(answer)
        asked = [Target(*row) for row in self._database.query(_TARGETS, (origin, incident_id))]
        latest = next((Target(*row) for row in self._database.query(_LATEST, (origin, incident_id))), None)
        try:
            found = targets(answer, asked, latest)
            answered = tuple(target.delivery_id for target in found)
        except AlreadyAnswered as error:
            found, answered = (), (error.delivery_id,)
            before = self._said_before(origin, incident_id, answer, answered)
            if before is None:
                raise
        else:
            before = self._said_before(origin, incident_id, answer, answered)
        now = self._clock()
        if before is None:
            self._tell(answer, found, now)
        self._database.execute(_TAKEN, (iso(now), to_json(answered), before, origin, incident_id, number))
        return Taken(number, answer.kind, origin, incident_id, answered, before is not None)

    def _tell(self, answer: Answer, found: Sequence[Target], now: datetime) -> None:
        at = now if answer.at is None else datetime.fromisoformat(answer.at)
        entries = [_entry(answer, target, at) for target in found]
        told = receipt(self._member, found[0].stream, answer.kind, entries, now)
        keep_receipts(self._database, [told], now)
        close_questions(self._database, answer, found, at)

    def _incident(self, answer: Answer) -> tuple[str, str]:
        """Which incident is meant: by its delivery, its name at the origin, or its log number."""
        if answer.delivery_id is not None:
            column, value = "delivery_id", answer.delivery_id
            found = self._database.query(
                "SELECT origin, incident_id FROM delivery WHERE delivery_id = ?", (answer.delivery_id,)
            )
        else:
            column, value = "incident_id", answer.incident_id or ""
            found = self._database.query("SELECT origin, incident_id FROM incident WHERE incident_id = ?", (value,))
            found = found or self._database.query(
                "SELECT origin, incident_id FROM incident WHERE local_ref = ?", (value,)
            )
        meant = [one for one in found if answer.origin in (one[0], None)]
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise Rejected("bad-answer", f"expected origin: {len(meant)} incidents have this {column} or log number")
        raise Rejected("no-such-incident", f"expected the {column} of something that was delivered here, and none is")

    def _said_before(self, origin: str, incident_id: str, answer: Answer, answered: Sequence[str]) -> int | None:
        """The row in which the same was said of the same deliveries, taken already."""
        rows = self._database.query(
            f"SELECT answer_number, answers, {', '.join(_SAME)} FROM answer"  # noqa: S608  our own words
            " WHERE origin = ? AND incident_id = ? AND taken_at IS NOT NULL AND repeats IS NULL",
            (origin, incident_id),
        )
        same = tuple(getattr(answer, name) for name in _SAME)
        return next(
            (row[0] for row in rows if tuple(row[2:]) == same and set(answered) <= set(json.loads(row[1]))), None
        )


def _entry(answer: Answer, target: Target, at: datetime) -> Entry:
    return {
        "origin": target.origin,
        "incident_id": target.incident_id,
        "event_id": target.event_id,
        "delivery_id": target.delivery_id,
        "at": at,
        "reference": answer.reference,
        "cause": answer.cause,
        "passed_to": answer.passed_to,
        "by_role": answer.by_role,
    }
