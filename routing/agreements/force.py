"""When a rule applies at all: starts, signatures, ends, suspensions. Days begin at 00:00 Europe/London."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from routing.agreements.bundle import Bundle
from routing.agreements.model import Agreement, Rule, Share

LONDON: Final = ZoneInfo("Europe/London")


def london_day(now: datetime) -> date:
    """Days begin at 00:00 Europe/London."""
    if now.utcoffset() is None:
        msg = "a decision needs a time that knows its zone: the machine's own must not turn it"
        raise ValueError(msg)
    return now.astimezone(LONDON).date()


def out_of_force(bundle: Bundle, agreement: Agreement, rule: Rule, origin: str, today: date) -> str | None:
    """Why the rule does not apply today, in words; None if it does.

    Before ``starts`` no rule applies. Share rules need the origin's signature and stop after the last moment of
    ``ends``, and while suspended. Refer, forbid and limit rules need no signature and stay.
    """
    if today < agreement.starts:
        return f"the agreement starts on {agreement.starts}"
    if not isinstance(rule, Share):
        return None
    if not any(signed.member == origin and signed.signed_on <= today for signed in agreement.signatures):
        return f"{origin} has not signed"
    return ended(agreement, today) or suspended(bundle, agreement)


def ended(agreement: Agreement, today: date) -> str | None:
    """In words, that its last day has passed."""
    over = agreement.ends is not None and today > agreement.ends
    return f"the agreement ended on {agreement.ends}" if over else None


def suspended(bundle: Bundle, agreement: Agreement) -> str | None:
    """In words, who suspended it and why."""
    suspension = bundle.suspension(agreement.id)
    return f"suspended by {suspension.who}: {suspension.why}" if suspension else None


def past_review(agreement: Agreement, today: date) -> bool:
    """After ``review`` sharing goes on, with a mark on each disclosure."""
    return agreement.review is not None and today > agreement.review
