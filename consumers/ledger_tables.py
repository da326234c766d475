"""The ledger's tables: every decision about a force's own events, and what it was told of them."""

from __future__ import annotations

from typing import Final

from consumers.sinks.table import Table

KIND: Final = "ledger"
"""What the database of these tables calls itself."""

DISCLOSURE: Final = Table(
    "disclosure",
    "record_id",
    """
    record_id TEXT NOT NULL  -- the same however often the record is made
    origin TEXT NOT NULL
    incident_id TEXT NOT NULL
    event_id TEXT NOT NULL
    sequence INTEGER NOT NULL  -- of the event in its incident
    topic TEXT NOT NULL  -- this and the next two: where the event stands in Kafka
    partition INTEGER NOT NULL
    record_offset INTEGER NOT NULL
    decided_at TIME NOT NULL  -- UTC
    policy_version INTEGER NOT NULL
    policy_hash TEXT NOT NULL  -- SHA-256 of the bundle that decided
    category TEXT  -- this and the next four: of what was considered
    grade TEXT NOT NULL
    status TEXT NOT NULL
    kind TEXT NOT NULL
    mode TEXT NOT NULL
    considered RECORD NOT NULL  -- JSON: every attribute a condition could read
    state TEXT  -- JSON: what came before in the incident; NULL: nothing did
    """,
    indexes=("event_id", "incident_id, sequence", "decided_at"),
)

DECISION: Final = Table(
    "decision",
    "record_id, member",
    """
    record_id TEXT NOT NULL
    member TEXT NOT NULL  -- for whom this was decided
    outcome TEXT NOT NULL  -- shared, shared-in-part, referred, withheld, forbidden
    head TEXT NOT NULL  -- granted, referred, withheld, forbidden
    sections JSON NOT NULL  -- JSON: section to its state
    covers JSON NOT NULL  -- JSON list of the sections granted
    grounds JSON NOT NULL  -- JSON list: why each section may be told
    rules JSON NOT NULL  -- JSON list of every rule that matched
    action TEXT NOT NULL  -- what it was sent: share, correct, restricted, withdraw, none; empty: not recorded
    withdraws JSON NOT NULL  -- JSON list of what was taken back, head or sections
    delivery_id TEXT  -- NULL: nothing was sent
    undeliverable TEXT  -- why what was granted could not be sent
    retain_days INTEGER
    onward TEXT NOT NULL
    under_review BOOLEAN NOT NULL
    """,
    indexes=("delivery_id",),
)

FEEDBACK: Final = Table(
    "feedback",
    "feedback_id, entry",
    """
    feedback_id TEXT NOT NULL  -- the same however often it is made
    entry INTEGER NOT NULL  -- from 1; 0 where it names no event
    kind TEXT NOT NULL
    member TEXT  -- whom it concerns
    at TIME NOT NULL  -- when the router said so
    reason TEXT NOT NULL
    detail TEXT NOT NULL
    remedy TEXT NOT NULL
    incident_id TEXT NOT NULL
    event_id TEXT NOT NULL
    delivery_id TEXT
    was_at TIME  -- when it was so at the member
    reference TEXT  -- the member's own
    topic TEXT  -- this and the next two: the record it is about
    partition INTEGER
    record_offset INTEGER
    """,
    indexes=("event_id", "incident_id", "delivery_id", "at"),
    indexed_where_stated=("reference",),
)

ACCESS_LOG: Final = Table(
    "access_log",
    "access_number",
    """
    access_number NUMBERED
    at TIME NOT NULL
    who TEXT NOT NULL  -- operating system user
    what TEXT NOT NULL  -- the question
    subject TEXT NOT NULL  -- event, incident or time that was asked about
    """,
)

TABLES: Final = (DISCLOSURE, DECISION, FEEDBACK, ACCESS_LOG)
