"""Asking the ledger: why a member got an event, or did not, and what became of it.

Whoever asks is written to ``access_log`` before the answer is read (DPA 2018 s.62): who, what, when. Where that cannot
be written, there is no answer.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from consumers.ledger_tables import ACCESS_LOG, DECISION, DISCLOSURE, FEEDBACK, KIND
from consumers.sinks.places import Place, open_database
from consumers.sinks.table import Table, iso
from schemas.sections import SECTIONS

Row = dict[str, Any]

LONDON: Final = ZoneInfo("Europe/London")
_JSON_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "considered": (),
    "covers": (),
    "withdraws": (),
    "sections": SECTIONS,
    "grounds": ("section", "agreement", "rule", "purpose", "legal_basis"),
    "rules": ("agreement", "rule", "outcome", "turned_on_unknown", "acts_as"),
}
"""The columns to open, and the order of the names in their records, which ``jsonb`` does not keep."""


def os_user() -> str:
    """The operating system's name for whoever runs this; not what the environment claims, where it can be told."""
    try:
        import pwd  # noqa: PLC0415  not on every system

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return getpass.getuser()


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
    """In the order of its events."""
    decisions: dict[str, list[Row]]
    """record_id of each disclosure → its decisions, by member."""
    feedback: list[Row]
    """Oldest first; perhaps of events too whose disclosure is not here."""


class Ledger:
    """One force's ledger, to be read: rows as dictionaries, JSON columns opened, times as text in UTC."""

    def __init__(self, place: Place, force: str | None = None, who: str | None = None) -> None:
        """Open a ledger that is there.

        Args:
            place: the database that `huecry ledger` keeps.
            force: whose it must be; None: anyone's.
            who: for the access log; None: the operating system's user.

        Raises:
            Rejected: there is none, or it is not that force's ledger.
        """
        self._database = open_database(place, KIND, force, None)
        self._who = who or os_user()

    def find_event(self, event_id: str) -> list[Row]:
        """The disclosure records of an event: one, or none; more only where two incidents use the same event_id."""
        return self._ask("find_event", event_id, DISCLOSURE, "event_id = ?", [event_id], "decided_at")

    def find_incident(self, incident_id: str) -> list[Row]:
        """The disclosure records of an incident, in the order of its events."""
        return self._ask("find_incident", incident_id, DISCLOSURE, "incident_id = ?", [incident_id], "sequence")

    def find_reference(self, reference: str) -> list[tuple[str, str | None]]:
        """Incident and member of all that a member has told us it keeps under this reference of its own."""
        self._note("find_reference", reference)
        query = "SELECT DISTINCT incident_id, member FROM feedback WHERE reference = ? ORDER BY incident_id, member"
        return [(incident_id, member) for incident_id, member in self._database.query(query, (reference,))]

    def whole_incident(self, incident_id: str) -> WholeIncident:
        """All about an incident; equal JSON values in it may be one object."""
        self._note("whole_incident", incident_id)
        of_it = (incident_id,)
        disclosures = self._rows(DISCLOSURE, "incident_id = ?", of_it, "sequence")
        decisions: dict[str, list[Row]] = {row["record_id"]: [] for row in disclosures}
        for row in self._rows(DECISION, _OF_INCIDENT, of_it, "member"):
            decisions.setdefault(row["record_id"], []).append(row)
        return WholeIncident(disclosures, decisions, self._rows(FEEDBACK, "incident_id = ?", of_it, "at"))

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
            page = self._rows(
                DISCLOSURE,
                "(decided_at, record_id) > (?, ?) AND decided_at < ?",
                (at, record_id, last),
                "decided_at",
                page_events,
            )
            for disclosure in page:
                yield disclosure, self._rows(DECISION, "record_id = ?", (disclosure["record_id"],), "member")
            if not page:
                return
            at, record_id = page[-1]["decided_at"], page[-1]["record_id"]

    def _times(self, what: str, since: datetime, until: datetime) -> list[str]:
        times = [iso(_local(moment).astimezone(UTC)) for moment in (since, until)]
        self._note(what, "/".join(times))
        return times

    def decisions(self, event_id: str) -> list[Row]:
        """What was decided about an event for every member, by member."""
        return self._ask("decisions", event_id, DECISION, _OF_EVENT, [event_id], "member")

    def decision(self, event_id: str, member: str) -> Row | None:
        """What was decided about an event for one member; None where the ledger has no decision for it."""
        where = f"{_OF_EVENT} AND member = ?"
        found = self._ask("decision", f"{event_id} {member}", DECISION, where, [event_id, member], "record_id")
        return found[-1] if found else None

    def feedback_for(self, event_id: str) -> list[Row]:
        """What the force was told about an event, oldest first."""
        return self._ask("feedback_for", event_id, FEEDBACK, "event_id = ?", [event_id], "at")

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
        self._note(what, subject)
        return self._rows(table, where, values, order, limit)

    def _rows(self, table: Table, where: str, values: Sequence[Any], order: str, limit: int | None = None) -> list[Row]:
        columns, by = ", ".join(table.columns), ", ".join((order, *table.key))
        query = f"SELECT {columns} FROM {table.name} WHERE {where} ORDER BY {by}"  # noqa: S608  our own names
        rows = self._database.query(query if limit is None else f"{query} LIMIT {limit:d}", values)
        known: dict[tuple[str, str], Any] = {}  # members decided alike have the same text in most columns
        return [_opened(dict(zip(table.columns, row, strict=True)), known) for row in rows]

    def _note(self, what: str, subject: str) -> None:
        with self._database.transaction():
            self._database.execute(ACCESS_LOG.insert, (iso(datetime.now(UTC)), self._who, what, subject))


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
_OF_EVENT: Final = "record_id IN (SELECT record_id FROM disclosure WHERE event_id = ?)"
_OF_INCIDENT: Final = "record_id IN (SELECT record_id FROM disclosure WHERE incident_id = ?)"


def _opened(row: Row, known: dict[tuple[str, str], Any]) -> Row:
    for name in _JSON_COLUMNS:
        if name in row:
            text = row[name]
            if (name, text) not in known:
                known[name, text] = _ordered(json.loads(text), _JSON_COLUMNS[name])
            row[name] = known[name, text]
    return row


def _ordered(value: Any, names: Sequence[str]) -> Any:  # noqa: ANN401  whatever JSON holds
    if isinstance(value, list):
        return [_ordered(one, names) for one in value]
    if not isinstance(value, dict) or not names:
        return value
    return {name: value[name] for name in (*(n for n in names if n in value), *(n for n in value if n not in names))}


def _local(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=LONDON)
