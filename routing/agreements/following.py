"""Following: who was told of a pursuit hears how it ended. And when an incident counts as closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from routing.agreements.considered import Considered
from routing.agreements.force import suspended
from routing.agreements.matching import Question
from routing.agreements.state import HeldGrant, HeldPart, State

SILENT_MOST: Final = timedelta(days=90)
"""Without an event for so long an incident counts as closed at its last one."""


def closed_at(state: State, event: Considered, now: datetime) -> datetime | None:
    """When the incident closed, as of the decision about this event; None: it is open.

    It closes at the decision time of the first event of kind or status ``closed``, and is open again at a later
    ``reopened``; without an event for 90 days it counts as closed at its last one. A ``reopened`` whose status is
    closed closes it anew.
    """
    closes = event.kind == "closed" or event.status == "closed"
    if event.kind == "reopened":
        return now if closes else None
    if state.closed_at is not None:
        return state.closed_at
    if state.last_event_at is not None and now - state.last_event_at >= SILENT_MOST:
        return state.last_event_at
    return now if closes else None


def followed(question: Question, part: str) -> list[HeldGrant]:
    """The share rules under which a held part stays granted, whatever the share rules now say.

    The head, and each section, once granted by a share rule and delivered, stays granted until ``follow`` after
    closing (the longest ``follow`` among the agreements that granted it), also after an agreement's ``ends``. What
    only a release, discretion or override granted ends with that ruling. A suspension ends following under it, and so
    does a bundle that no longer has the agreement.
    """
    held = held_part(question, part)
    grants = [grant for grant in held.grants if grant.by == "rule" and _counts(question, grant)] if held else []
    closed = closed_at(question.state, question.event, question.now)
    if not grants or closed is None:
        return grants
    longest = max(_follow_hours(question, grant) for grant in grants)
    return grants if question.now < closed + timedelta(hours=longest) else []


def of_correction(question: Question, part: str) -> list[HeldGrant]:
    """Of a ``corrected`` event, every section held is granted until its retain_until."""
    held = held_part(question, part)
    if question.event.kind != "corrected" or held is None or question.holding is None:
        return []
    closed = closed_at(question.state, question.event, question.now)
    kept = closed is None or question.now < closed + timedelta(days=question.holding.retain_days)
    return list(held.grants) if kept else []


def held_part(question: Question, part: str) -> HeldPart | None:
    """What the recipient holds of the head or a section, if it holds it."""
    parts = question.holding.parts if question.holding else ()
    return next((held for held in parts if held.part == part), None)


def _counts(question: Question, grant: HeldGrant) -> bool:
    agreement = question.bundle.agreement(grant.agreement)
    return agreement is not None and not suspended(question.bundle, agreement)


def _follow_hours(question: Question, grant: HeldGrant) -> int:
    agreement = question.bundle.agreement(grant.agreement)
    return agreement.follow_hours if agreement else 0
