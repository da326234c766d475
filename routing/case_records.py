"""Case records: what an origin's people are asked about an incident, as it stands after something happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from routing.casework.case import Line, Notice
from routing.effects import Output
from routing.telling import About
from schemas import casework
from schemas.codec import encode, stable_id
from schemas.topics import cases_topic


class Ruled(NamedTuple):
    """Whose words changed a case."""

    ruling_id: str
    person: str
    role: str
    because: str


class Latest(NamedTuple):
    """The incident's latest event, for whoever is asked."""

    sequence: int
    value: bytes | None
    """As its origin framed it; None: it is no longer on its topic."""
    local_ref: str = ""


def case_record(
    matter: About,
    lines: Iterable[Line],
    notices: Iterable[Notice],
    latest: Latest,
    mark: str,
    ruled: Ruled | None = None,
) -> Output:
    """One record for the origin's desk.

    Args:
        matter: the incident.
        lines: what is open now.
        notices: what happened.
        latest: what the desk shows.
        mark: what it follows from, which its id is made of.
        ruled: whose words changed it; None: an event or a deadline did.
    """
    origin, incident_id = matter.origin, matter.incident_id
    record = casework.Case(
        case_id=stable_id("case", origin, incident_id),
        record_id=stable_id("case-record", origin, incident_id, mark),
        origin=origin,
        incident_id=incident_id,
        local_ref=latest.local_ref,
        at=matter.now,
        sequence=latest.sequence,
        event=latest.value,
        notices=tuple(_notice(notice, ruled) for notice in notices),
    )
    told = record.to_avro() | {"lines": [_line(line) for line in lines]}
    return Output(cases_topic(origin), incident_id.encode(), encode("Case", told))


@lru_cache(maxsize=4_096)
def _line(line: Line) -> Mapping[str, Any]:
    """As Avro takes it: while a line is open, the desk is shown it again with every event."""
    stated = casework.CaseLine(
        recipient=line.recipient,
        agreement=line.agreement,
        rule=line.rule,
        sections=tuple(sorted(line.parts)),
        why=line.why,
        path=tuple(casework.CaseStep(role=step.role, within_s=step.within_s) for step in line.path),
        step=line.step,
        deadline=line.deadline,
        opened_at=line.opened_at,
        opened_sequence=line.opened_sequence,
    )
    return stated.to_avro()


def _notice(notice: Notice, ruled: Ruled | None) -> casework.CaseNotice:
    line = notice.line
    is_asked = notice.kind in ("opened", "escalated", "extended")
    return casework.CaseNotice(
        kind=notice.kind,
        recipient=line.recipient,
        agreement=line.agreement,
        rule=line.rule,
        sections=tuple(sorted(notice.parts)),
        role=ruled.role if ruled else line.role,
        deadline=line.deadline if is_asked else None,
        ruling_id=ruled.ruling_id if ruled else None,
        person=ruled.person if ruled else None,
        because=ruled.because if ruled else None,
    )
