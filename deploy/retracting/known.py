"""The incident that a person means to rule on, and what the ledger has of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consumers.ledger_cases import CaseBook
from consumers.ledger_queries import Ledger, Row, WholeIncident
from consumers.sinks.places import Place
from deploy.desk.callers import Caller
from deploy.desk.moments import clock, moment_of
from deploy.retracting.held import Held, held_of
from schemas.errors import Rejected


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """One incident as the ledger knows it."""

    force: str
    incident_id: str
    latest: Row
    """The disclosure record of its latest event."""
    whole: WholeIncident
    held: tuple[Held, ...]
    """By member."""

    @property
    def sequence(self) -> int:
        """Of its latest event."""
        return int(self.latest["sequence"])

    def words(self, now: datetime) -> str:
        """What it is, in a line, without personal data: so that who rules sees that it is the one that is meant."""
        latest = self.latest
        about = ", ".join(str(each) for each in (latest["category"], latest["grade"], latest["status"]) if each)
        at = clock(moment_of(latest["decided_at"]), now)
        return f"incident {self.incident_id}, event {latest['sequence']} decided {at}: {about}"


def known_incident(ledger: Place, caller: Caller, asked: str, now: datetime) -> KnownIncident:
    """The incident of this identifier, or whose case has this log number; or of which it is an event.

    Raises:
        Rejected: ``no-such-incident``, ``several-incidents``: the ledger has none, or several.
    """
    with Ledger(ledger, who=caller.reader) as opened:
        whole = opened.whole_incident(asked)
        if not whole.disclosures:
            whole = opened.whole_incident(_otherwise(opened, ledger, caller, asked))
        if not whole.disclosures:
            raise _none(asked)
        latest = max(whole.disclosures, key=lambda row: (row["sequence"], row["decided_at"]))
        return KnownIncident(opened.force, latest["incident_id"], latest, whole, held_of(whole, now))


def _otherwise(ledger: Ledger, place: Place, caller: Caller, asked: str) -> str:
    found = sorted({str(row["incident_id"]) for row in ledger.find_event(asked)}) if asked else []
    if len(found) > 1:
        raise Rejected("several-incidents", f"{asked} is an event of {len(found)} incidents: {', '.join(found)}")
    if found:
        return found[0]
    with CaseBook(place, who=caller.reader) as book:
        try:
            return book.incident_of(asked)
        except Rejected as why:
            if why.reason == "several-cases":
                raise
            raise _none(asked) from None


def _none(asked: str) -> Rejected:
    return Rejected(
        "no-such-incident",
        f"this ledger has no decision about {asked}: it is no incident_id, no event_id and no case's log number",
        remedy="is it whole, and this force's own? Does huecry ledger run, so that it may be here by now?",
    )
