"""An agreement as decisions read it: checked, expanded, immutable, and without the words of its file.

``any`` has become names, a rule's own purpose and retention stand on the rule, days are dates. A loader builds these
and refuses what they cannot say; whoever builds one by hand must keep to what the field comments promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

SetAttribute = Literal["qualifiers", "flags", "caveats", "handling"]
WordAttribute = Literal["grade", "status", "kind", "mode", "marking"]
Attribute = Literal["category", "district", "has", "addressed", SetAttribute, WordAttribute]
Onward = Literal["forbidden", "ask", "permitted"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a block: ``flags: {all: [child, high-risk]}``."""

    attribute: Attribute
    values: tuple[str, ...] = ()
    """At least one, in the order written; none for ``addressed``, which can only be true."""
    needs_all: bool = False
    """All values are wanted, not any: on sets and ``has`` alone."""
    place: tuple[str, ...] = ()
    """The kinds of location that count, for ``district``; none means the usual ones."""


Block = tuple[Condition, ...]
"""Conditions that must all hold."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The power a share rule stands on, and how long what it shared may be kept."""

    purpose: str
    regime: Literal["part-3", "uk-gdpr"]
    legal_basis: str
    retain_days: int
    """From the closing of the incident."""
    sensitive_condition: str | None = None
    policy_document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Grants the head, and the sections it names."""

    id: str
    recipients: tuple[str, ...]
    """Sorted members, all of whom receive."""
    grant: tuple[str, ...]
    """Sections in wire order; none is the head alone."""
    terms: Terms
    when: Block = ()
    unless: tuple[Block, ...] = ()
    on_doubt_share: bool = False
    accept_narrative: str | None = None
    """Why free text may flow although it could undo what the rule withholds."""
    why: str | None = None
    outcome: Literal["share"] = "share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbid:
    """Forbids what it covers, whoever grants it."""

    id: str
    recipients: tuple[str, ...]
    sections: tuple[str, ...]
    """What it covers, written out: ``head`` first if it is covered, then sections in wire order."""
    when: Block = ()
    unless: tuple[Block, ...] = ()
    why: str | None = None
    outcome: Literal["forbid"] = "forbid"


Rule = Share | Forbid


@dataclass(frozen=True, slots=True)
class Signature:
    """A member's signature; it counts from its day on."""

    member: str
    name: str
    role: str
    signed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One file: who shares what with whom, under which rules, and from when to when (days in Europe/London)."""

    id: str
    title: str
    owner: str
    starts: date
    origins: tuple[str, ...]
    """Sorted members, all of whom publish."""
    rules: tuple[Rule, ...]
    """Sorted by id."""
    standing: bool = False
    """A standing protection: forbids only, towards every recipient less the exceptions."""
    review: date | None = None
    ends: date | None = None
    """The last day in force."""
    signatures: tuple[Signature, ...] = ()
    ceiling: tuple[str, ...] = ()
    """The most any rule here may grant besides the head."""
    onward: Onward = "forbidden"
    follow_hours: int = 72
    """How long after closing a holder still hears of changes."""
    transfer: str | None = None
    """The ground for sending abroad."""
    breach_contact: str | None = None


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What decisions and checks depend on of a member."""

    id: str
    publishes: bool
    receives: bool
    country: str
    competent_authority: bool
    area: str | None


@dataclass(frozen=True, slots=True)
class RoleHolders:
    """Who holds a role at one member."""

    role: str
    member: str
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeverState:
    """A set that a member's system cannot record: its null counts as empty, and the reason is always printed."""

    member: str
    attribute: SetAttribute
    reason: str


@dataclass(frozen=True, slots=True)
class Suspension:
    """An agreement stopped at once, by whom and why."""

    agreement: str
    who: str
    why: str
