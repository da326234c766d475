"""What a delivery asks of the member that receives it: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from consumers.delivery import Delivery
from schemas.codes import enum_code
from schemas.corrections import asks_acceptance
from schemas.exchange import AnswersWithin

What = Literal["transfer", "assistance", "correct", "withdraw", "retract"]
"""What is asked, in the words of what a router expects."""

HAND_OVERS: Final[tuple[What, ...]] = ("transfer", "assistance")
"""What a stand-down cancels."""

_ENDS: Final[Mapping[str, tuple[What, ...]]] = {
    # What is gone cannot be accepted any more; a correction can, of what is left.
    "retract": ("transfer", "assistance", "correct", "withdraw"),
    "withdraw-all": ("transfer", "assistance", "correct"),
    "stand-down": HAND_OVERS,
}


@dataclass(frozen=True, slots=True)
class Question:
    """What one delivery asks, and by when."""

    what: What
    asked_at: datetime
    answer_by: datetime
    answer_at_latest: datetime


def question(delivery: Delivery, within: AnswersWithin) -> Question | None:
    """What the delivery asks for; None: nothing.

    A transfer or a request for assistance asks those it is addressed to; a correction of grade, hazards, weapon flags
    or places asks for a person; what is taken back, for a confirmation.
    """
    what = _what(delivery)
    if what is None:
        return None
    limits = _limits(what, within)
    asked_at = delivery.terms["decided_at"]
    return Question(what, asked_at, asked_at + timedelta(seconds=limits[0]), asked_at + timedelta(seconds=sum(limits)))


def ended_by(delivery: Delivery) -> tuple[str, tuple[What, ...]]:
    """What was asked before of its incident and needs no answer once this is here: why, and which; often none."""
    kind = enum_code(delivery.event["kind"])
    if delivery.action == "retract":
        return "retract", _ENDS["retract"]
    if delivery.action == "withdraw" and "head" in delivery.terms["withdraws"]:
        return "withdraw", _ENDS["withdraw-all"]
    if delivery.action == "share" and kind == "stand-down" and delivery.terms["addressed_to_you"]:
        return "stood-down", _ENDS["stand-down"]
    return "", ()


def _what(delivery: Delivery) -> What | None:
    terms = delivery.terms
    if delivery.action == "retract":
        return "retract"
    if delivery.action == "withdraw":
        return "withdraw"
    if delivery.action == "correct":
        return "correct" if asks_acceptance(change["path"] for change in terms["changes"]) else None
    kind = enum_code(delivery.event["kind"])
    if delivery.action == "share" and terms["addressed_to_you"]:
        return "transfer" if kind == "transfer" else "assistance" if kind == "assistance" else None
    return None


def _limits(what: What, within: AnswersWithin) -> tuple[int, ...]:
    limits: Mapping[What, tuple[int, ...]] = {
        "transfer": within.transfer_s,
        "assistance": within.assistance_s,
        "correct": within.correction_s,
        "withdraw": within.withdrawal_s,
        "retract": within.retraction_s,
    }
    return limits[what] or (0,)
