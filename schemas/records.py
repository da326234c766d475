"""The other records as models: field by field what their ``.avsc`` files say; fields are explained there."""

from __future__ import annotations

from typing import Annotated

from schemas.event import Change, IncidentEvent, Link
from schemas.model import Int, Long, Model, Moment, code_of, one_of

ReceiptKind = Annotated[str, *code_of("receipt")]


class ReceiptEntry(Model):
    """One delivery."""

    origin: str
    incident_id: str
    event_id: str
    delivery_id: str
    at: Moment
    reference: str | None = None
    cause: str | None = None
    passed_to: str | None = None
    by_role: str | None = None


class Receipt(Model):
    """What a member says it did with deliveries.

    Delivered receipts are batched: one record for each sink batch and router partition.
    """

    member: str
    kind: ReceiptKind = "unknown"
    sent_at: Moment
    entries: tuple[ReceiptEntry, ...] = ()


FeedbackKind = Annotated[
    str,
    *one_of(
        "quarantined",
        "withheld",
        "forbidden",
        "referred",
        "released",
        "refused",
        "lapsed",
        "delivered",
        "accepted",
        "rejected",
        "failed",
        "unanswered",
        "undeliverable",
        "holders-without-news",
        "sequence-gap",
        "escalated",
        "extended",
        "asked-again",
        "ruling-not-taken",
        "shared-at-discretion",
        "overridden",
        "retracted",
        "withdrawn",
        "bar-lifted",
        "erased",
        "restricted",
        "acted-upon",
        "passed-on",
    ),
]


class FeedbackEntry(Model):
    """One event."""

    incident_id: str = ""
    event_id: str = ""
    delivery_id: str | None = None
    at: Moment | None = None
    reference: str | None = None
    cause: str | None = None
    passed_to: str | None = None
    by_role: str | None = None


class Source(Model):
    """Where in Kafka the record stands that this is about."""

    topic: str
    partition: Int
    offset: Long


class Feedback(Model):
    """What the origin is told about its events."""

    feedback_id: str
    to: str
    kind: FeedbackKind = "unknown"
    member: str | None = None
    at: Moment
    reason: str = ""
    detail: str = ""
    remedy: str = ""
    entries: tuple[FeedbackEntry, ...] = ()
    source: Source | None = None
    sections: tuple[str, ...] = ()
    role: str | None = None
    person: str | None = None
    deadline: Moment | None = None
    ruling_id: str | None = None


class Policy(Model):
    """The bundle that decided."""

    version: Long
    hash: str


class Place(Model):
    """A location as conditions see it."""

    kind: str | None = None
    district: str | None = None
    has_coordinates: bool = False
    inside: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()


class Considered(Model):
    """Every attribute a condition can name. No coordinates, no personal data."""

    category: str | None = None
    qualifiers: tuple[str, ...] | None = None
    flags: tuple[str, ...] | None = None
    caveats: tuple[str, ...] | None = None
    handling: tuple[str, ...] | None = None
    grade: str
    status: str
    kind: str
    mode: str
    marking: str
    places: tuple[Place, ...] = ()
    sections: tuple[str, ...] = ()
    addressees: tuple[str, ...] = ()
    opening_category: str | None = None
    closing_category: str | None = None
    regions: tuple[str, ...] = ()
    hazards: tuple[str, ...] = ()
    placed: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


class Recipient(Model):
    """One member."""

    member: str
    delivery_id: str | None = None
    undeliverable: str | None = None


Outcome = Annotated[str, *one_of("shared", "shared-in-part", "referred", "withheld", "forbidden")]


State = Annotated[str, *one_of("granted", "referred", "withheld", "forbidden")]


class SectionState(Model):
    """State of one section."""

    section: str
    state: State = "unknown"


class Ground(Model):
    """Why a section may be told."""

    section: str
    agreement: str
    rule: str
    purpose: str = ""
    legal_basis: str = ""


Action = Annotated[str, *one_of("share", "correct", "restricted", "withdraw", "retract")]


class Disclosure(Model):
    """On what terms a delivery reaches its recipient. What was held back, and that anything was, is not told."""

    delivery_id: str
    to: str
    number: Long | None = None
    stream: str = ""
    stream_sequence: Long | None = None
    action: Action = "unknown"
    covers: tuple[str, ...] = ()
    withdraws: tuple[str, ...] = ()
    addressed_to_you: bool = False
    changes: tuple[Change, ...] = ()
    links: tuple[Link, ...] = ()
    grounds: tuple[Ground, ...] = ()
    decided_at: Moment
    retain_until: Moment | None = None
    retain_days: Int | None = None
    onward: str = ""
    policy_version: Long = 0
    under_review: bool = False
    reason: str | None = None
    ask: str | None = None


class Delivery(Model):
    """What a member receives: the terms, then the event with only the sections granted."""

    disclosure: Disclosure
    event: IncidentEvent


class MatchedRule(Model):
    """A rule that matched."""

    agreement: str
    rule: str
    outcome: str
    turned_on_unknown: bool = False
    acts_as: str = ""


class SectionLocate(Model):
    """How finely one covered section tells places."""

    section: str
    locate: str = "exact"


class Step(Model):
    """Who is asked, and for how long."""

    role: str
    within_s: Int


class Referral(Model):
    """A line for the incident's case: one refer rule, or a forbid in doubt."""

    agreement: str
    rule: str
    parts: tuple[str, ...] = ()
    path: tuple[Step, ...] = ()
    why: str | None = None


class DecisionGroup(Model):
    """Members for whom the decision was the same."""

    recipients: tuple[Recipient, ...] = ()
    outcome: Outcome = "unknown"
    head: State = "unknown"
    sections: tuple[SectionState, ...] = ()
    grounds: tuple[Ground, ...] = ()
    rules: tuple[MatchedRule, ...] = ()
    retain_days: Int | None = None
    onward: str = ""
    under_review: bool = False
    locate: tuple[SectionLocate, ...] = ()
    action: str = ""
    withdraws: tuple[str, ...] = ()
    referrals: tuple[Referral, ...] = ()
    without_news: bool = False


class DisclosureRecord(Model):
    """What was decided about one event, for every member: DPA 2018 s.62.

    Given the same bundle and the same considered it is decided so again.
    """

    record_id: str
    origin: str
    incident_id: str
    event_id: str
    sequence: Long
    source: Source
    decided_at: Moment
    policy: Policy
    considered: Considered
    state: str | None = None
    decisions: tuple[DecisionGroup, ...] = ()


class Quarantined(Model):
    """A record that the router refused, kept where its owner finds it."""

    quarantine_id: str
    member: str
    reason: str
    detail: str = ""
    remedy: str = ""
    incident_id: str = ""
    event_id: str = ""
    source: Source
    at: Moment
    key: bytes | None = None
    value: bytes | None = None
    value_bytes: Long
    value_sha256: str = ""
