"""What a member owes once a delivery of an event asked it for something."""

from __future__ import annotations

from collections.abc import Mapping

from routing.answers.expected import Expected, ExpectedKind, first_deadline
from routing.arrived import Arrived
from routing.circulation import EVENT
from schemas.codec import stable_id
from schemas.exchange import AnswersWithin


def owed(
    kind: ExpectedKind, member: str, came: Arrived, action: str, within: AnswersWithin, cause: str = EVENT
) -> Expected:
    """What a member owes for the delivery of that action; ``cause`` is what made it."""
    limits_s: Mapping[str, tuple[int, ...]] = {
        "transfer": within.transfer_s,
        "assistance": within.assistance_s,
        "correct": within.correction_s,
        "withdraw": within.withdrawal_s,
    }
    return Expected(
        member=member,
        kind=kind,
        # As `routing.disclose` makes it.
        delivery_id=stable_id("delivery", *came.identity, member, action, cause),
        event_id=came.identity[2],
        asked_at=came.now,
        limits_s=limits_s[kind],
        deadline=first_deadline(came.now, limits_s[kind]),
    )
