"""Retractions in words, for a person: what is open first, breaches marked with the hours since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from deploy.desk.case_screen import wrapped
from deploy.desk.moments import clock, distance, moment_of
from deploy.retracting.retractions import NOTIFY_WITHIN, Confirmed, Retraction

_STATES: Final = {
    "asked": "asked, and no receipt yet",
    "delivered": "it has the request; nothing is confirmed",
    "hidden": "its adapter has hidden it; no person has confirmed",
    "confirmed": "confirmed",
    "holds-nothing": "it held nothing of the incident, and is barred from it",
}


def as_lines(found: Sequence[Retraction], now: datetime) -> Iterator[str]:
    """Every retraction, line by line; the open ones first."""
    waiting = [each for each in found if each.is_open]
    late = sum(each.is_overdue(now) for each in waiting)
    if not found:
        yield "Nothing was taken back."
        return
    yield f"{len(waiting)} open{f', {late} OVERDUE' if late else ''}, {len(found) - len(waiting)} done with"
    for each in (*waiting, *(each for each in found if not each.is_open)):
        yield ""
        yield from _retraction(each, now)


def _retraction(each: Retraction, now: datetime) -> Iterator[str]:
    late = "OVERDUE  " if each.is_overdue(now) else ""
    at = moment_of(each.asked_at)
    yield f"{late}{each.member}  incident {each.incident_id}  taken back {clock(at, now)} ({distance(at, now)})"
    if each.is_breach:
        hours, most = each.hours_since(now), NOTIFY_WITHIN.days * 24
        yield f"  BREACH RECORD ({each.reason}): {hours} h since; notified within {most} h where it must be"
    who = f" by {each.person}{f' as {each.role}' if each.role else ''}" if each.person else ""
    why = f": {each.because}" if each.because else ""
    yield from wrapped(f"asked to {each.ask or 'give it back'} ({each.reason or 'no reason recorded'}){who}{why}")
    until = f"; until {clock(moment_of(each.deadline), now)}" if each.deadline and each.is_open else ""
    yield from wrapped(f"{_STATES[each.status]}{until}")
    for said in each.said:
        yield from wrapped(f"{_said(said)} {clock(moment_of(said.at), now)}")
    if each.is_open:
        for passed in each.unanswered:
            yield from wrapped(f"no answer by {clock(moment_of(passed), now)}")


def _said(said: Confirmed) -> str:
    by = f"by a person ({said.by_role})" if said.by_role else "by its adapter"
    to = f" to {said.passed_to}" if said.passed_to else ""
    return f"{said.kind}{to} {by}"


def as_json(found: Sequence[Retraction], now: datetime) -> list[dict[str, Any]]:
    """Retractions as plain data; times in UTC."""
    return [
        {
            **asdict(each),
            "open": each.is_open,
            "overdue": each.is_overdue(now),
            "breach": each.is_breach,
            "hours_since": each.hours_since(now),
        }
        for each in found
    ]
