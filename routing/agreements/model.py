"""An agreement as decisions read it: checked, expanded, immutable, and without the words of its file.

``any`` has become names, a rule's own purpose and retention stand on the rule, days are dates. A loader builds these
and refuses what they cannot say; whoever builds one by hand must keep to what the field comments promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

SetAttribute = Literal["qualifiers", "flags", "caveats", "handling"]
WordAttribute = Literal["grade", "status", "kind", "mode", "marking"]
Attribute = Literal["category", "area", "near", "district", "has", "holder", "addressed", SetAttribute, WordAttribute]
Onward = Literal["forbidden", "ask", "permitted"]
Locate = Literal["exact", "100m", "1km", "10km"]
"""How finely places are told."""

FINEST_FIRST: Final[tuple[Locate, ...]] = ("exact", "100m", "1km", "10km")
STRICTEST_FIRST: Final[tuple[Onward, ...]] = ("forbidden", "ask", "permitted")


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a block: ``flags: {all: [child, high-risk]}``."""

    attribute: Attribute
    values: tuple[str, ...] = ()
    """At least one, in the order written; none for ``holder`` and ``addressed``, which can only be true.

    Of ``area`` the names of areas; of ``near`` one member, ``recipient`` or ``origin``.
    """
    needs_all: bool = False
    """All values are wanted, not any: on sets and ``has`` alone."""
    place: tuple[str, ...] = ()
    """The kinds of location that count, for ``area``, ``near`` and ``district``; none means the usual ones."""
    within_m: int = 0
    """Of ``near``: the distance in metres; 0 is inside."""


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
    locate: Locate = "exact"
    """How finely the sections it grants may tell places."""
    accept_narrative: str | None = None
    """Why free text may flow although it could undo what the rule withholds, or tell finer than ``locate``."""
    why: str | None = None
    outcome: Literal["share"] = "share"


@dataclass(frozen=True, slots=True)
class RulingTerms:
    """The power that a person's ruling stands on: what the rule or the file states, empty where neither does."""

    purpose: str = ""
    legal_basis: str = ""
    retain_days: int = 0
    """From the closing; 0 where neither states it: to be disposed of at once when the incident closes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: who is asked, and how long that person has from its start."""

    role: str
    within_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refer:
    """Lets a person decide first on what it covers."""

    id: str
    recipients: tuple[str, ...]
    sections: tuple[str, ...]
    """What it covers, written out as of a ``Forbid``; an ``invite`` covers the head even where it is not named."""
    path: tuple[Step, ...]
    """At least one step."""
    when: Block = ()
    unless: tuple[Block, ...] = ()
    invite: bool = False
    """Asks whether to share at all: opens a case also for what no share rule could grant."""
    silent: bool = False
    """A holder is not even told that there is no news."""
    ruling: RulingTerms = RulingTerms()
    why: str | None = None
    outcome: Literal["refer"] = "refer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbid:
    """Forbids what it covers, whoever grants it."""

    id: str
    recipients: tuple[str, ...]
    sections: tuple[str, ...]
    """What it covers, written out: ``head`` first if it is covered, then sections in wire order."""
    when: Block = ()
    unless: tuple[Block, ...] = ()
    override: tuple[str, ...] = ()
    """The roles that may lift it for some hours; none: it is absolute."""
    silent: bool = False
    """A holder is not even told that there is no news."""
    ruling: RulingTerms = RulingTerms()
    why: str | None = None
    outcome: Literal["forbid"] = "forbid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Caps every grant, whoever gives it; at least one of the three is set."""

    id: str
    recipients: tuple[str, ...]
    when: Block = ()
    unless: tuple[Block, ...] = ()
    locate: Locate = "exact"
    """Nothing is told finer; exact: no cap."""
    retain_days: int | None = None
    onward: Onward | None = None
    why: str | None = None
    outcome: Literal["limit"] = "limit"


Rule = Share | Refer | Forbid | Limit


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
    """A standing protection: refer, forbid and limit rules only, towards every recipient less the exceptions."""
    review: date | None = None
    ends: date | None = None
    """The last day in force."""
    signatures: tuple[Signature, ...] = ()
    ceiling: tuple[str, ...] = ()
    """The most any rule here may grant besides the head."""
    onward: Onward = "forbidden"
    follow_hours: int = 72
    """How long after closing a holder still hears of changes."""
    doubt: tuple[Step, ...] = ()
    """Who rules when a forbid of this file turns on something unknown; none: it forbids."""
    ruling: RulingTerms = RulingTerms()
    """What the file states for what a person rules under it."""
    transfer: str | None = None
    """The ground for sending abroad."""
    breach_contact: str | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """A named area of the bundle."""

    name: str
    geometry: str
    """A GeoJSON Polygon or MultiPolygon in WGS84, as canonical JSON text."""


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
class Person:
    """How a desk knows a person who holds roles. One without an entry is the operating system's user of that name."""

    id: str
    """As roles name their holders."""
    name: str = ""
    """What colleagues call the person; empty: the id."""
    user: str = ""
    """Of the operating system; empty: known by a token alone."""
    token_sha256: str = ""
    """SHA-256 of the person's token, in hexadecimal; empty: none."""


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
