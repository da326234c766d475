"""What the reference keeps of one incident: who holds what, who is barred, who is asked, who owes what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from routing.agreements.considered import Considered
from routing.agreements.model import Locate, Step
from routing.agreements.state import (
    CaseLine,
    Discretion,
    HeldGrant,
    HeldPart,
    History,
    Holding,
    Override,
    Refusal,
    Release,
    RuleRef,
    State,
)
from tests.life.happenings import Event, Key
from tests.life.seen import Sent

LOWEST_FIRST = ("no-attendance", "scheduled", "priority", "emergency")


@dataclass
class Held:
    """A part that a member holds: under which grants it ever was delivered, and how finely placed it last was."""

    grants: dict[tuple[str, str], HeldGrant]
    locate: Locate


@dataclass
class Holds:
    """What a member holds."""

    parts: dict[str, Held] = field(default_factory=dict)
    retain_days: int = 0
    is_restricted: bool = False
    """It knows that there is news, and has heard nothing since."""


@dataclass
class Line:
    """Somebody is asked about these parts for this recipient under this rule, until the deadline."""

    recipient: str
    ref: RuleRef
    parts: frozenset[str]
    path: tuple[Step, ...]
    deadline: datetime
    step: int = 0

    @property
    def role(self) -> str:
        return self.path[self.step].role


@dataclass
class Owed:
    """A member owes an answer to what it was sent; None: what asks could not be sent yet."""

    member: str
    kind: str
    asked_by: Sent | None
    limits_s: tuple[int, ...]
    deadline: datetime | None
    step: int = 0
    by_adapter: bool = False
    withdraws: tuple[str, ...] = ()
    reason: str | None = None
    ask: str | None = None

    @property
    def is_unsent_correction(self) -> bool:
        return self.kind == "correct" and self.asked_by is None


@dataclass
class Incident:
    """One incident."""

    key: Key
    sequence: int = 0
    taken: dict[str, bytes] = field(default_factory=dict)
    """By event_id."""
    latest: tuple[Event, Considered] | None = None
    """The last event that was decided; a retraction is not."""
    last_at: datetime | None = None
    closed_at: datetime | None = None
    stated: dict[str, frozenset[str]] = field(default_factory=lambda: {"flags": frozenset(), "caveats": frozenset()})
    categories: frozenset[str] = frozenset()
    holders: dict[str, Holds] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()
    lines: dict[tuple[str, RuleRef], Line] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    discretions: list[Discretion] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)

    def state(self) -> State:
        """As the interpreter is told of it."""
        return State(
            history=History(**self.stated, category=self.categories),
            holdings=tuple(_holding(member, holds) for member, holds in sorted(self.holders.items())),
            barred=self.barred,
            releases=tuple(self.releases),
            discretions=tuple(self.discretions),
            overrides=tuple(self.overrides),
            refusals=tuple(self.refusals),
            lines=tuple(
                CaseLine(recipient=line.recipient, agreement=line.ref.agreement, rule=line.ref.rule, parts=line.parts)
                for line in self.lines.values()
            ),
            closed_at=self.closed_at,
            last_event_at=self.last_at,
        )

    def hear(self, event: Considered, now: datetime) -> None:
        """An event was decided: what it states is remembered, and refusals that it ends are over for good."""
        self.closed_at = closing(self, event, now)
        for name, before in self.stated.items():
            stated = getattr(event, name) or frozenset()
            taken_back = event.kind == "corrected" and name in event.changes
            self.stated[name] = (frozenset() if taken_back else before) | (stated - {"unknown"})
        self.categories |= {event.category} if event.category else set()
        self.last_at, self.sequence = now, event.sequence

    def let_go(self, event: Considered, now: datetime) -> None:
        """Of what people ruled, what has run out."""
        self.releases = [each for each in self.releases if each.until is None or now < each.until]
        self.refusals = [each for each in self.refusals if not is_over(each, event)]

    def owe(self, member: str, kind: str, asked_by: Sent | None, limits_s: tuple[int, ...], now: datetime) -> Owed:
        """A new request or correction puts the one before it in the shade; what is to be removed is to be removed."""
        if kind != "withdraw":
            self.owed = [each for each in self.owed if (each.member, each.kind) != (member, kind)]
        self.owed.append(Owed(member, kind, asked_by, limits_s, now + timedelta(seconds=limits_s[0])))
        return self.owed[-1]

    def is_asked(self, member: str) -> bool:
        """Whether it owes an answer to a request."""
        return any(each.member == member and each.kind in ("transfer", "assistance") for each in self.owed)

    def may_be_forgotten(self, now: datetime) -> bool:
        """Nobody is barred, asked or owes anything, nobody may still hold it, and no repeat can come."""
        if self.barred or self.lines or self.owed or self.last_at is None:
            return False
        closed = self.closed_at or self.last_at + timedelta(days=90)
        days = max((holds.retain_days for holds in self.holders.values()), default=0)
        return now >= closed + timedelta(days=days) and now >= self.last_at + timedelta(days=30)


def _holding(member: str, holds: Holds) -> Holding:
    parts = tuple(HeldPart(part, tuple(held.grants.values()), held.locate) for part, held in holds.parts.items())
    return Holding(member, parts, holds.retain_days, holds.is_restricted)


def closing(incident: Incident, event: Considered, now: datetime) -> datetime | None:
    """When the incident closed, once this event is decided; None: it is open."""
    says_closed = event.kind == "closed" or event.status == "closed"
    if event.kind == "reopened":
        return now if says_closed else None
    if incident.closed_at:
        return incident.closed_at
    if incident.last_at and now - incident.last_at >= timedelta(days=90):
        return incident.last_at
    return now if says_closed else None


def is_over(refusal: Refusal, event: Considered) -> bool:
    """The grade has risen, or a hazard or flag was added."""
    known = refusal.grade in LOWEST_FIRST and event.grade in LOWEST_FIRST
    risen = known and LOWEST_FIRST.index(event.grade) > LOWEST_FIRST.index(refusal.grade)
    return bool(risen or (event.flags or frozenset()) - refusal.flags or event.hazards - refusal.hazards)


def refused(kind: Any, recipient: str, parts: frozenset[str], refs: tuple[RuleRef, ...], latest: Considered) -> Refusal:
    """A no, or a lapse, with what the incident then was."""
    return Refusal(
        kind=kind,
        recipients=frozenset({recipient}),
        parts=parts,
        rules=refs,
        grade=latest.grade,
        flags=latest.flags or frozenset(),
        hazards=latest.hazards,
    )


def without(refusal: Refusal, parts: frozenset[str]) -> list[Refusal]:
    """What is left of a refusal once these parts may be asked about again."""
    left = refusal.parts - parts
    return [replace(refusal, parts=left)] if left else []
