"""Asking the ledger what people are asked: the cases of a force, how each came to stand so, and who has seen what.

What somebody has looked at is kept by reader and incident, so that next time what came since can be marked, and so that
nobody rules on what they have not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from consumers.ledger_case_tables import CASE_LINE, CASE_NOTICE, CASE_RECORD, CASE_VIEW, INCIDENT_CASE, RULING
from consumers.ledger_reader import LedgerReader, Row
from consumers.sinks.table import iso
from schemas.errors import Rejected

_OPEN: Final = "next_deadline IS NOT NULL"
_RECORD_ORDER: Final = "sequence, at, record_offset"
_MOST_CLOSED: Final = 200


class CaseOf(NamedTuple):
    """One case as it stands, without its history."""

    now: Row
    """Its row of `incident_case`."""
    lines: list[Row]
    """Those that are open, by recipient, agreement and rule."""


class WholeCase(NamedTuple):
    """All that a ledger has of one case."""

    now: Row
    lines: list[Row]
    records: list[Row]
    """How it came to stand so, oldest first: at least one, each with the incident's latest event then."""
    notices: list[Row]
    """What happened to its lines, oldest first."""
    rulings: list[Row]
    """What people ruled, in the order in which the broker took it."""


class CaseBook(LedgerReader):
    """One force's ledger, asked about cases."""

    def open_cases(self) -> list[CaseOf]:
        """The open cases, the next deadline first."""
        self.note("open_cases", "")
        return self._with_lines(self.rows(INCIDENT_CASE, _OPEN, (), "next_deadline"), f"{_OF_CASES} WHERE {_OPEN})", ())

    def closed_cases(self, since: datetime, most: int = _MOST_CLOSED) -> list[CaseOf]:
        """The cases closed since then, the latest first."""
        self.note("closed_cases", iso(since))
        where = "next_deadline IS NULL AND at >= ?"
        return [CaseOf(row, []) for row in self.rows(INCIDENT_CASE, where, (iso(since),), "at DESC", most)]

    def _with_lines(self, cases: Sequence[Row], where: str, values: Sequence[str]) -> list[CaseOf]:
        lines: dict[str, list[Row]] = {row["incident_id"]: [] for row in cases}
        for row in self.rows(CASE_LINE, where, values, "deadline"):
            lines.setdefault(row["incident_id"], []).append(row)
        return [CaseOf(row, lines[row["incident_id"]]) for row in cases]

    def incident_of(self, asked: str) -> str:
        """The incident that has a case of this identifier, log number or incident_id.

        Raises:
            Rejected: there is none, or a log number of several.
        """
        self.note("incident_of", asked)
        for column in ("incident_id", "case_id", "local_ref"):
            found = sorted({row["incident_id"] for row in self.rows(INCIDENT_CASE, f"{column} = ?", (asked,), "at")})
            if len(found) > 1:
                raise Rejected(
                    "several-cases", f"log number {asked} is that of {len(found)} incidents: {', '.join(found)}"
                )
            if asked and found:
                return str(found[0])
        raise Rejected(
            "no-such-case",
            f"this ledger has no case of {asked}: it is no incident_id, log number or case of which "
            "anybody was asked anything",
            remedy="huecry cases list shows what is open; does huecry ledger run, so that it may be here by now?",
        )

    def whole_case(self, incident_id: str) -> WholeCase:
        """All about the case of an incident.

        Raises:
            Rejected: it has none.
        """
        self.note("whole_case", incident_id)
        of_it = (incident_id,)
        now = self.rows(INCIDENT_CASE, "incident_id = ?", of_it, "at")
        if not now:
            raise Rejected("no-such-case", f"this ledger has no case of {incident_id}")
        return WholeCase(
            now[0],
            self.rows(CASE_LINE, "incident_id = ?", of_it, "recipient"),
            self.rows(CASE_RECORD, "incident_id = ?", of_it, _RECORD_ORDER),
            self.rows(CASE_NOTICE, "incident_id = ?", of_it, "at"),
            self.rows(RULING, "incident_id = ?", of_it, "taken_at"),
        )

    def last_view(self, reader: str, incident_id: str) -> Row | None:
        """What that reader was last shown of the case of an incident; None: nothing."""
        found = self.rows(CASE_VIEW, "reader = ? AND incident_id = ?", (reader, incident_id), "at")
        return found[0] if found else None

    def has_looked(self, reader: str, shown: Row, at: datetime) -> None:
        """Keep what a reader was shown.

        Args:
            reader: who.
            shown: the row of `case_record` that was the latest.
            at: when.
        """
        self.write(CASE_VIEW.upsert, CASE_VIEW.row({**shown, "reader": reader, "at": at}))


_OF_CASES: Final = "incident_id IN (SELECT incident_id FROM incident_case"
