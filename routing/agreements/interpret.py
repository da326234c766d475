"""The naive interpreter: the meaning of sharing agreements, put together from its sentences.

It is the oracle that anything faster is held to, so it is written to be read beside the language and not for speed:
``conditions`` and ``history``, then ``matching`` and ``force``, then the steps in ``deliberation`` with ``rulings`` and
``following``, then ``terms`` and ``aftermath``. Deciding is pure and total: the same bundle, considered attributes,
state and time give the same decision, whatever they hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from routing.agreements.aftermath import aftermath
from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import HEAD, ActsAs, Decision, Outcome, Referral, RuleMatch
from routing.agreements.deliberation import PARTS, Deliberation
from routing.agreements.matching import Match, Question
from routing.agreements.model import FINEST_FIRST, Limit, Locate
from routing.agreements.state import FIRST_EVENT, State
from routing.agreements.terms import Grant, grounds, locate, onward, retain_days
from schemas.sections import SECTIONS


def recipients(bundle: Bundle, origin: str) -> tuple[str, ...]:
    """The members that receive, the origin excepted, sorted: whom each event of the origin is decided for."""
    return tuple(member for member in bundle.receivers if member != origin)


def decide(
    bundle: Bundle, considered: Considered, recipient: str, now: datetime, state: State = FIRST_EVENT
) -> Decision:
    """What one recipient gets of one event, and why.

    Args:
        bundle: everything that decisions depend on.
        considered: what conditions may read of the event.
        recipient: a member other than the event's origin.
        now: the time of deciding; it must know its time zone.
        state: what came before in this incident.
    """
    return conclude(Deliberation(Question(bundle, considered, recipient, now, state)))


def conclude(found: Deliberation) -> Decision:
    """The decision that a deliberation comes to."""
    covers = tuple(section for section in SECTIONS if found.states[section] == "granted")
    grants = _grants(found, covers)
    told = [grant for of_part in grants.values() for grant in of_part]
    located = {section: locate(grants[section], _caps(found, section)) for section in covers}
    after = aftermath(found)
    return Decision(
        recipient=found.question.recipient,
        head=found.states[HEAD],
        sections={section: found.states[section] for section in SECTIONS},
        covers=covers,
        outcome=_outcome(found, located),
        grounds=grounds(grants),
        rules=tuple(_told(found, match) for match in found.matches),
        retain_days=retain_days(told, found.limits),
        onward=onward(told, found.limits),
        under_review=any(grant.under_review for grant in told),
        locate=located,
        action=after.action,
        withdraws=after.withdraws,
        referrals=_referrals(found),
        without_news=after.without_news,
    )


def _outcome(found: Deliberation, located: dict[str, Locate]) -> Outcome:
    """*Shared* when every non-empty section is granted and no coordinate or address in them was replaced.

    Else *shared in part*; without the head, the head's state.
    """
    head, event = found.states[HEAD], found.question.event
    if head != "granted":
        return head
    replaced = any(located[section] != "exact" for section in event.placed & event.sections & located.keys())
    return "shared" if event.sections.issubset(located) and not replaced else "shared-in-part"


def _grants(found: Deliberation, covers: tuple[str, ...]) -> dict[str, list[Grant]]:
    """The grants of each covered section; of the head, if no section is covered; nothing without the head."""
    if found.states[HEAD] != "granted":
        return {}
    return {part: found.flowing(part) for part in covers or (HEAD,)}


def _caps(found: Deliberation, section: str) -> Iterable[Locate]:
    """No section is told finer than a matching limit, nor than the ruling that it needed to flow."""
    yield from (limit.locate for limit in found.limits)
    for match in found.matches:
        needed = [*found.discharging(match, section), *found.lifting(match, section)]
        if match.covers(section) and needed:
            yield min((ruling.locate for ruling in needed), key=FINEST_FIRST.index)


def _referrals(found: Deliberation) -> tuple[Referral, ...]:
    """A line for each refer rule; if the head is not granted, a case opens only if that is referred."""
    if found.states[HEAD] not in ("granted", "referred"):
        return ()
    own = {HEAD: found.states[HEAD], **found.own}
    lines = []
    for match in found.matches:
        parts = tuple(part for part in PARTS if own[part] == "referred" and match in found.referring(part))
        if parts:
            lines.append(Referral(match.agreement.id, match.rule.id, parts, match.path, match.rule.why))
    return tuple(lines)


def _told(found: Deliberation, match: Match) -> RuleMatch:
    return RuleMatch(
        match.agreement.id, match.rule.id, match.rule.outcome, match.turned_on_unknown, _acts_as(found, match)
    )


def _acts_as(found: Deliberation, match: Match) -> ActsAs:
    """What a matching rule does here, for whoever reads the decision."""
    if not match.forbids and not match.refers:
        return "limit" if isinstance(match.rule, Limit) else "share"
    if match.forbids:
        return "lifted" if all(found.lifting(match, part) for part in match.parts) else "forbid"
    if match in found.withholding(match.parts[0]):
        return "withhold"
    return "discharged" if all(found.discharging(match, part) for part in match.parts) else "refer"
