"""One incident's whole life, from the origin's own ledger.

Each event: who was sent what of it under which rule, what they said of it and how long that took. What people were
asked, ruled and took back meanwhile, and what members answered (`deploy.tracing_acts`). Then what each member has now.
Who asks is written to the ledger's access log (DPA 2018 s.62).

It begins with the first decision: when an event was captured is not in the ledger. `deploy.tracing_words` puts a trace
into words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consumers.ledger_queries import Ledger, Row
from deploy.tracing_acts import Act, acts_of
from deploy.tracing_events import events_of, ms_between
from deploy.tracing_holdings import Standing, standings
from deploy.tracing_steps import Event
from schemas.errors import Rejected


@dataclass(frozen=True, slots=True)
class StillAsked:
    """An open line of the incident's case."""

    member: str
    """For whom."""
    role: str
    """Who is asked."""
    deadline: str
    sections: tuple[str, ...]
    rule: str
    """agreement/rule."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One incident. Times are text in UTC, as the ledger has them."""

    asked: str
    """What was asked for."""
    found_as: str
    """incident, event, reference (that of a member, in its own system), or log number."""
    incident_id: str
    origin: str | None
    """None where no event of it was decided."""
    first_at: str
    last_at: str
    took_ms: int
    """From the first to the last."""
    events: tuple[Event, ...]
    """As decided: one that was decided again because somebody ruled stands once more."""
    acts: tuple[Act, ...]
    """What people did, and what members answered to what was taken back; oldest first."""
    still_asked: tuple[StillAsked, ...]
    members: tuple[Standing, ...]
    """Every member about which something was decided, by name."""


def trace_incident(ledger: Ledger, asked: str) -> Trace:
    """The life of the incident of this identifier; or of an event, a member's reference, or the log number of a case.

    Raises:
        Rejected: the ledger has nothing of it, or a reference of several incidents.
    """
    incident_id, whole, found_as = asked, ledger.whole_incident(asked), "incident"
    if not (whole.disclosures or whole.feedback):
        incident_id, found_as = _otherwise(ledger, asked)
        whole = ledger.whole_incident(incident_id)
    acts, told = acts_of(whole)
    events = tuple(events_of(whole, told))
    moments = [*(moment for event in events for moment in event.moments()), *(act.at for act in acts)]
    origin = whole.disclosures[0]["origin"] if whole.disclosures else None
    first, last = min(moments), max(moments)
    took_ms = ms_between(first, last)
    asked_still = tuple(_still_asked(row) for row in whole.lines)
    members = standings(events, acts)
    return Trace(asked, found_as, incident_id, origin, first, last, took_ms, events, acts, asked_still, members)


def _still_asked(line: Row) -> StillAsked:
    rule = f"{line['agreement']}/{line['rule']}"
    return StillAsked(line["recipient"], line["role"], line["deadline"], tuple(line["sections"]), rule)


def _otherwise(ledger: Ledger, asked: str) -> tuple[str, str]:
    """The incident of an event or of a member's reference, and which of the two it was."""
    of_event = [row["incident_id"] for row in (*ledger.find_event(asked), *ledger.feedback_for(asked))] if asked else []
    if found := sorted({incident_id for incident_id in of_event if incident_id}):
        return _only(found, asked, "event"), "event"
    known = ledger.find_reference(asked)
    if found := sorted({incident_id for incident_id, _ in known if incident_id}):
        return _only(found, asked, "reference"), "reference"
    if asked and (found := ledger.find_log_number(asked)):
        return _only(found, asked, "log number"), "log number"
    raise Rejected(
        "no-such-incident",
        f"this ledger has nothing of {asked}: it is no incident_id here, no event_id, and no reference that a member "
        "has told us for one. Is it whole, in the right letters (capitals count)? Is it this force's own incident? "
        "Does huecry ledger run, so that it may be here by now? The number of your own log is in the ledger only where "
        "there is a case: take the incident_id",
    )


def _only(found: Sequence[str], asked: str, what: str) -> str:
    if len(found) > 1:
        raise Rejected(
            "several-incidents", f"{asked} is the {what} of {len(found)} incidents, ask for one: {', '.join(found)}"
        )
    return found[0]
