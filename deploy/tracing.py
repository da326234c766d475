"""One incident's whole life, from the origin's own ledger.

Each event: who was sent what of it under which rule, what they said of it and how long that took; then what each member
has now. Who asks is written to the ledger's access log (DPA 2018 s.62).

It begins with the first decision: when an event was captured is not in the ledger. What people did (cases, rulings,
retractions) is not there yet either. `deploy.tracing_words` puts a trace into words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from consumers.ledger_queries import Ledger, Row, WholeIncident
from deploy.tracing_holdings import Standing, standings
from deploy.tracing_steps import Copy, Event, Group, News
from schemas.errors import Rejected
from schemas.sections import SECTIONS

_OUTCOMES: Final = ("shared", "shared-in-part", "referred", "withheld", "forbidden")
_ALIKE: Final = (
    *("outcome", "head", "sections", "covers", "grounds", "rules", "retain_days", "onward"),
    *("under_review", "action", "withdraws"),
)
"""What members must have in common to be one group, as in a `DisclosureRecord`."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One incident. Times are text in UTC, as the ledger has them."""

    asked: str
    """What was asked for."""
    found_as: str
    """incident, event, or reference: that of a member, in its own system."""
    incident_id: str
    origin: str | None
    """None where no event of it was decided."""
    first_at: str
    last_at: str
    took_ms: int
    """From the first to the last."""
    events: tuple[Event, ...]
    members: tuple[Standing, ...]
    """Every member about which something was decided, by name."""


def trace_incident(ledger: Ledger, asked: str) -> Trace:
    """The life of the incident that has this identifier; or an event of this identifier, or a member's reference.

    Raises:
        Rejected: the ledger has nothing of it, or a reference of several incidents.
    """
    incident_id, whole, found_as = asked, ledger.whole_incident(asked), "incident"
    if not (whole.disclosures or whole.feedback):
        incident_id, found_as = _otherwise(ledger, asked)
        whole = ledger.whole_incident(incident_id)
    events = tuple(_events(whole))
    moments = [moment for event in events for moment in event.moments()]
    origin = whole.disclosures[0]["origin"] if whole.disclosures else None
    first, last = min(moments), max(moments)
    took_ms = ms_between(first, last)
    return Trace(asked, found_as, incident_id, origin, first, last, took_ms, events, standings(events))


def _otherwise(ledger: Ledger, asked: str) -> tuple[str, str]:
    """The incident of an event or of a member's reference, and which of the two it was."""
    of_event = [row["incident_id"] for row in (*ledger.find_event(asked), *ledger.feedback_for(asked))] if asked else []
    if found := sorted({incident_id for incident_id in of_event if incident_id}):
        return _only(found, asked, "event"), "event"
    known = ledger.find_reference(asked)
    if found := sorted({incident_id for incident_id, _ in known if incident_id}):
        return _only(found, asked, "reference"), "reference"
    raise Rejected(
        "no-such-incident",
        f"this ledger has nothing of {asked}: it is no incident_id here, no event_id, and no reference that a member "
        "has told us for one. Is it whole, in the right letters (capitals count)? Is it this force's own incident? "
        "Does huecry ledger run, so that it may be here by now? The number of your own log is not in the ledger: take "
        "the incident_id",
    )


def _only(found: Sequence[str], asked: str, what: str) -> str:
    if len(found) > 1:
        raise Rejected(
            "several-incidents", f"{asked} is the {what} of {len(found)} incidents, ask for one: {', '.join(found)}"
        )
    return found[0]


def _events(whole: WholeIncident) -> Iterator[Event]:
    """The events in their order; one that was not decided, or not yet, stands where it was first heard of."""
    told: dict[str, list[Row]] = {}
    event_of = _events_of_deliveries(whole)
    for row in whole.feedback:
        # A notice names no event of the origin's, and so does its receipt.
        told.setdefault(row["event_id"] or event_of.get(row["delivery_id"], ""), []).append(row)
    undecided = [(min(_time(row) for row in rows), event_id) for event_id, rows in _without(whole, told)]
    undecided.sort()
    before: str | None = None
    for disclosure in whole.disclosures:
        while undecided and undecided[0][0] < disclosure["decided_at"]:
            yield _undecided(told[undecided.pop(0)[1]])
        rows = told.get(disclosure["event_id"], [])
        yield _decided(disclosure, whole.decisions[disclosure["record_id"]], rows, before)
        before = disclosure["decided_at"]
    for _, event_id in undecided:
        yield _undecided(told[event_id])


