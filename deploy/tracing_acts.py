"""What people did about an incident, and what members were asked and answered, step by step.

Cases: somebody is asked, asked higher, rules; or time runs out. Rulings, in their words. What was taken back, and who
confirmed it. What a member owes and has not answered. Each step has the time since the one that it follows from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from consumers.ledger_queries import Row, WholeIncident

_ASKED: Final = ("referred", "escalated", "extended")
_ENDS: Final = ("released", "refused", "lapsed", "withheld")
TAKEN_BACK: Final = {"retracted": "retract", "withdrawn": "withdraw"}
"""What was taken back, as it is told of, and what is owed for it."""
_OF_PEOPLE: Final = frozenset(
    {*_ASKED, *_ENDS, *TAKEN_BACK, "asked-again", "ruling-not-taken", "shared-at-discretion", "overridden"}
    | {"bar-lifted", "unanswered", "forbidden"}
)
"""Feedback that tells of people and of answers that are owed, not of an event on its way."""
RULED: Final = "ruled"
"""What the act of ruling itself is called."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a person did or was asked, or that a member answered. Times are text in UTC."""

    at: str
    kind: str
    """ruled, or what feedback calls it: referred, escalated, released, retracted, erased, unanswered, …"""
    member: str | None
    """The other member concerned."""
    step_ms: int | None
    """Since the step that it follows from; None: there is none here."""
    since: str
    """What step that was: asked, ruled, taken back; empty: none."""
    ruling_id: str | None = None
    ruling_kind: str = ""
    """Of a ruling: release, refuse, …"""
    person: str | None = None
    role: str | None = None
    """Who is asked, or in which role it was ruled."""
    authenticated_by: str = ""
    because: str = ""
    recipients: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    deadline: str | None = None
    reason: str = ""
    """Of a case: agreement/rule; of what was taken back: why, as a code."""
    detail: str = ""
    remedy: str = ""
    delivery_id: str | None = None
    by_role: str | None = None
    """Of an answer: the person's at the member; None: its adapter."""
    passed_to: str | None = None
    reference: str | None = None


def acts_of(whole: WholeIncident) -> tuple[tuple[Act, ...], list[Row]]:
    """What people did and members answered, oldest first; and the feedback that tells of events instead."""
    notices = {
        row["delivery_id"]
        for row in whole.feedback
        if row["kind"] in (*TAKEN_BACK, "unanswered") and row["delivery_id"]
    }
    sent = {each["delivery_id"] for rows in whole.decisions.values() for each in rows if each["delivery_id"]}
    of_notices = notices - sent
    mine = [row for row in whole.feedback if row["kind"] in _OF_PEOPLE or row["delivery_id"] in of_notices]
    others = [row for row in whole.feedback if not (row["kind"] in _OF_PEOPLE or row["delivery_id"] in of_notices)]
    return tuple(_with_times([*map(_ruling, whole.rulings), *map(_told, _once(mine))])), others


def _once(rows: Iterable[Row]) -> Iterator[Row]:
    """What a member says again because it was not sure that it arrived is told once."""
    known = set()
    for row in rows:
        same = tuple(
            row[name] for name in ("kind", "member", "delivery_id", "was_at", "ruling_id", "reason", "passed_to")
        )
        if row["was_at"] is None or same not in known:
            known.add(same)
            yield row


def _ruling(row: Row) -> Act:
    return Act(
        at=row["taken_at"],
        kind=RULED,
        member=None,
        step_ms=None,
        since="",
        ruling_id=row["ruling_id"],
        ruling_kind=row["kind"],
        person=row["person"],
        role=row["role"],
        authenticated_by=row["authenticated_by"],
        because=row["because"],
        recipients=tuple(row["recipients"]),
        sections=tuple(row["sections"]),
        deadline=row["until"],
        reason=row["reason"] or "",
    )


def _told(row: Row) -> Act:
    return Act(
        at=row["was_at"] or row["at"],
        kind=row["kind"],
        member=row["member"],
        step_ms=None,
        since="",
        sections=tuple(row["sections"] or ()),
        **{name: row[name] for name in ("ruling_id", "person", "role", "deadline", "reason", "detail", "remedy")},
        **{name: row[name] for name in ("delivery_id", "by_role", "passed_to", "reference")},
    )


def _with_times(acts: Sequence[Act]) -> Iterator[Act]:
    """Each with the time since what it follows from, in order."""
    ruled = {act.ruling_id: act.at for act in acts if act.kind == RULED}
    asked: dict[str, str] = {}
    taken_back: dict[str, str] = {}
    for act in sorted(acts, key=lambda act: (act.at, act.kind != RULED)):
        yield _timed(act, *_follows(act, ruled, asked, taken_back))
        member = act.member or ""
        if act.kind in _ASKED:
            asked[member] = act.at
        elif act.kind in TAKEN_BACK:
            taken_back[member] = act.at


def _follows(
    act: Act, ruled: dict[str | None, str], asked: dict[str, str], taken_back: dict[str, str]
) -> tuple[str, str | None]:
    """What step an act follows from, and when that was."""
    if act.kind == RULED:
        waited = [asked[member] for member in act.recipients if member in asked]
        return "asked", max(waited, default=None)
    if act.ruling_id in ruled:
        return "ruled", ruled[act.ruling_id]
    if act.kind in {"escalated", *_ENDS}:
        return "asked", asked.get(act.member or "")
    of_something_else = act.kind == "unanswered" and act.reason not in TAKEN_BACK.values()
    if act.kind in _ASKED or act.kind in TAKEN_BACK or of_something_else:
        return "", None
    return "taken back", taken_back.get(act.member or "")


def _timed(act: Act, since: str, at: str | None) -> Act:
    if at is None:
        return act
    step = datetime.fromisoformat(act.at) - datetime.fromisoformat(at)
    fields = {name: getattr(act, name) for name in Act.__slots__}
    return Act(**{**fields, "step_ms": step // timedelta(milliseconds=1), "since": since})
