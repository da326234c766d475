"""What waits for this member, counted, and the answers of the receiving system, taken: what a consumer does of them."""

from __future__ import annotations

from typing import Final, get_args

from consumers.answers.asking import What
from consumers.answers.taking import AnswerTaker, Refused, Taken
from consumers.sinks.database import Database
from schemas.ops import metrics
from schemas.ops.logs import get_logger

_COUNTED: Final = "SELECT what, overdue, count(*) FROM awaiting GROUP BY what, overdue"
_log = get_logger()


class AnswerWatch:
    """Takes what was inserted into ``answer``, and shows in metrics what waits. Use it from the database's thread."""

    def __init__(self, database: Database, member: str) -> None:
        self._database = database
        self._member = member
        self._taker = AnswerTaker(database, member)
        metrics.declare("answers_total", recipient=member)

    def take(self) -> None:
        """Take what waits in table ``answer``.

        Raises:
            Unavailable: the database is away.
        """
        if results := self._taker.take_waiting():
            count_answers(self._member, results)

    def count(self) -> None:
        """State what is awaited, in time and overdue.

        Raises:
            Unavailable: the database is away.
        """
        counted = {(what, bool(overdue)): count for what, overdue, count in self._database.query(_COUNTED)}
        for what in get_args(What):
            for due, is_overdue in (("in-time", False), ("overdue", True)):
                value = counted.get((what, is_overdue), 0)
                metrics.set_gauge("awaited_answers", value, recipient=self._member, what=what, due=due)


def count_answers(member: str, results: list[Taken | Refused]) -> None:
    """Count answers by what became of them; a refused one is told in the log too."""
    for result in results:
        if isinstance(result, Taken):
            metrics.increment("answers_total", recipient=member, outcome="repeated" if result.is_repeat else "taken")
            continue
        metrics.increment("answers_total", recipient=member, outcome="refused")
        _log.warning(
            "an answer cannot be taken: see column problem of table answer",
            recipient=member,
            number=result.answer_number,
        )
