"""Asking the ledger: why a member got an event, or did not, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from consumers.ledger_case_tables import CASE_LINE, RULING
from consumers.ledger_reader import LedgerReader, Row, os_user
from consumers.ledger_tables import DECISION, DISCLOSURE, FEEDBACK
from consumers.sinks.table import Table, iso

__all__ = ["LONDON", "Ledger", "Recorded", "Row", "WholeIncident", "os_user"]

LONDON: Final = ZoneInfo("Europe/London")


class Recorded(NamedTuple):
    """One decision about one event for one member; what is JSON is text, as who reads many opens each text once."""

    decided_at: str
    record_id: str
    origin: str
    sequence: int
    event_id: str
    considered: str
    state: str | None
    """What came before in the incident."""
    member: str
    head: str
    sections: str
    rules: str


class WholeIncident(NamedTuple):
    """All that a ledger has of one incident."""

    disclosures: list[Row]
    """In the order of its events; those of one event, made again because somebody ruled, oldest first."""
    decisions: dict[str, list[Row]]
    """record_id of each disclosure → its decisions, by member."""
    feedback: list[Row]
    """Oldest first; perhaps of events too whose disclosure is not here."""
    rulings: list[Row]
    """What people ruled, in the order in which the broker took it."""
    lines: list[Row]
    """Those of its case that are open."""


class Ledger(LedgerReader):
    """One force's ledger, asked about events and incidents."""

    def find_event(self, event_id: str) -> list[Row]:
        """The disclosure records of an event, oldest first.

        One, or none; one more for each ruling that changed what became of it, and where two incidents use the same
        event_id.
        """
        return self._ask("find_event", event_id, DISCLOSURE, "event_id = ?", [event_id], "decided_at")

    def find_incident(self, incident_id: str) -> list[Row]:
        """The disclosure records of an incident, in the order of its events."""
        return self._ask("find_incident", incident_id, DISCLOSURE, "incident_id = ?", [incident_id], _EVENT_ORDER)

    def find_reference(self, reference: str) -> list[tuple[str, str | None]]:
        """Incident and member of all that a member has told us it keeps under this reference of its own."""
        self.note("find_reference", reference)
        query = "SELECT DISTINCT incident_id, member FROM feedback WHERE reference = ? ORDER BY incident_id, member"
        return [(incident_id, member) for incident_id, member in self._database.query(query, (reference,))]

    def find_log_number(self, local_ref: str) -> list[str]:
        """The incidents of which a case has this log number, sorted: of those that have a case it is known."""
        self.note("find_log_number", local_ref)
        query = "SELECT incident_id FROM incident_case WHERE local_ref = ? ORDER BY incident_id"
        return [str(incident_id) for (incident_id,) in self._database.query(query, (local_ref,))]

    def whole_incident(self, incident_id: str) -> WholeIncident:
        """All about an incident; equal JSON values in it may be one object."""
        self.note("whole_incident", incident_id)
        return self._whole(incident_id)

    def every_incident(self, what: str, page_incidents: int = 500) -> Iterator[WholeIncident]:
        """All about every incident of which something was decided, one after another, by incident_id.

        Args:
            what: for the access log: the question is noted once.
            page_incidents: how many are found at a time.
        """
        self.note(what, "")
        after = ""
        while page := self._database.query(_NEXT_INCIDENTS, (after, page_incidents)):
            for (incident_id,) in page:
                yield self._whole(incident_id)
            after = page[-1][0]

    def _whole(self, incident_id: str) -> WholeIncident:
        of_it = (incident_id,)
        disclosures = self.rows(DISCLOSURE, "incident_id = ?", of_it, _EVENT_ORDER)
        decisions: dict[str, list[Row]] = {row["record_id"]: [] for row in disclosures}
        for row in self.rows(DECISION, _OF_INCIDENT, of_it, "member"):
            decisions.setdefault(row["record_id"], []).append(row)
        return WholeIncident(
            disclosures,
            decisions,
            self.rows(FEEDBACK, "incident_id = ?", of_it, "at"),
            self.rows(RULING, "incident_id = ?", of_it, "taken_at"),
            self.rows(CASE_LINE, "incident_id = ?", of_it, "recipient"),
        )

    def find_between(self, since: datetime, until: datetime, limit: int = 1000) -> list[Row]:
        """The disclosure records decided from `since` to before `until`, oldest first.

        Times without a zone are local time in Europe/London.
        """
        times = [iso(_local(moment).astimezone(UTC)) for moment in (since, until)]
        where = "decided_at >= ? AND decided_at < ?"
        return self._ask("find_between", "/".join(times), DISCLOSURE, where, times, "decided_at", limit)

    def count_between(self, since: datetime, until: datetime) -> int:
        """How many decisions, for one member each, were made from `since` to before `until`."""
        times = self._times("count_between", since, until)
        ((count,),) = self._database.query(f"SELECT count(*) FROM {_RECORDED}", times)  # noqa: S608  our own names
        return int(count)

    def count_events_between(self, since: datetime, until: datetime) -> int:
        """How many events were decided from `since` to before `until`."""
        times = self._times("count_events_between", since, until)
        ((count,),) = self._database.query(
            "SELECT count(*) FROM disclosure WHERE decided_at >= ? AND decided_at < ?", times
        )
        return int(count)

    def recorded_between(self, since: datetime, until: datetime, page_events: int = 2000) -> Iterator[Recorded]:
        """Every decision made from `since` to before `until`, oldest first, read in pages: for who reads many."""
        first, last = self._times("recorded_between", since, until)
        at, record_id = first, ""
        while page := self._database.query(_PAGE, (at, record_id, last, page_events)):
            yield from (Recorded(*row) for row in page)
            at, record_id = page[-1][0], page[-1][1]

    def whole_between(
        self, since: datetime, until: datetime, page_events: int = 500
    ) -> Iterator[tuple[Row, list[Row]]]:
        """Every disclosure record from `since` to before `until`, oldest first, each with its decisions by member."""
        first, last = self._times("whole_between", since, until)
        at, record_id = first, ""
        while True:
            page = self.rows(
                DISCLOSURE,
                "(decided_at, record_id) > (?, ?) AND decided_at < ?",
                (at, record_id, last),
                "decided_at",
                page_events,
            )
            for disclosure in page:
                yield disclosure, self.rows(DECISION, "record_id = ?", (disclosure["record_id"],), "member")
            if not page:
                return
            at, record_id = page[-1]["decided_at"], page[-1]["record_id"]

    def _times(self, what: str, since: datetime, until: datetime) -> list[str]:
        times = [iso(_local(moment).astimezone(UTC)) for moment in (since, until)]
        self.note(what, "/".join(times))
        return times

    def decisions(self, event_id: str) -> list[Row]:
        """What was decided about an event for every member, by member; what was decided again later last."""
        return self._ask("decisions", event_id, DECISION, _OF_EVENT, [event_id], f"member, {_DECIDED_AT}")

    def decision(self, event_id: str, member: str) -> Row | None:
        """What was decided last about an event for one member; None where the ledger has no decision for it."""
        found = self.decisions_for(event_id, member)
        return found[-1] if found else None

    def decisions_for(self, event_id: str, member: str) -> list[Row]:
        """What was decided about an event for one member, each time that it was, the last last."""
        where = f"{_OF_EVENT} AND member = ?"
        return self._ask("decision", f"{event_id} {member}", DECISION, where, [event_id, member], _DECIDED_AT)

    def feedback_for(self, event_id: str) -> list[Row]:
        """What the force was told about an event, oldest first."""
        return self._ask("feedback_for", event_id, FEEDBACK, "event_id = ?", [event_id], "at")

    def _ask(
        self,
        what: str,
        subject: str,
        table: Table,
        where: str,
        values: Sequence[Any],
        order: str,
        limit: int | None = None,
    ) -> list[Row]:
        self.note(what, subject)
        return self.rows(table, where, values, order, limit)


