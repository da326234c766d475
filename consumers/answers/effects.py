"""What follows here from an answer: questions close, log numbers come together, sealed content goes or stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from consumers.answers.fitting import Target, closes
from consumers.answers.saying import Answer
from consumers.sinks.database import Database
from consumers.sinks.table import iso

_CLOSE: Final = (
    "UPDATE asked SET closed_at = ?, closed_as = ?, reference = ?, cause = ?, by_role = ? WHERE delivery_id = ?"
)
_OUR_REFERENCE: Final = "UPDATE incident SET our_reference = ? WHERE origin = ? AND incident_id = ?"
_TAKEN_OVER: Final = "UPDATE incident SET taken_over_at = ? WHERE origin = ? AND incident_id = ?"
_ERASE: Final = "DELETE FROM sealed WHERE origin = ? AND incident_id = ? AND sealed_by = ?"
_KEEP: Final = (
    "UPDATE sealed SET kept_as_evidence_at = ?, kept_by_role = ? WHERE origin = ? AND incident_id = ? AND sealed_by = ?"
)


def close_questions(database: Database, answer: Answer, answered: Sequence[Target], at: datetime) -> None:
    """Write what an answer changes, within the transaction that takes it.

    A person's *erased* deletes what the retraction sealed; *restricted* marks it as evidence. An accepted transfer
    makes the incident this member's from then on.
    """
    when = iso(at)
    if closes(answer):
        rows = [
            (when, answer.kind, answer.reference, answer.cause, answer.by_role, target.delivery_id)
            for target in answered
            if target.what is not None
        ]
        database.write(_CLOSE, rows)
    keys = list(dict.fromkeys((target.origin, target.incident_id) for target in answered))
    if answer.kind == "accepted":
        if answer.reference is not None:
            database.write(_OUR_REFERENCE, [(answer.reference, *key) for key in keys])
        if any(target.what == "transfer" for target in answered):
            database.write(_TAKEN_OVER, [(when, *key) for key in keys])
    sealed = [(t.origin, t.incident_id, t.delivery_id) for t in answered if t.what == "retract"]
    if answer.kind == "erased":
        database.write(_ERASE, sealed)
    elif answer.kind == "restricted":
        database.write(_KEEP, [(when, answer.by_role, *one) for one in sealed])
