"""The decision that a set of matching rules makes, where nothing came before: *Deciding* without state, folded once.

The same sentences as ``deliberation``, ``terms`` and ``aftermath``, over bits of parts. What does not depend on the
event is worked out once for each set of rules; only the outcome looks at which sections are not empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from routing.agreements.compile import PART_BIT, PARTS, CompiledRule
from routing.agreements.decision import HEAD, ActsAs, Decision, Ground, Outcome, Referral, RuleMatch, State
from routing.agreements.evaluate import Day
from routing.agreements.masks import bits
from routing.agreements.model import FINEST_FIRST, STRICTEST_FIRST, Forbid, Limit, Locate, Onward, Refer, Share, Step
from routing.agreements.personal import Matched
from schemas.sections import SECTIONS

_SECTION_BITS: Final = tuple(PART_BIT[section] for section in SECTIONS)
_PART_BITS: Final = tuple(PART_BIT[part] for part in PARTS)
_HEAD_BIT: Final = PART_BIT[HEAD]


class Folded:
    """What a set of matching rules decides, whatever the event's sections."""

    def __init__(self, decision: Decision) -> None:
        self._in_part = decision
        self._whole: Decision | None = None
        self._covered = frozenset(decision.covers)
        self._coarse = frozenset(section for section, locate in decision.locate.items() if locate != "exact")

    def decision(self, sections: frozenset[str], placed: frozenset[str]) -> Decision:
        """The decision about an event that has these sections, of which some state coordinates or addresses.

        *Shared* when every non-empty section is granted and no coordinate or address in them was replaced.
        """
        if self._in_part.outcome != "shared-in-part" or not sections <= self._covered:
            return self._in_part
        if self._coarse and not self._coarse.isdisjoint(placed & sections):
            return self._in_part
        if self._whole is None:
            self._whole = replace(self._in_part, outcome="shared")
        return self._whole


@dataclass(slots=True)
class _Asking:
    """A rule that refers."""

    rule: CompiledRule
    path: tuple[Step, ...]
    parts: int
    """It asks about these, where nothing goes before."""


@dataclass(slots=True)
class _Gathered:
    """The matching rules by what they do, and the parts that each kind of them covers."""

    told: list[RuleMatch] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    asking: list[_Asking] = field(default_factory=list)
    forbidden: int = 0
    withheld: int = 0
    granted: int = 0
    possible: int = 0

    @property
    def referred(self) -> int:
        """The parts that some rule asks about."""
        found = 0
        for each in self.asking:
            found |= each.parts
        return found


def fold(rules: Sequence[CompiledRule], matched: Matched, day: Day, *, in_earnest: bool) -> Folded:
    """What matching rules decide, for a recipient with no name. ``in_earnest``: the mode is ``actual``."""
    found = _gathered(rules, matched, day, in_earnest=in_earnest)
    referred = found.referred
    own = [_state(found, referred, bit) for bit in _PART_BITS]
    head = own[0]
    flows = head == "granted"
    states = own if flows else [state if state == "forbidden" else head for state in own]
    covered = sum(bit for bit, state in zip(_SECTION_BITS, states[1:], strict=True) if state == "granted")
    covers = tuple(section for section in SECTIONS if covered & PART_BIT[section])
    granting = [rules[number] for number in found.shares if flows and rules[number].parts & (covered or _HEAD_BIT)]
    outcome: Outcome = "shared-in-part" if head == "granted" else head
    return Folded(
        Decision(
            recipient="",
            head=head,
            sections=dict(zip(SECTIONS, states[1:], strict=True)),
            covers=covers,
            outcome=outcome,
            grounds=tuple(_grounds(granting, covers or (HEAD,))),
            rules=tuple(found.told),
            retain_days=_retain_days(granting, found.limits),
            onward=_onward(granting, found.limits),
            under_review=any(rules[n].parts & (covered or _HEAD_BIT) and day.past_review >> n & 1 for n in found.shares)
            and flows,
            locate={section: _locate(granting, found.limits, section) for section in covers},
            action="share" if flows else "none",
            withdraws=(),
            referrals=tuple(_referrals(found, own)) if head in ("granted", "referred") else (),
            without_news=False,
        )
    )


def _gathered(rules: Sequence[CompiledRule], matched: Matched, day: Day, *, in_earnest: bool) -> _Gathered:
    found = _Gathered()
    for number in bits(matched.possible):
        found.possible |= rules[number].parts
    for number in bits(matched.rules):
        each = rules[number]
        doubt, stopped = bool(matched.in_doubt >> number & 1), bool(day.stopped >> number & 1)
        acts_as = _take(found, number, each, refers=_refers(each, doubt=doubt, stopped=stopped))
        if acts_as == "refer" and (stopped or not in_earnest):
            found.withheld |= each.parts
            acts_as = "withhold"
        found.told.append(each.told(acts_as, turned_on_unknown=doubt))
    grantable = found.granted | found.possible
    for asking in found.asking:
        if not (isinstance(asking.rule.rule, Refer) and asking.rule.rule.invite):
            asking.parts &= grantable
    return found


def _refers(each: CompiledRule, *, doubt: bool, stopped: bool) -> bool:
    """A refer rule, or a forbid that turns on an unknown, if its file has ``doubt`` and is in force."""
    if isinstance(each.rule, Refer):
        return True
    return isinstance(each.rule, Forbid) and doubt and bool(each.agreement.doubt) and not stopped


def _take(found: _Gathered, number: int, each: CompiledRule, *, refers: bool) -> ActsAs:
    rule = each.rule
    if isinstance(rule, Share):
        found.granted |= each.parts
        found.shares.append(number)
        return "share"
    if isinstance(rule, Limit):
        found.limits.append(rule)
        return "limit"
    if refers:
        path = rule.path if isinstance(rule, Refer) else each.agreement.doubt
        found.asking.append(_Asking(each, path, each.parts))
        return "refer"
    found.forbidden |= each.parts
    return "forbid"


def _state(found: _Gathered, referred: int, bit: int) -> State:
    """The first step that holds."""
    if found.forbidden & bit:
        return "forbidden"
    if found.withheld & bit:
        return "withheld"
    if referred & bit:
        return "referred"
    return "granted" if found.granted & bit else "withheld"


def _grounds(granting: list[CompiledRule], parts: tuple[str, ...]) -> Iterator[Ground]:
    """Rules come sorted by agreement, then rule; parts in wire order."""
    for each in granting:
        for part in parts:
            if each.parts & PART_BIT[part]:
                yield each.ground(part)


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


def _locate(granting: list[CompiledRule], limits: list[Limit], section: str) -> Locate:
    """The finest among the grants of a section, never finer than any limit."""
    bit = PART_BIT[section]
    told = [each.rule.locate for each in granting if each.parts & bit and isinstance(each.rule, Share)]
    finest = min(told, key=FINEST_FIRST.index)
    return max((finest, *(limit.locate for limit in limits)), key=FINEST_FIRST.index)


def _referrals(found: _Gathered, own: list[State]) -> Iterator[Referral]:
    """A line for each rule that refers."""
    for asking in found.asking:
        about = (part for part, state in zip(PARTS, own, strict=True) if state == "referred")
        parts = tuple(part for part in about if asking.parts & PART_BIT[part])
        if parts:
            rule = asking.rule.rule
            yield Referral(asking.rule.agreement.id, rule.id, parts, asking.path, rule.why)
