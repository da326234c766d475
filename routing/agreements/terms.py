"""On what terms a granted part flows: its grounds, how long it may be kept, passed on, and how finely it is placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.agreements.decision import Ground
from routing.agreements.following import held_part
from routing.agreements.force import past_review
from routing.agreements.matching import Match, Question
from routing.agreements.model import (
    FINEST_FIRST,
    STRICTEST_FIRST,
    Forbid,
    Limit,
    Locate,
    Onward,
    Refer,
    RulingTerms,
    Share,
)
from routing.agreements.state import HeldGrant, Ruling


@dataclass(frozen=True, slots=True)
class Grant:
    """One reason why a part is granted, with its terms."""

    agreement: str
    rule: str
    """Of a ruling: its id."""
    purpose: str
    legal_basis: str
    retain_days: int
    onward: Onward
    locate: Locate
    is_ruling: bool
    under_review: bool

    def ground(self, part: str) -> Ground:
        """As a ground of one part."""
        return Ground(part, self.agreement, self.rule, self.purpose, self.legal_basis)


def of_share(question: Question, match: Match, rule: Share) -> Grant:
    """The grant of a matching share rule."""
    agreement, terms = match.agreement, rule.terms
    return Grant(
        agreement.id,
        rule.id,
        terms.purpose,
        terms.legal_basis,
        terms.retain_days,
        agreement.onward,
        rule.locate,
        is_ruling=False,
        under_review=past_review(agreement, question.today),
    )


def of_ruling(question: Question, ruling: Ruling) -> Grant:
    """The grant of a ruling, on the terms of the agreement it ruled under, or of the rule where that states its own."""
    agreement = question.bundle.agreement(ruling.agreement)
    terms = next(
        (rule.ruling for rule in _rules(question, ruling) if isinstance(rule, Refer | Forbid)),
        agreement.ruling if agreement else RulingTerms(),
    )
    return Grant(
        ruling.agreement,
        ruling.id,
        terms.purpose,
        terms.legal_basis,
        terms.retain_days,
        agreement.onward if agreement else "forbidden",
        ruling.locate,
        is_ruling=True,
        under_review=agreement is not None and past_review(agreement, question.today),
    )


def _rules(question: Question, ruling: Ruling) -> list[object]:
    agreement = question.bundle.agreement(ruling.agreement)
    return [rule for rule in agreement.rules if rule.id == ruling.rule] if agreement else []


def of_held(question: Question, part: str, held: HeldGrant) -> Grant:
    """The grant under which a part was delivered before, as finely as it was last delivered."""
    agreement = question.bundle.agreement(held.agreement)
    last = held_part(question, part)
    return Grant(
        held.agreement,
        held.rule,
        held.purpose,
        held.legal_basis,
        held.retain_days,
        held.onward,
        last.locate if last else "10km",
        is_ruling=held.by == "ruling",
        under_review=agreement is not None and past_review(agreement, question.today),
    )


def grounds(grants: Mapping[str, list[Grant]]) -> tuple[Ground, ...]:
    """Per section, sorted by agreement, then rule; then in the order of the parts."""
    listed = [grant.ground(part) for part, of_part in grants.items() for grant in of_part]
    return tuple(sorted(listed, key=lambda ground: (ground.agreement, ground.rule)))


def retain_days(grants: Iterable[Grant], limits: Iterable[Limit]) -> int | None:
    """For each purpose the shortest among its grounds; the delivery carries the longest of these.

    Capped by every matching limit.
    """
    shortest: dict[str, int] = {}
    for grant in grants:
        shortest[grant.purpose] = min(grant.retain_days, shortest.get(grant.purpose, grant.retain_days))
    if not shortest:
        return None
    caps = [limit.retain_days for limit in limits if limit.retain_days is not None]
    return min((max(shortest.values()), *caps))


def onward(grants: Iterable[Grant], limits: Iterable[Limit]) -> Onward | None:
    """The strictest among all grounds and limits; None where nothing flows."""
    of_grants = [grant.onward for grant in grants]
    of_limits = [limit.onward for limit in limits if limit.onward is not None]
    return min(of_grants + of_limits, key=STRICTEST_FIRST.index) if of_grants else None


def locate(grants: Iterable[Grant], caps: Iterable[Locate]) -> Locate:
    """The finest among the grants of a section, never finer than any cap."""
    finest = min((grant.locate for grant in grants), key=FINEST_FIRST.index)
    return max((finest, *caps), key=FINEST_FIRST.index)
