"""What happens to a case by itself: a step whose time is up passes to the next, and after the last the line lapses."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from routing.agreements.considered import Considered
from routing.agreements.state import Refusal
from routing.casework.case import Case, Line, Notice, case_of


class Due(NamedTuple):
    """What a moment did to a case."""

    case: Case
    lapses: tuple[Refusal, ...]
    """To stand among the incident's refusals: what nobody ruled on in time is withheld."""
    notices: tuple[Notice, ...]


def due(case: Case, latest: Considered, now: datetime, by: datetime | None = None) -> Due:
    """Escalate and lapse what is due.

    Each step's time runs from when that person was asked, so a router that was away gives everyone their whole time,
    and passes at most one step at a moment.

    Args:
        case: as it was.
        latest: what conditions read of the incident's latest event; how long a lapse stands depends on it.
        now: when it happens: whoever is asked next has their time from then.
        by: the moment until which deadlines have passed; None: now. A deadline is over at its very time.
    """
    lines: list[Line] = []
    lapses: list[Refusal] = []
    notices: list[Notice] = []
    passed = by or now
    for line in case.lines:
        if passed < line.deadline:
            lines.append(line)
        elif line.step + 1 < len(line.path):
            asked = replace(line, step=line.step + 1, deadline=now + _time_of(line, line.step + 1))
            lines.append(asked)
            notices.append(Notice("escalated", asked, line.parts))
        else:
            lapses.append(_lapse(line, latest))
            notices.append(Notice("lapsed", line, line.parts))
    return Due(case_of(lines), tuple(lapses), tuple(notices))


def _time_of(line: Line, step: int) -> timedelta:
    return timedelta(seconds=line.path[step].within_s)


def _lapse(line: Line, latest: Considered) -> Refusal:
    return Refusal(
        kind="lapse",
        recipients=frozenset({line.recipient}),
        parts=line.parts,
        rules=(line.ref,),
        grade=latest.grade,
        flags=latest.flags or frozenset(),
        hazards=latest.hazards,
    )
