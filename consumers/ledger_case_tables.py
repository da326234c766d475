"""The ledger's tables of what people were asked, what they ruled, and what each of them has looked at."""

from __future__ import annotations

from typing import Final

from consumers.sinks.table import Table

CASE_RECORD: Final = Table(
    "case_record",
    "record_id",
    """
    record_id TEXT NOT NULL  -- the same however often the record is made
    case_id TEXT NOT NULL
    incident_id TEXT NOT NULL
    local_ref TEXT NOT NULL  -- log number that controllers speak
    at TIME NOT NULL  -- when the case came to stand so
    sequence INTEGER NOT NULL  -- of the incident's latest event then
    event BYTES  -- that event as its origin framed it; NULL: it was no longer on its topic
    record_offset INTEGER NOT NULL  -- on the topic of cases
    """,
    indexes=("incident_id, sequence",),
)

CASE_NOTICE: Final = Table(
    "case_notice",
    "record_id, notice",
    """
    record_id TEXT NOT NULL
    notice INTEGER NOT NULL  -- from 1
    incident_id TEXT NOT NULL
    at TIME NOT NULL
    kind TEXT NOT NULL  -- opened, escalated, extended, lapsed, released, refused, asked-again
    recipient TEXT NOT NULL  -- this and the next two: of which line
    agreement TEXT NOT NULL
    rule TEXT NOT NULL
    sections JSON NOT NULL  -- JSON list: head, and sections
    role TEXT NOT NULL  -- who is asked since, or in which role it was ruled
    deadline TIME  -- until when that role is asked; NULL: nobody is
    ruling_id TEXT  -- NULL: an event or a deadline did it
    person TEXT  -- who ruled
    because TEXT  -- why, in that person's words
    """,
    indexes=("incident_id, at",),
)

INCIDENT_CASE: Final = Table(
    "incident_case",
    "incident_id",
    """
    incident_id TEXT NOT NULL
    case_id TEXT NOT NULL
    record_id TEXT NOT NULL  -- of the latest record
    local_ref TEXT NOT NULL
    at TIME NOT NULL  -- when the case came to stand so
    sequence INTEGER NOT NULL  -- of the incident's latest event
    open_lines INTEGER NOT NULL  -- 0: closed
    next_deadline TIME  -- NULL: closed
    """,
    indexes=("case_id", "local_ref", "at"),
    indexed_where_stated=("next_deadline",),
)

CASE_LINE: Final = Table(
    "case_line",
    "incident_id, recipient, agreement, rule",
    """
    incident_id TEXT NOT NULL
    recipient TEXT NOT NULL  -- who would be sent what is asked about
    agreement TEXT NOT NULL
    rule TEXT NOT NULL
    sections JSON NOT NULL  -- JSON list: head, and sections
    why TEXT  -- why a person is asked, as the rule says
    path JSON NOT NULL  -- JSON list: who is asked, one after another, and for how many seconds each
    step INTEGER NOT NULL  -- which of them is asked now, from 0
    role TEXT NOT NULL  -- who that is
    deadline TIME NOT NULL  -- of that step
    opened_at TIME NOT NULL
    opened_sequence INTEGER NOT NULL  -- of the event that opened it
    """,
)

CASE_VIEW: Final = Table(
    "case_view",
    "reader, incident_id",
    """
    reader TEXT NOT NULL  -- who looked, as the access log names them
    incident_id TEXT NOT NULL
    record_id TEXT NOT NULL  -- latest record that was shown
    sequence INTEGER NOT NULL  -- latest event that was shown
    at TIME NOT NULL
    """,
)

RULING: Final = Table(
    "ruling",
    "ruling_id",
    """
    ruling_id TEXT NOT NULL
    incident_id TEXT NOT NULL
    kind TEXT NOT NULL  -- release, refuse, extend, ask-again, discretion, override, retract, lift-bar, withdraw
    person TEXT NOT NULL  -- as the policy names the holders of roles
    role TEXT NOT NULL
    authenticated_by TEXT NOT NULL  -- os-user or token
    made_at TIME NOT NULL  -- when the desk made it, by the desk's clock
    taken_at TIME NOT NULL  -- when the broker took it: it counts from then
    recipients JSON NOT NULL  -- JSON list; of a retract or withdraw: from whom, none being every holder
    sections JSON NOT NULL  -- JSON list; none: all that the case asks about
    seen_sequence INTEGER NOT NULL  -- the latest event that the person had seen
    because TEXT NOT NULL  -- in the person's words
    until TIME
    locate TEXT NOT NULL
    agreement TEXT NOT NULL
    basis TEXT NOT NULL
    later_events BOOLEAN NOT NULL
    reason TEXT  -- of a retract or withdraw
    ask TEXT  -- of a retract: erase or restrict
    topic TEXT NOT NULL  -- this and the next two: where it stands in Kafka
    partition INTEGER NOT NULL
    record_offset INTEGER NOT NULL
    """,
    indexes=("incident_id", "kind, taken_at"),
)
