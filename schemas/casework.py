"""What people rule about incidents, and what they are asked, as models: field by field what the ``.avsc`` files say."""

from __future__ import annotations

from typing import Annotated

from schemas.model import Int, Long, Model, Moment, one_of

RulingKind = Annotated[
    str,
    *one_of(
        *("release", "refuse", "extend", "ask-again", "discretion", "override"),
        *("retract", "lift-bar", "withdraw"),
    ),
]


class Ruling(Model):
    """What a person of a force rules about an incident of that force.

    Whoever rules was authenticated by the force's desk; only that desk may write here.
    """

    ruling_id: str
    member: str
    incident_id: str
    kind: RulingKind = "unknown"
    person: str
    role: str
    authenticated_by: str = ""
    made_at: Moment
    recipients: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    seen_sequence: Long = 0
    because: str = ""
    until: Moment | None = None
    locate: str = "exact"
    agreement: str = ""
    basis: str = ""
    later_events: bool = False
    reason: str | None = None
    ask: str | None = None


class CaseStep(Model):
    """Who is asked, and for how long."""

    role: str
    within_s: Int


class CaseLine(Model):
    """An open line: one recipient, one rule that refers."""

    recipient: str
    agreement: str
    rule: str
    sections: tuple[str, ...] = ()
    why: str | None = None
    path: tuple[CaseStep, ...] = ()
    step: Int = 0
    deadline: Moment
    opened_at: Moment
    opened_sequence: Long = 0


class CaseNotice(Model):
    """What happened to a line with this record."""

    kind: str
    recipient: str
    agreement: str
    rule: str
    sections: tuple[str, ...] = ()
    role: str = ""
    deadline: Moment | None = None
    ruling_id: str | None = None
    person: str | None = None
    because: str | None = None


class Case(Model):
    """What people of an origin are asked about an incident of theirs, as it stands after something happened to it."""

    case_id: str
    record_id: str
    origin: str
    incident_id: str
    local_ref: str = ""
    at: Moment
    sequence: Long = 0
    event: bytes | None = None
    lines: tuple[CaseLine, ...] = ()
    notices: tuple[CaseNotice, ...] = ()
