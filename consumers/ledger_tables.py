"""The ledger's tables: every decision about a force's own events, what it was told of them, and who asked.

What people were asked and what they ruled is in `consumers.ledger_case_tables`.
"""

from __future__ import annotations

from typing import Final

from consumers.ledger_case_tables import CASE_LINE, CASE_NOTICE, CASE_RECORD, CASE_VIEW, INCIDENT_CASE, RULING
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
    topic TEXT NOT NULL  -- this and the next two: where the event, or the ruling, stands in Kafka that caused this
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
    cause TEXT  -- of a rejected or failed: why, in the member's code
    passed_to TEXT  -- of a passed-on: to whom
    by_role TEXT  -- role of the person at the member who said so; NULL: its adapter, or nobody
    sections JSON  -- JSON list of what it is about, of a case or a ruling: head, and sections
    role TEXT  -- who is asked, or in which role it was ruled
    person TEXT  -- who ruled
    deadline TIME  -- until when somebody is asked
    ruling_id TEXT  -- the ruling that it follows from
    """,
    indexes=("event_id", "incident_id", "delivery_id", "at", "kind, at"),
    indexed_where_stated=("reference", "ruling_id"),
)

ACCESS_LOG: Final = Table(
    "access_log",
    "access_number",
    """
    access_number NUMBERED
    at TIME NOT NULL
    who TEXT NOT NULL  -- operating system user, and which token was shown
    what TEXT NOT NULL  -- the question
    subject TEXT NOT NULL  -- event, incident or time that was asked about
    """,
)

TABLES: Final = (
    *(DISCLOSURE, DECISION, FEEDBACK, ACCESS_LOG),
    *(CASE_RECORD, CASE_NOTICE, INCIDENT_CASE, CASE_LINE, CASE_VIEW, RULING),
)
