"""The receiving system's tables: what a member's own people and programs read with ordinary SQL.

Every table that holds content is current: it holds what this member may see now. What was sent when, and why, is in
``delivery``. In SQLite times are text in UTC that sorts as time does; in PostgreSQL they are timestamps with time zone.
"""

from __future__ import annotations

from typing import Final

from consumers.answers.tables import ANSWER, ASKED, AWAITING
from consumers.sinks.content_tables import CONTENT, OF_INCIDENT
from consumers.sinks.table import Table
from consumers.streams.tables import STREAM, STREAM_GAP

INCIDENT: Final = Table(
    "incident",
    "origin, incident_id",
    OF_INCIDENT
    + """
    event_id TEXT  -- latest event that was shared; NULL where nothing is shared or all is retracted
    local_ref TEXT  -- log number that controllers speak
    kind TEXT
    mode TEXT  -- actual, exercise or test
    occurred_at TIME
    recorded_at TIME  -- when the origin recorded this state
    sent_at TIME
    effective_at TIME
    category TEXT  -- first level
    grade TEXT
    status TEXT
    primacy TEXT  -- member in command
    marking TEXT
    handling JSON  -- JSON list; NULL: the origin does not say
    accuracy TEXT
    completeness TEXT
    reliability TEXT
    quality_as_of TIME
    contact_desk TEXT  -- whom to call at the origin
    contact_phone TEXT
    contact_email TEXT
    addressed_to_us BOOLEAN NOT NULL  -- whether the origin addressed the latest event to this member
    links JSON NOT NULL  -- JSON list of incidents that belong with this one
    action TEXT NOT NULL  -- of the latest delivery: share, correct, restricted, withdraw, retract
    latest_number INTEGER  -- number of the latest delivery that took effect
    latest_delivery_id TEXT NOT NULL
    last_heard_at TIME NOT NULL  -- when that was written here
    restricted BOOLEAN NOT NULL  -- whether there is no news for now: ask the origin
    retracted_at TIME  -- set: the origin took it back; do not use what was read before
    retracted_sent_at TIME  -- when the origin sent that: nothing sent before it comes back
    retract_reason TEXT
    retract_ask TEXT  -- erase or restrict
    retain_until TIME
    retain_days INTEGER
    onward TEXT  -- whether it may be passed on
    our_reference TEXT  -- this member's own log number, as it last answered: both rooms' numbers stand in this row
    taken_over_at TIME  -- set: this member accepted the transfer and holds primacy; until then the origin does
    withdrawn_at TIME  -- set: nothing of it is for this member any more; do not use what was read before
    disposed_at TIME  -- set: retain_until came, and what was held was deleted
    head_number INTEGER  -- number of the delivery that stated the head
    cleared_number INTEGER  -- nothing up to this number comes back
    """,
    indexes=("local_ref", "recorded_at", "last_heard_at"),
    indexed_where_stated=("retain_until", "our_reference"),
)

SECTION: Final = Table(
    "section",
    "origin, incident_id, section",
    OF_INCIDENT
    + """
    section TEXT NOT NULL
    items JSON  -- JSON list; [] says that there is none; NULL: withdrawn
    stated_at TIME NOT NULL  -- when the origin last stated it; a section not covered later keeps its time
    event_id TEXT NOT NULL
    delivery_id TEXT NOT NULL
    withdrawn_at TIME  -- set: no longer for this member; do not use what was read before
    number INTEGER  -- of that delivery
    """,
)

SEALED: Final = Table(
    "sealed",
    "origin, incident_id, section, sealed_by",
    OF_INCIDENT
    + """
    section TEXT NOT NULL  -- or head
    sealed_by TEXT NOT NULL  -- delivery that took it back
    sealed_at TIME NOT NULL
    items JSON NOT NULL  -- JSON; not to be used: for the person who erases it or keeps it as evidence
    kept_as_evidence_at TIME  -- set: a person keeps it as evidence, and will dispose of it
    kept_by_role TEXT  -- role of that person
    """,
)

DELIVERY: Final = Table(
    "delivery",
    "delivery_id",
    """
    delivery_id TEXT NOT NULL
    """
    + OF_INCIDENT
    + """
    event_id TEXT NOT NULL
    number INTEGER  -- 1, 2, 3 and so on of this incident to this member
    stream TEXT NOT NULL
    stream_sequence INTEGER
    action TEXT NOT NULL
    effect TEXT NOT NULL  -- applied; late: took its place among newer ones; superseded: newer was here, nothing changed
    covers JSON NOT NULL  -- JSON list of the sections granted, empty or not
    withdraws JSON NOT NULL  -- JSON list of the sections taken back
    addressed_to_us BOOLEAN NOT NULL
    changes JSON NOT NULL  -- JSON list of what a correction changes
    links JSON NOT NULL
    grounds JSON NOT NULL  -- JSON list: agreement, rule, purpose and legal basis of each section
    decided_at TIME NOT NULL
    recorded_at TIME
    sent_at TIME NOT NULL
    durable_at TIME NOT NULL  -- when it was written here
    retain_until TIME
    retain_days INTEGER
    onward TEXT NOT NULL
    policy_version INTEGER NOT NULL
    under_review BOOLEAN NOT NULL
    reason TEXT
    ask TEXT
    topic TEXT NOT NULL
    partition INTEGER NOT NULL
    record_offset INTEGER NOT NULL
    kind TEXT  -- of the event: created, updated, transfer, stand-down and so on; unknown in a notice
    """,
    indexes=("origin, incident_id", "durable_at"),
)

RECEIPT_OUTBOX: Final = Table(
    "receipt_outbox",
    "receipt_number",
    """
    receipt_number NUMBERED  -- never used again: another process may have seen it
    stream TEXT NOT NULL
    kind TEXT NOT NULL
    deliveries INTEGER NOT NULL
    made_at TIME NOT NULL
    value BYTES NOT NULL  -- the Receipt as it goes to Kafka; the row goes when Kafka has it
    """,
)

HOLD: Final = Table(
    "hold",
    "origin, incident_id",
    OF_INCIDENT
    + """
    reason TEXT NOT NULL  -- why it is kept beyond retain_until
    held_by TEXT  -- role or system that says so
    held_since TIME  -- when it said so
    """,
)

TABLES: Final = (
    INCIDENT,
    SECTION,
    *dict.fromkeys(CONTENT.values()),
    DELIVERY,
    SEALED,
    RECEIPT_OUTBOX,
    HOLD,
    ASKED,
    ANSWER,
    STREAM,
    STREAM_GAP,
)
VIEWS: Final = (AWAITING,)
