"""Case records: what an origin's people are asked about an incident, as it stands after something happened to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from routing.arrived import milliseconds
from routing.casework.case import Line, Notice
from routing.effects import Output
from routing.telling import About
from schemas import casework
from schemas.avro_form import Form
from schemas.catalogue import catalogue
from schemas.codec import stable_id
from schemas.parts import in_parts, opening
from schemas.topics import cases_topic
from schemas.wire import long_bytes, string_bytes

_FIELDS: Final = (
    *("case_id", "record_id", "origin", "incident_id", "local_ref", "at", "sequence", "event"),
    *("lines", "notices"),
)
_NULL: Final = b"\x00"
_GIVEN: Final = b"\x02"
_REMEMBERED_MOST: Final = 4_096


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
    lines: tuple[Line, ...],
    notices: Sequence[Notice],
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
    value = latest.value
    parts = (
        _opening(),
        string_bytes(stable_id("case", origin, incident_id)),
        string_bytes(stable_id("case-record", origin, incident_id, mark)),
        string_bytes(origin),
        string_bytes(incident_id),
        string_bytes(latest.local_ref),
        long_bytes(milliseconds(matter.now)),
        long_bytes(latest.sequence),
        _NULL if value is None else b"".join((_GIVEN, long_bytes(len(value)), value)),
        _lines(lines),
        _notices(tuple(notices), ruled) if notices else _NULL,
    )
    return Output(cases_topic(origin), incident_id.encode(), b"".join(parts))


@cache
def _opening() -> bytes:
    return opening("Case", _FIELDS)


@cache
def _last_parts() -> tuple[Form, Form]:
    """What is open, and what happened."""
    _head, lines, notices = in_parts(catalogue().current("Case").schema, "lines", "notices")
    return lines, notices


_known: dict[int, tuple[tuple[Line, ...], bytes]] = {}
"""By the identity of lines, which are kept with their bytes: while they are open, the desk is shown them again with
every event, and many lines are dear to compare."""


def _lines(lines: tuple[Line, ...]) -> bytes:
    known = _known.get(id(lines))
    if known is None:
        known = lines, _last_parts()[0].encode({"lines": [_line(line) for line in lines]})
        if len(_known) >= _REMEMBERED_MOST:
            _known.clear()
        _known[id(lines)] = known
    return known[1]


def _notices(notices: tuple[Notice, ...], ruled: Ruled | None) -> bytes:
    return _last_parts()[1].encode({"notices": [_notice(notice, ruled).to_avro() for notice in notices]})


def _line(line: Line) -> Mapping[str, Any]:
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
