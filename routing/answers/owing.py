"""What a member owes once a delivery of an event asked it for something."""

from __future__ import annotations

from collections.abc import Mapping

from routing.answers.expected import Expected, ExpectedKind, first_deadline
from routing.arrived import Arrived
from routing.circulation import EVENT, Circulation
from routing.consequences import Consequences
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


def owe_requested(came: Arrived, circulated: Circulation, cause: str, drawn: Consequences) -> None:
    """Members addressed to which a request is sent later than it came owe an answer from then on.

    Args:
        came: the event.
        circulated: to whom it was sent.
        cause: what made it be sent: a ruling, or that its member can be reached.
        drawn: what follows for the incident, to which this is added.
    """
    match came.considered.kind:
        case "transfer" | "assistance" as kind:
            for member in sorted(came.considered.addressees & set(circulated.recipients)):
                drawn.owe(owed(kind, member, came, "share", drawn.setting.policy.exchange.answers, cause))
        case _:
            pass
