"""The tables of what is asked and what is answered, which receiving systems read and write with ordinary SQL."""

from __future__ import annotations

from typing import Final

from consumers.sinks.content_tables import OF_INCIDENT
from consumers.sinks.table import Table, View

ASKED: Final = Table(
    "asked",
    "delivery_id",
    """
    delivery_id TEXT NOT NULL  -- delivery that asks
    """
    + OF_INCIDENT
    + """
    event_id TEXT NOT NULL
    stream TEXT NOT NULL
    number INTEGER
    what TEXT NOT NULL  -- transfer, assistance, correct, withdraw, retract
    reason TEXT  -- of what is taken back
    ask TEXT  -- of a retract: erase or restrict
    asked_at TIME NOT NULL  -- when the router sent it
    answer_by TIME NOT NULL  -- from then on it is overdue, and the origin is told
    answer_at_latest TIME NOT NULL  -- when the origin is told for the last time
    confirmed_at TIME  -- when this adapter confirmed: of a retract, hid and sealed it; of a withdraw, removed it
    closed_at TIME  -- NULL: it waits
    closed_as TEXT  -- accepted, rejected, erased, restricted; stood-down, retract, withdraw: nothing left to answer
    reference TEXT  -- this member's own, as it answered
    cause TEXT  -- of rejected
    by_role TEXT  -- role of the person who answered; NULL: a system did
    """,
    indexes=("origin, incident_id", "closed_at"),
)

ANSWER: Final = Table(
    "answer",
    "answer_number",
    """
    answer_number NUMBERED
    origin TEXT  -- member whose incident it is; NULL: whoever's it is
    incident_id TEXT  -- its name there, or its log number (local_ref)
    delivery_id TEXT  -- delivery that is answered; NULL: the latest of the incident that such an answer fits
    what TEXT  -- which, where several wait: transfer, assistance, correct, withdraw, retract; NULL: the latest
    kind TEXT NOT NULL  -- accepted, rejected, erased, restricted, acted-upon, passed-on
    reference TEXT  -- this member's own log number
    cause TEXT  -- of rejected: not-our-area, duplicate, insufficient, no-resource, unlawful, unreadable
    passed_to TEXT  -- of passed-on: to which organisation or desk; no person's name
    by_role TEXT  -- role of the person who says so; NULL: a system does
    at TIME  -- when it was so; NULL: when it was taken
    said_by TEXT  -- filled in here: command or call; NULL: this row was inserted
    taken_at TIME  -- filled in here; NULL: not taken
    answers JSON  -- filled in here: JSON list of the deliveries that it was taken as an answer to
    repeats INTEGER  -- filled in here: the same was said before, in that row, and is not told again
    problem TEXT  -- filled in here: why it cannot be taken, and what was expected; mend the row and set this to NULL
    """,
    indexes=("taken_at", "incident_id"),
)

AWAITING: Final = View(
    "awaiting",
    """
    SELECT a.origin, a.incident_id, i.local_ref, i.our_reference, a.what, a.reason, a.ask,
      a.asked_at, a.answer_by, a.answer_at_latest, (a.answer_by < {now}) AS overdue,
      CASE WHEN a.what IN ('transfer', 'assistance') THEN a.origin || ' holds primacy'
        || CASE a.what WHEN 'transfer' THEN ' until you accept' ELSE '' END END AS primacy,
      i.contact_desk, i.contact_phone, i.contact_email, a.event_id, a.delivery_id
    FROM asked a JOIN incident i ON i.origin = a.origin AND i.incident_id = a.incident_id
    WHERE a.closed_at IS NULL
    """,
)
