"""What routing remembers, as models: field by field what ``routing_state.v1.avsc`` says; fields are explained there.

The router itself reads and writes these records in parts (`routing.state`); the models are for whoever looks at them.
"""

from __future__ import annotations

from schemas.model import Int, Long, Model, Moment


class Numbered(Model):
    """How many deliveries of the incident a member was sent."""

    member: str
    number: Long


class HeldGrant(Model):
    """What granted a part when it was delivered."""

    agreement: str
    rule: str
    by: str = "rule"
    purpose: str = ""
    legal_basis: str = ""
    retain_days: Int = 0
    onward: str = "forbidden"


class HeldPart(Model):
    """The head or a section that was delivered."""

    part: str
    locate: str = "exact"
    grants: tuple[Int, ...] = ()


class HeldKind(Model):
    """What some holders hold, alike."""

    retain_days: Int = 0
    restricted: bool = False
    parts: tuple[HeldPart, ...] = ()


class Holder(Model):
    """A member that was sent something and has not confirmed its removal."""

    member: str
    kind: Int


class StatedCode(Model):
    """A code that an event stated and no correction took back."""

    field: str
    code: str


class RuleRef(Model):
    """A rule, by its agreement and its own id."""

    agreement: str
    rule: str


class StandingRuling(Model):
    """A person's decision that something may flow."""

    kind: str
    id: str
    role: str
    agreement: str
    rule: str = ""
    recipients: tuple[str, ...]
    parts: tuple[str, ...]
    at: Moment
    until: Moment | None = None
    locate: str = "exact"
    rules: tuple[RuleRef, ...] = ()
    filled: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    sequence: Long | None = None


class StandingRefusal(Model):
    """A person's no, or the last deadline passed."""

    kind: str
    recipients: tuple[str, ...]
    parts: tuple[str, ...]
    rules: tuple[RuleRef, ...] = ()
    grade: str = "unknown"
    flags: tuple[str, ...] = ()
    hazards: tuple[str, ...] = ()


class AskedStep(Model):
    """Who is asked, and for how long."""

    role: str
    within_s: Int


class OpenLine(Model):
    """An open line of the incident's case: one recipient, one rule."""

    recipient: str
    agreement: str
    rule: str
    parts: tuple[str, ...] = ()
    path: tuple[AskedStep, ...] = ()
    why: str | None = None
    opened_at: Moment
    opened_sequence: Long = 0
    step: Int = 0
    deadline: Moment


class Stream(Model):
    """How many deliveries of a partition's incidents a member was sent."""

    member: str
    sequence: Long


class ExpectedAnswer(Model):
    """An answer that a member owes."""

    member: str
    kind: str
    delivery_id: str
    event_id: str = ""
    asked_at: Moment
    limits_s: tuple[Int, ...] = ()
    step: Int = 0
    deadline: Moment | None = None
    sections: tuple[str, ...] = ()
    reason: str = ""
    ask: str = ""
    ruling_id: str = ""
    by_adapter: bool = False


class OpenMatter(Model):
    """Something of an incident that waits for somebody."""

    kind: str
    member: str
    overdue: bool = False


class Forwarded(Model):
    """A receipt or ruling that arrived on another partition than its incident's, passed on to that one."""

    topic: str
    partition: Int
    offset: Long
    taken_at: Moment
    key: bytes | None = None
    value: bytes | None = None


class RoutingState(Model):
    """What routing remembers of one incident.

    Under the key of a partition, its streams alone; under that of an appointment, what is due of its incident. No
    personal data.
    """

    keep_until: Moment | None = None
    sequence: Long = 0
    last_event_at: Moment | None = None
    closed_at: Moment | None = None
    seen: bytes
    numbers: tuple[Numbered, ...] = ()
    grants: tuple[HeldGrant, ...] = ()
    kinds: tuple[HeldKind, ...] = ()
    holders: tuple[Holder, ...] = ()
    stated: tuple[StatedCode, ...] = ()
    barred: tuple[str, ...] = ()
    rulings: tuple[StandingRuling, ...] = ()
    refusals: tuple[StandingRefusal, ...] = ()
    lines: tuple[OpenLine, ...] = ()
    latest_offset: Long = -1
    latest_event_id: str = ""
    expected: tuple[ExpectedAnswer, ...] = ()
    streams: tuple[Stream, ...] = ()
    due_at: Moment | None = None
    open: tuple[OpenMatter, ...] = ()