_RECORDED: Final = (
    "disclosure d JOIN decision e ON e.record_id = d.record_id WHERE d.decided_at >= ? AND d.decided_at < ?"
)
_PAGE: Final = """
    SELECT d.decided_at, d.record_id, d.origin, d.sequence, d.event_id, d.considered, d.state,
           e.member, e.head, e.sections, e.rules
    FROM (
        SELECT decided_at, record_id, origin, sequence, event_id, considered, state FROM disclosure
        WHERE (decided_at, record_id) > (?, ?) AND decided_at < ? ORDER BY decided_at, record_id LIMIT ?
    ) d JOIN decision e ON e.record_id = d.record_id ORDER BY d.decided_at, d.record_id, e.member
"""
_NEXT_INCIDENTS: Final = (
    "SELECT DISTINCT incident_id FROM disclosure WHERE incident_id > ? ORDER BY incident_id LIMIT ?"
)
_EVENT_ORDER: Final = "sequence, decided_at"
_DECIDED_AT: Final = "(SELECT d.decided_at FROM disclosure d WHERE d.record_id = decision.record_id)"
_OF_EVENT: Final = "record_id IN (SELECT record_id FROM disclosure WHERE event_id = ?)"
_OF_INCIDENT: Final = "record_id IN (SELECT record_id FROM disclosure WHERE incident_id = ?)"


def _local(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=LONDON)
