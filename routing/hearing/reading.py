"""A ruling from its record: what it must be before anybody judges it."""

from __future__ import annotations

from datetime import datetime
from typing import Final, get_args

from pydantic import ValidationError

from routing.agreements.decision import HEAD
from routing.agreements.model import FINEST_FIRST
from routing.casework.said import Said, SaidKind
from routing.effects import Policy, Record
from schemas.casework import Ruling
from schemas.codec import decode_foreign
from schemas.errors import Rejected

JUDGED: Final = frozenset(get_args(SaidKind))
"""The kinds of ruling about what may flow (`routing.casework`); all others take back, or lift a bar."""


def read(record: Record, member: str, policy: Policy) -> Ruling:
    """The ruling of a record.

    Raises:
        Rejected: it is none, is another member's, or lies under another key than its incident's.
    """
    value = decode_foreign("Ruling", record.value, policy.exchange.limits.max_event_bytes)
    try:
        ruling = Ruling.from_avro(value)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise Rejected("bad-ruling", f"expected a ruling; at {place or 'start'}: {error.errors()[0]['msg']}") from None
    if ruling.member != member:
        raise Rejected("wrong-member", "the ruling names another member than the topic it arrived on")
    if record.key != ruling.incident_id.encode():
        raise Rejected("wrong-key", "expected the incident_id as the key", remedy="rule with huecry")
    if ruling.locate not in FINEST_FIRST:
        raise Rejected("bad-locate", f"expected a locate of {', '.join(FINEST_FIRST)}")
    return ruling


def said_of(ruling: Ruling, at: datetime) -> Said:
    """What a person says by it; ``at`` is when the broker took it."""
    kind: SaidKind = ruling.kind if ruling.kind in JUDGED else "refuse"  # type: ignore[assignment]
    return Said(
        id=ruling.ruling_id,
        kind=kind,
        person=ruling.person,
        role=ruling.role,
        at=at,
        recipients=frozenset(ruling.recipients),
        # Whoever is sent a section sees the head: an override that left a forbidden head standing would lift nothing.
        parts=frozenset(ruling.sections) | ({HEAD} if kind == "override" and ruling.sections else frozenset()),
        seen_sequence=ruling.seen_sequence,
        because=ruling.because,
        until=ruling.until,
        locate=ruling.locate,  # type: ignore[arg-type]
        agreement=ruling.agreement,
        later_events=ruling.later_events,
    )
