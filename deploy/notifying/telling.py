"""The sink that tells: each notice once it was told is remembered for good, and never told again by this memory.

Who is killed between telling and remembering tells again. What is asked of nobody any more when a desk is first started
is not told: a topic of cases reaches a month back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from consumers.delivery import Batch, Positions
from consumers.sinks import Gap, Written
from consumers.sinks.places import Place, open_database
from consumers.sinks.table import Table
from deploy.notifying.notices import CaseNews, Notice, all_of
from deploy.notifying.notifiers import Notifier

KIND: Final = "desk"
"""What the database of these tables calls itself."""

TOLD: Final = Table(
    "told",
    "notice_id",
    """
    notice_id TEXT NOT NULL  -- the same however often it is told
    case_id TEXT NOT NULL
    kind TEXT NOT NULL  -- opened or escalated
    role TEXT NOT NULL  -- who is asked
    deadline TIME NOT NULL
    told_at TIME  -- NULL: it was over when this desk was first started, and nobody was told
    """,
)


class TellingSink:
    """Tells what happens to one force's cases. Fulfils `Sink[CaseNews]`, but that a batch may be told in part."""

    def __init__(
        self,
        place: Place,
        force: str,
        notifier: Notifier,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the force's memory of what was told, made afresh if there is none.

        Raises:
            Rejected: it is something else's, another force's, or a newer release's.
        """
        self._clock = clock
        self._notifier = notifier
        self._database = open_database(place, KIND, force, (TOLD,))

    def write(self, batch: Batch[CaseNews]) -> Written[CaseNews]:
        """Tell what is new in a batch; see `consumers.sinks`."""
        stored = self._database.positions()
        new = [news for news in batch.taken if not news.record.is_before(stored)]
        notices = all_of(new)
        known = self._database.known(TOLD, "notice_id", [notice.notice_id for notice in notices])
        for notice in notices:
            if notice.notice_id not in known:
                known.add(notice.notice_id)
                self._tell(notice, is_first=not stored)
        refused = tuple(one for one in batch.set_aside if not one.record.is_before(stored))
        with self._database.transaction():
            self._database.set_aside(refused, self._clock())
            self._database.advance(stored, batch.positions)
        return Written(tuple(new), len(batch.taken) - len(new), refused)

    def _tell(self, notice: Notice, *, is_first: bool) -> None:
        now = self._clock()
        is_over = is_first and notice.deadline <= now
        if not is_over:
            self._notifier.tell(notice.body(now))
        row = {name: getattr(notice, name) for name in ("notice_id", "case_id", "kind", "role", "deadline")}
        with self._database.transaction():
            self._database.execute(TOLD.insert_new, TOLD.row({**row, "told_at": None if is_over else now}))

    def positions(self) -> Positions:
        """Where to read on."""
        return self._database.positions()

    def note_gap(self, gap: Gap) -> None:
        """Keep that records were lost to retention, in the table `gap`."""
        self._database.note_gap(gap, self._clock())

    def close(self) -> None:
        """Close the database."""
        self._database.close()
