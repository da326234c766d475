"""The tables in which a force reads what became of its incidents."""

from __future__ import annotations

from typing import Final

from consumers.sinks.table import Table

KIND: Final = "feedback"
"""What the database of these tables calls itself."""

FEEDBACK: Final = Table(
    "feedback",
    "feedback_id, entry",
    """
    feedback_id TEXT NOT NULL  -- the same however often it is made
    entry INTEGER NOT NULL  -- from 1; 0 where it names no event
    kind TEXT NOT NULL  -- delivered, accepted, rejected, unanswered, withheld, referred, retracted and so on
    member TEXT  -- whom it concerns; NULL: nobody but the origin
    member_name TEXT
    at TIME NOT NULL  -- when the router said so
    incident_id TEXT NOT NULL  -- of this force; empty if it could not be read
    event_id TEXT NOT NULL
    delivery_id TEXT
    was_at TIME  -- when it was so at the member
    reference TEXT  -- the member's own log number
    cause TEXT  -- of rejected or failed
    passed_to TEXT  -- of passed-on
    by_role TEXT  -- role of the person at the member who said so; NULL: a system did
    reason TEXT NOT NULL  -- code
    detail TEXT NOT NULL
    remedy TEXT NOT NULL  -- what to do, as in whom to call
    sections JSON NOT NULL  -- JSON list of what a case or ruling is about
    role TEXT  -- who is asked, or in which role it was ruled
    person TEXT  -- who ruled
    deadline TIME  -- until when somebody is asked
    ruling_id TEXT
    topic TEXT  -- this and the next two: the record it is about
    partition INTEGER
    record_offset INTEGER
    """,
    indexes=("incident_id", "at"),
)

STATUS: Final = Table(
    "status_of_incident",
    "incident_id, member",
    """
    incident_id TEXT NOT NULL  -- of this force
    member TEXT NOT NULL  -- whom it is about; empty: nobody but the origin
    member_name TEXT NOT NULL
    line TEXT NOT NULL  -- what a dispatcher reads; times are Europe/London's
    reference TEXT  -- the member's own log number, beside this force's incident_id
    delivered_at TIME  -- first
    accepted_at TIME
    rejected_at TIME
    unanswered_at TIME  -- set: it was asked, and its time is over
    retracted_at TIME  -- set: this force took it back
    confirmed_at TIME  -- when a person there confirmed what became of what was taken back
    updated_at TIME NOT NULL  -- of the latest feedback
    steps JSON NOT NULL  -- JSON list of what the line is made of
    """,
    indexes=("updated_at",),
)

TABLES: Final = (FEEDBACK, STATUS)
