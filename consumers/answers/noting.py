"""What deliveries ask, written down with them: within the transaction of their batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from consumers.answers.asking import HAND_OVERS, Question, ended_by, question
from consumers.answers.tables import ASKED
from consumers.delivery import Delivery
from consumers.sinks.database import Database
from consumers.sinks.table import iso
from schemas.exchange import AnswersWithin

_END: Final = (
    "UPDATE asked SET closed_at = ?, closed_as = ? WHERE origin = ? AND incident_id = ? AND closed_at IS NULL"
    " AND (number IS NULL OR number < ?) AND what IN "
)
_NEWER: Final = (
    "SELECT 1 FROM delivery WHERE origin = ? AND incident_id = ? AND number > ? AND kind = ? AND addressed_to_us = ?"
)
_NEWEST: Final = 1 << 62


def note_questions(database: Database, deliveries: Sequence[Delivery], within: AnswersWithin, now: datetime) -> None:
    """Open what these deliveries ask, and close what they end; in order, after the deliveries are written.

    What is withdrawn is answered at once: this adapter has removed it.
    """
    for delivery in deliveries:
        why, ended = ended_by(delivery)
        if ended:
            marks = ", ".join("?" * len(ended))
            before = delivery.terms["number"] or _NEWEST
            database.execute(f"{_END}({marks})", (iso(now), why, *delivery.key, before, *ended))
        asked = question(delivery, within)
        if asked is not None:
            row = _row(delivery, asked, now)
            if asked.what in HAND_OVERS and _is_stood_down(database, delivery):
                row.update(closed_at=now, closed_as="stood-down")
            database.write(ASKED.insert_new, ASKED.rows([row]))


def _row(delivery: Delivery, asked: Question, now: datetime) -> dict[str, Any]:
    terms = delivery.terms
    row = {
        "delivery_id": delivery.delivery_id,
        "origin": delivery.key[0],
        "incident_id": delivery.key[1],
        "event_id": delivery.event["event_id"],
        "stream": terms["stream"],
        "number": terms["number"],
        "what": asked.what,
        "reason": terms["reason"],
        "ask": terms["ask"],
        "asked_at": asked.asked_at,
        "answer_by": asked.answer_by,
        "answer_at_latest": asked.answer_at_latest,
    }
    if asked.what in ("retract", "withdraw"):
        row["confirmed_at"] = now
    if asked.what == "withdraw":
        row.update(closed_at=now, closed_as="erased")
    return row


def _is_stood_down(database: Database, delivery: Delivery) -> bool:
    """Whether a stand-down that was sent later is here already: this comes late."""
    number = delivery.terms["number"]
    return number is not None and bool(database.query(_NEWER, (*delivery.key, number, "stand-down", 1)))
