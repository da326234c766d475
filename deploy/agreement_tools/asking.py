"""What a bundle makes of an event for a member, and what became of each rule: no broker, no ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from deploy.agreement_tools.event_files import StatedEvent
from routing.agreements import Bundle, Decision, decide, explain_rules, recipients
from routing.agreements.decision import Referral
from routing.agreements.explain import RuleTrace
from routing.agreements.state import State
from schemas.errors import Rejected


@dataclass(frozen=True, slots=True)
class Answer:
    """What one member gets of one event, and why."""

    event: StatedEvent
    at: datetime
    decision: Decision
    rules: Sequence[RuleTrace]
    """Every rule from the origin to the member."""


def ask(bundle: Bundle, event: StatedEvent, to: str, at: datetime, state: State) -> list[Answer]:
    """The answer for a member, or for ``all`` that receive.

    Raises:
        Rejected: ``no-such-member``: the origin or the member is not one of the bundle, or is the origin itself.
    """
    origin = event.considered.origin
    if origin not in (known := [member.id for member in bundle.members]):
        raise Rejected(
            "no-such-member", f"{event.place}: its origin is no member of the bundle; {_nearest(origin, known)}"
        )
    receivers = recipients(bundle, origin)
    if to != "all" and to not in receivers:
        raise Rejected("no-such-member", f"{to} receives nothing from {origin}; {_nearest(to, receivers)}")
    return [
        Answer(
            event,
            at,
            decide(bundle, event.considered, member, at, state),
            explain_rules(bundle, event.considered, member, at, state),
        )
        for member in (receivers if to == "all" else (to,))
    ]


def _nearest(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}expected one of {', '.join(known)}"


def answer_as_json(bundle: Bundle, answer: Answer) -> dict[str, Any]:
    """The answer as plain data; docs/reference/cli.md names this form."""
    decision = answer.decision
    days = decision.retain_days
    return {
        "event_id": answer.event.event_id,
        "incident_id": answer.event.incident_id,
        "origin": answer.event.considered.origin,
        "recipient": decision.recipient,
        "at": answer.at.isoformat(),
        "policy": {"version": bundle.version, "hash": bundle.hash},
        "head": decision.head,
        "sections": dict(decision.sections),
        "covers": list(decision.covers),
        "outcome": decision.outcome,
        "action": decision.action,
        "withdraws": list(decision.withdraws),
        "locate": dict(decision.locate),
        "retain": None if days is None else f"{days}d",
        "retain_days": days,
        "onward": decision.onward,
        "under_review": decision.under_review,
        "without_news": decision.without_news,
        "grounds": [asdict(ground) for ground in decision.grounds],
        "referrals": [_referral(referral) for referral in decision.referrals],
        "rules": [asdict(match) for match in decision.rules],
        "trace": [asdict(trace) for trace in answer.rules],
    }


def _referral(referral: Referral) -> dict[str, Any]:
    path = [asdict(step) for step in referral.path]
    return {**asdict(referral), "parts": list(referral.parts), "path": path}
