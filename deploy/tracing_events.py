"""The events of a trace: who was sent what of each under which rule, what they said of it, and how long that took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from consumers.ledger_queries import Row, WholeIncident
from deploy.tracing_steps import Copy, Event, Group, News
from schemas.sections import SECTIONS

_OUTCOMES: Final = ("shared", "shared-in-part", "referred", "withheld", "forbidden")
_ALIKE: Final = (
    *("outcome", "head", "sections", "covers", "grounds", "rules", "retain_days", "onward"),
    *("under_review", "action", "withdraws"),
)
"""What members must have in common to be one group, as in a `DisclosureRecord`."""


def events_of(whole: WholeIncident, told: Sequence[Row]) -> Iterator[Event]:
    """The events in their order; one that was not decided, or not yet, stands where it was first heard of.

    Args:
        whole: all that the ledger has of the incident.
        told: the feedback that tells of events.
    """
    of_record, of_event = _by_record(whole, told)
    undecided = sorted((min(map(_time, rows)), event_id) for event_id, rows in of_event.items())
    of_ruling = {(row["topic"], row["partition"], row["record_offset"]): row["ruling_id"] for row in whole.rulings}
    before: str | None = None
    for disclosure in whole.disclosures:
        while undecided and undecided[0][0] < disclosure["decided_at"]:
            yield _undecided(of_event[undecided.pop(0)[1]])
        record_id = disclosure["record_id"]
        event = _decided(disclosure, whole.decisions[record_id], of_record.get(record_id, []), before)
        caused_by = (disclosure["topic"], disclosure["partition"], disclosure["record_offset"])
        yield replace(event, ruling_id=of_ruling.get(caused_by))
        before = disclosure["decided_at"]
    for _, event_id in undecided:
        yield _undecided(of_event[event_id])


def _by_record(whole: WholeIncident, told: Sequence[Row]) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
    """What was told of each decision, by record; and of what is not decided here, by event.

    Of an event that was decided again, what names a delivery belongs to the decision that made it, the rest to the
    first. A notice names no event of the origin's, and so does its receipt.
    """
    record_of_delivery = {
        decision["delivery_id"]: record_id
        for record_id, decisions in whole.decisions.items()
        for decision in decisions
        if decision["delivery_id"]
    }
    first_record: dict[str, str] = {}
    for row in whole.disclosures:
        first_record.setdefault(row["event_id"], row["record_id"])
    of_record: dict[str, list[Row]] = {}
    of_event: dict[str, list[Row]] = {}
    for row in told:
        record_id = record_of_delivery.get(row["delivery_id"]) or first_record.get(row["event_id"])
        if record_id is None:
            of_event.setdefault(row["event_id"], []).append(row)
        else:
            of_record.setdefault(record_id, []).append(row)
    return of_record, of_event


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