def _events_of_deliveries(whole: WholeIncident) -> dict[str, str]:
    return {
        decision["delivery_id"]: disclosure["event_id"]
        for disclosure in whole.disclosures
        for decision in whole.decisions[disclosure["record_id"]]
        if decision["delivery_id"]
    }


def _without(whole: WholeIncident, told: dict[str, list[Row]]) -> Iterable[tuple[str, list[Row]]]:
    decided = {row["event_id"] for row in whole.disclosures}
    return [(event_id, rows) for event_id, rows in told.items() if event_id not in decided]


def _decided(disclosure: Row, decisions: Sequence[Row], told: Sequence[Row], before: str | None) -> Event:
    members = {row["member"] for row in decisions}
    at = disclosure["decided_at"]
    of_member: dict[str, list[Row]] = {}
    for row in told:
        of_member.setdefault(row["member"] if row["member"] in members else "", []).append(row)
    full = frozenset(disclosure["considered"]["sections"])
    return Event(
        event_id=disclosure["event_id"],
        sequence=disclosure["sequence"],
        decided_at=at,
        since_previous_ms=None if before is None else ms_between(before, at),
        **{name: disclosure[name] for name in ("kind", "mode", "category", "grade", "status")},
        policy_version=disclosure["policy_version"],
        policy_hash=disclosure["policy_hash"],
        groups=tuple(_groups(decisions, of_member, full, at)),
        news=tuple(_news(of_member.get("", ()), at)),
    )


def _undecided(told: Sequence[Row]) -> Event:
    """An event of which there is no decision here: refused by the router, or not in this ledger yet."""
    return Event(event_id=told[0]["event_id"], news=tuple(_news(told, None)))


def _groups(
    decisions: Sequence[Row], told: dict[str, list[Row]], full: frozenset[str], decided_at: str
) -> Iterator[Group]:
    """Members decided alike together, those that were sent most first."""
    found: list[tuple[tuple[Any, ...], list[Copy]]] = []
    for row in decisions:
        alike = tuple(row[name] for name in _ALIKE)
        news = tuple(_news(told.get(row["member"], ()), decided_at))
        copy = Copy(row["member"], row["delivery_id"], row["undeliverable"], news)
        for known, copies in found:
            if known == alike:
                copies.append(copy)
                break
        else:
            found.append((alike, [copy]))
    for alike, copies in sorted(found, key=lambda group: _order(group[0])):
        values = dict(zip(_ALIKE, alike, strict=True))
        covers, states = values["covers"], values["sections"]
        yield Group(
            outcome=values["outcome"],
            head=values["head"],
            given=tuple(name for name in covers if name in full),
            given_empty=tuple(name for name in covers if name not in full),
            held_back={
                name: states.get(name, values["head"]) for name in SECTIONS if name in full and name not in covers
            },
            grounds=tuple(values["grounds"]),
            rules=tuple(values["rules"]),
            retain_days=values["retain_days"],
            onward=values["onward"],
            under_review=bool(values["under_review"]),
            action=values["action"],
            taken_back=tuple(values["withdraws"]),
            members=tuple(copies),
        )


def _order(alike: tuple[Any, ...]) -> tuple[int, int]:
    values = dict(zip(_ALIKE, alike, strict=True))
    outcome = values["outcome"]
    return (_OUTCOMES.index(outcome) if outcome in _OUTCOMES else len(_OUTCOMES), -len(values["covers"]))


def _news(told: Iterable[Row], decided_at: str | None) -> Iterator[News]:
    """What was told, each once, oldest first, each with the time since the step before."""
    before, known = decided_at, set()
    for row in sorted(told, key=lambda row: (_time(row), row["at"])):
        at = _time(row)
        same = (row["kind"], row["member"], row["delivery_id"], at, row["reason"], row["reference"])
        if same in known:  # a member that was not sure its receipt arrived sends it again
            continue
        known.add(same)
        yield News(
            **{name: row[name] for name in ("kind", "member", "reason", "detail", "remedy", "reference")},
            at=at,
            told_at=row["at"],
            step_ms=None if before is None else ms_between(before, at),
        )
        before = at


def _time(row: Row) -> str:
    """When it was so at the member; where that is not told, when the router said so."""
    return str(row["was_at"] or row["at"])


def ms_between(earlier: str, later: str) -> int:
    """Milliseconds between two times of the ledger; below 0 where two machines' clocks differ."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)) // timedelta(milliseconds=1)
