"""The open cases on one screen: who must rule on what by when, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Any

from consumers.ledger_cases import CaseOf
from consumers.ledger_reader import Row
from deploy.desk.moments import clock, distance, moment_of, span

_WHY_MOST = 60


def as_lines(cases: Sequence[CaseOf], now: datetime) -> Iterator[str]:
    """The open cases, line by line."""
    if not cases:
        yield "Nobody is asked anything: no case is open."
        return
    many = "1 case is open" if len(cases) == 1 else f"{len(cases)} cases are open"
    yield f"{many} at {now_words(now)} (Europe/London)"
    for case in cases:
        yield ""
        yield from _case(case, now)
    yield ""
    yield "Look at one: huecry cases show LOG-NUMBER (or the incident_id)"


def now_words(now: datetime) -> str:
    """Sat 28 Nov 03:11."""
    there = now - timedelta(days=2)
    return clock(now, there)


def _case(case: CaseOf, now: datetime) -> Iterator[str]:
    first = case.lines[0]
    deadline = moment_of(first["deadline"])
    late = "OVERDUE, " if deadline < now else ""
    named = case.now["local_ref"] or "no log number"
    yield f"{late}{clock(deadline, now)} ({distance(deadline, now)})  {named}  {case.now['incident_id']}"
    for line in case.lines:
        yield from _line(line, now)


def _line(line: Row, now: datetime) -> Iterator[str]:
    until = clock(moment_of(line["deadline"]), now)
    yield f"  {line['recipient']}: {', '.join(line['sections']) or 'all of it'}"
    why = shorten(line["why"] or "", _WHY_MOST, placeholder=" …")
    yield f"    {line['role']} is asked until {until}; {next_step(line)}{f'; {why}' if why else ''}"


def next_step(line: Row) -> str:
    """What happens when the deadline passes and nobody has ruled."""
    later = line["path"][line["step"] + 1 :]
    if not later:
        return "then it lapses and nothing is sent"
    return f"then {later[0]['role']} for {span(timedelta(seconds=later[0]['within_s']))}"


def as_json(cases: Sequence[CaseOf], now: datetime) -> list[dict[str, Any]]:
    """The cases as plain data; times in UTC."""
    return [
        {
            **case.now,
            "overdue": any(moment_of(line["deadline"]) < now for line in case.lines),
            "lines": [{**line, "overdue": moment_of(line["deadline"]) < now} for line in case.lines],
        }
        for case in cases
    ]


def closed_lines(cases: Sequence[CaseOf], now: datetime) -> Iterator[str]:
    """Cases that were closed, the latest first."""
    if not cases:
        yield "No case was closed in the last seven days."
    for case in cases:
        named = case.now["local_ref"] or "no log number"
        yield f"closed {clock(moment_of(case.now['at']), now)}  {named}  {case.now['incident_id']}"
