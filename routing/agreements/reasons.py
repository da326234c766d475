"""Why a decision is as it is: grounds, terms and lines of the case, from the rules that match.

The same sentences as ``terms`` and ``interpret``, where nothing came before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from routing.agreements.compiled_rule import PART_BIT, PARTS, CompiledRule
from routing.agreements.decision import ActsAs, Decision, Outcome, Referral, RuleMatch, State
from routing.agreements.masks import REMEMBERED_MOST
from routing.agreements.model import FINEST_FIRST, STRICTEST_FIRST, Limit, Locate, Onward, Refer, Share
from routing.agreements.rulebook import Rulebook
from routing.agreements.said import HEAD_BIT, Said, Verdict, flowing, state_of, together, verdict
from schemas.sections import SECTIONS

_PART_BITS: Final = tuple(PART_BIT[part] for part in PARTS)


class _Told(NamedTuple):
    """The state of every part."""

    own: tuple[State, ...]
    """Of each by itself."""
    sections: Mapping[str, State]
    """Of each section beside the head."""


@lru_cache(maxsize=REMEMBERED_MOST)
def _told(verdict: Verdict) -> _Told:
    """The first step that holds, of each part; and if the head is not granted, nothing flows."""
    own = tuple([state_of(verdict, bit) for bit in _PART_BITS])
    return _Told(own, dict(zip(SECTIONS, own[1:] if own[0] == "granted" else _beside(own), strict=True)))


def _beside(own: tuple[State, ...]) -> list[State]:
    """Every section that is not forbidden takes the head's state."""
    return [state if state == "forbidden" else own[0] for state in own[1:]]


class Reasons:
    """Of what some rules decide that match."""

    def __init__(self, rulebook: Rulebook, said: tuple[Said, ...], *, in_earnest: bool) -> None:
        """Take the rules apart by what they do; ``in_earnest``: the mode is ``actual``."""
        matched = together(said)
        self._rulebook, self._matched = rulebook, matched
        self._rules = [
            (number, rulebook.rules[number]) for number in sorted([n for each in said for n in each.numbers])
        ]
        self._referring = matched.rules & (rulebook.kindred.refers | rulebook.doubtful_forbids & matched.in_doubt)
        self._withholding = self._referring & rulebook.stopped if in_earnest else self._referring

    def decision(self, number: int, covers: tuple[str, ...]) -> Decision:
        """The decision of an event that has a section that is not covered, or of which something was replaced.

        Args:
            number: all that the rules say.
            covers: the sections that they grant.
        """
        rulebook, told = self._rulebook, _told(verdict(number))
        head = told.own[0]
        # The parts that need grounds: the sections covered, or the head where none is.
        needed = flowing(number) & ~HEAD_BIT if covers else flowing(number)
        shares = [found for found in self._rules if found[1].parts & needed and isinstance(found[1].rule, Share)]
        granting = [each for _, each in shares]
        limits = [each.rule for _, each in self._rules if isinstance(each.rule, Limit)]
        outcome: Outcome = "shared-in-part" if head == "granted" else head
        return Decision(
            recipient="",
            head=head,
            sections=told.sections,
            covers=covers,
            outcome=outcome,
            grounds=tuple([ground for each in granting for ground in each.grounds(needed)]),
            rules=tuple([self._as_matched(*found) for found in self._rules]),
            retain_days=_retain_days(granting, limits),
            onward=_onward(granting, limits),
            under_review=any(rulebook.past_review >> number & 1 for number, _ in shares),
            locate=_located(granting, limits, covers),
            action="share" if head == "granted" else "none",
            withdraws=(),
            referrals=tuple(self._referrals(told.own)) if head in ("granted", "referred") else (),
            without_news=False,
        )

    def _as_matched(self, number: int, each: CompiledRule) -> RuleMatch:
        in_doubt = bool(self._matched.in_doubt >> number & 1)
        acts_as: ActsAs = each.rule.outcome
        if self._referring >> number & 1:
            acts_as = "withhold" if self._withholding >> number & 1 else "refer"
        return each.told(acts_as, turned_on_unknown=in_doubt)

    def _referrals(self, own: tuple[State, ...]) -> Iterator[Referral]:
        """A line for each rule that refers, about what is grantable, or all it covers if it says ``invite: true``."""
        about = [part for part, state in zip(PARTS, own, strict=True) if state == "referred"]
        if not about:
            return
        grantable = self._grantable()
        for _, each in self._rulebook.numbered(self._referring):
            agreement, rule = each.agreement, each.rule
            asked = each.parts if each.invites else each.parts & grantable
            if parts := tuple(part for part in about if asked & PART_BIT[part]):
                path = rule.path if isinstance(rule, Refer) else agreement.doubt
                yield Referral(agreement.id, rule.id, parts, path, rule.why)

    def _grantable(self) -> int:
        found = 0
        for _, each in self._rulebook.numbered(
            self._matched.rules & self._rulebook.kindred.shares | self._matched.possible
        ):
            found |= each.parts
        return found


def _retain_days(granting: list[CompiledRule], limits: list[Limit]) -> int | None:
    """For each purpose the shortest among its grounds; of these the longest, capped by every limit."""
    shortest: dict[str, int] = {}
    for each in granting:
        if isinstance(each.rule, Share):
            terms = each.rule.terms
            shortest[terms.purpose] = min(terms.retain_days, shortest.get(terms.purpose, terms.retain_days))
    if not shortest:
        return None
    return min((max(shortest.values()), *(each.retain_days for each in limits if each.retain_days is not None)))


def _onward(granting: list[CompiledRule], limits: list[Limit]) -> Onward | None:
    """The strictest among all grounds and limits."""
    if not granting:
        return None
    said = [each.agreement.onward for each in granting]
    said += [limit.onward for limit in limits if limit.onward is not None]
    return min(said, key=STRICTEST_FIRST.index)


def _located(granting: list[CompiledRule], limits: list[Limit], covers: tuple[str, ...]) -> Mapping[str, Locate]:
    """Of each section covered: the finest among its grants, never finer than any limit."""
    cap = max([FINEST_FIRST.index(limit.locate) for limit in limits], default=0)
    if not cap and all(each.locate == 0 for each in granting):
        return dict.fromkeys(covers, "exact")
    told = {}
    for section in covers:
        bit = PART_BIT[section]
        told[section] = FINEST_FIRST[max(min([each.locate for each in granting if each.parts & bit]), cap)]
    return told
