"""What people ruled: releases, discretion, overrides, refusals and lapses, and how long each counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from routing.agreements.considered import Considered
from routing.agreements.decision import HEAD
from routing.agreements.force import suspended
from routing.agreements.matching import Match, Question
from routing.agreements.model import Forbid
from routing.agreements.state import Discretion, Override, Refusal, Release, Ruling
from schemas.codes import UNKNOWN

OVERRIDE_MOST: Final = timedelta(hours=4)
"""An override counts for at most so long."""
_LOWEST_GRADE_FIRST: Final = ("no-attendance", "scheduled", "priority", "emergency")


def granting(question: Question, part: str) -> list[Ruling]:
    """The live releases, discretions and overrides that name a part for this recipient."""
    state = question.state
    found: list[Ruling] = [release for release in state.releases if _released(question, release, part)]
    found += [ruling for ruling in state.discretions if _at_discretion(question, ruling) and part in ruling.parts]
    found += [ruling for ruling in state.overrides if _overrides(question, ruling) and part in ruling.parts]
    return found


def discharging(question: Question, referring: Match, part: str) -> list[Release]:
    """The releases that discharge a refer rule for a part.

    A release discharges only the rules in whose path the ruler's role stands, and of those only the rules that the
    case held when it was ruled: a new refer rule opens the case again.
    """
    roles = {step.role for step in referring.path}
    return [
        release
        for release in question.state.releases
        if _released(question, release, part) and release.role in roles and referring.ref in release.rules
    ]


def lifting(question: Question, forbidding: Match, part: str) -> list[Override]:
    """The overrides that lift a forbid for a part.

    An override lifts only forbids whose ``override`` names the ruler's role, for its recipients, sections and hours.
    """
    rule = forbidding.rule
    roles = rule.override if isinstance(rule, Forbid) else ()
    return [
        override
        for override in question.state.overrides
        if _overrides(question, override) and part in override.parts and override.role in roles
    ]


def refusals(question: Question, part: str) -> list[Refusal]:
    """The refusals and lapses that cover a part for this recipient and still stand."""
    return [
        refusal
        for refusal in question.state.refusals
        if question.recipient in refusal.recipients and part in refusal.parts and stands(refusal, question.event)
    ]


def stands(refusal: Refusal, event: Considered) -> bool:
    """It stands until the grade rises, or a hazard or flag is added: the inspector is not woken by each log line.

    A grade that is not known neither rises nor is risen from.
    """
    graded = [_LOWEST_GRADE_FIRST.index(each) for each in (refusal.grade, event.grade) if each in _LOWEST_GRADE_FIRST]
    risen = len(graded) == 2 and graded[1] > graded[0]
    flag_added = (event.flags or frozenset()) - refusal.flags - {UNKNOWN}
    hazard_added = event.hazards - refusal.hazards - {UNKNOWN}
    return not (risen or flag_added or hazard_added)


def _released(question: Question, release: Release, part: str) -> bool:
    """A release covers later events in those sections for those recipients until its limit.

    A section that was empty when ruled, or a new caveat, opens the case again.
    """
    caveats = question.remembered.event.caveats or frozenset()
    filled_since = part != HEAD and part in question.event.sections - release.filled
    return _live(question, release) and part in release.parts and caveats <= release.caveats and not filled_since


def _at_discretion(question: Question, ruling: Discretion) -> bool:
    """Discretion needs a role listed for it, and covers one event unless it says otherwise."""
    covers = ruling.sequence is None or ruling.sequence == question.event.sequence
    return _live(question, ruling) and ruling.role in question.bundle.discretion and covers


def _overrides(question: Question, ruling: Override) -> bool:
    """An override counts for at most four hours, and only under a forbid of its agreement that names its role."""
    return (
        _live(question, ruling)
        and question.now < ruling.at + OVERRIDE_MOST
        and any(
            isinstance(rule, Forbid) and ruling.role in rule.override
            for agreement, rule in question.bundle.rules_between(question.event.origin, question.recipient)
            if agreement.id == ruling.agreement
        )
    )


def _live(question: Question, ruling: Ruling) -> bool:
    """It names this recipient, its time has not run out, and its agreement is in the bundle and not suspended."""
    agreement = question.bundle.agreement(ruling.agreement)
    if agreement is None or suspended(question.bundle, agreement):
        return False
    return question.recipient in ruling.recipients and ruling.at <= question.now and not _over(ruling, question.now)


def _over(ruling: Ruling, now: datetime) -> bool:
    return ruling.until is not None and now >= ruling.until
