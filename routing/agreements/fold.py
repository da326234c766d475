"""The decision that a set of matching rules makes, where nothing came before: *Deciding* without state, folded once.

The same sentences as ``deliberation``, ``terms`` and ``aftermath``, over bits of parts. Who gets what is worked out at
once; grounds, terms and lines of the case when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

from routing.agreements.compile import PART_BIT, PARTS, Compiled, CompiledRule
from routing.agreements.decision import HEAD, ActsAs, Decision, Outcome, Referral, RuleMatch, State
from routing.agreements.evaluate import Day
from routing.agreements.masks import REMEMBERED_MOST, bits
from routing.agreements.model import FINEST_FIRST, STRICTEST_FIRST, Limit, Locate, Onward, Refer, Share
from routing.agreements.personal import Matched
from schemas.sections import SECTIONS

_HEAD_BIT: Final = PART_BIT[HEAD]
_PART_BITS: Final = tuple(PART_BIT[part] for part in PARTS)


class _Told(NamedTuple):
    """The state of every part."""

    own: tuple[State, ...]
    """Of each by itself."""
    sections: Mapping[str, State]
    """Of each section beside the head."""


class Verdict(NamedTuple):
    """Who goes before whom, as bits of parts: the first of these that covers a part has it."""

    forbidden: int
    withheld: int
    referred: int
    granted: int

    @property
    def flowing(self) -> int:
        """The parts that are granted, the head among them; none without the head."""
        own = self.granted & ~(self.forbidden | self.withheld | self.referred)
        return own if own & _HEAD_BIT else 0


@lru_cache(maxsize=REMEMBERED_MOST)
def _told(verdict: Verdict) -> _Told:
    """The first step that holds, of each part; and if the head is not granted, nothing flows."""
    own = tuple([_state(*(mask & bit for mask in verdict)) for bit in _PART_BITS])
    return _Told(own, dict(zip(SECTIONS, own[1:] if own[0] == "granted" else _beside(own), strict=True)))


@lru_cache(maxsize=REMEMBERED_MOST)
def _covers(flowing: int) -> tuple[str, ...]:
    return tuple(section for section in SECTIONS if flowing & PART_BIT[section])


def _beside(own: tuple[State, ...]) -> list[State]:
    """Every section that is not forbidden takes the head's state."""
    return [state if state == "forbidden" else own[0] for state in own[1:]]


def _state(forbidden: int, withheld: int, referred: int, granted: int) -> State:
    """The first step that holds."""
    if forbidden:
        return "forbidden"
    if withheld:
        return "withheld"
    if referred:
        return "referred"
    return "granted" if granted else "withheld"


@dataclass(slots=True)
class _Asking:
    """A rule that refers, and the parts that it asks about where nothing goes before."""

    rule: CompiledRule
    parts: int


class Folded:
    """What a set of matching rules decides for a recipient with no name, whatever the event's sections."""

    __slots__ = ("_asking", "_coarse", "_compiled", "_day", "_in_part", "_matched", "_whole", "_withheld", "verdict")

    def __init__(self, compiled: Compiled, matched: Matched, day: Day, *, in_earnest: bool) -> None:
        """Work out who gets what. ``in_earnest``: the mode is ``actual``."""
        self._compiled, self._matched, self._day = compiled, matched, day
        self._in_part: Decision | None = None
        self._whole: Decision | None = None
        self._coarse: frozenset[str] = frozenset()
        granted = self._united(matched.rules & compiled.shares)
        forbidden = referred = withheld = 0
        self._asking: list[_Asking] = []
        self._withheld = 0
        if protections := matched.rules & ~compiled.shares:
            doubtful = compiled.doubtful_forbids & matched.in_doubt & ~day.stopped
            referring = protections & (compiled.refers | doubtful)
            forbidden = self._united(protections & ~referring)
            self._withheld = referring & day.stopped if in_earnest else referring
            withheld = self._united(self._withheld)
            self._asking = list(self._asked(referring, granted | self._united(matched.possible)))
            for asking in self._asking:
                referred |= asking.parts
        self.verdict = Verdict(forbidden, withheld, referred, granted)

    def _united(self, rules: int) -> int:
        """The parts that any of these rules grants or covers."""
        found, parts = 0, self._compiled.parts
        while rules:
            lowest = rules & -rules
            found |= parts[lowest.bit_length() - 1]
            rules ^= lowest
        return found

    def _asked(self, referring: int, grantable: int) -> Iterator[_Asking]:
        """About what is grantable, or whatever the rule covers if it says ``invite: true``."""
        for number in bits(referring):
            each = self._compiled.rules[number]
            invites = isinstance(each.rule, Refer) and each.rule.invite
            yield _Asking(each, each.parts if invites else each.parts & grantable)

    @property
    def head(self) -> State:
        """The state of the head."""
        return _state(*(mask & _HEAD_BIT for mask in self.verdict))

    @property
    def covers(self) -> tuple[str, ...]:
        """The granted sections, if the head is granted."""
        return _covers(self.verdict.flowing)

    def decision(self, sections: frozenset[str], placed: frozenset[str]) -> Decision:
        """The decision about an event that has these sections, of which some state coordinates or addresses.

        *Shared* when every non-empty section is granted and no coordinate or address in them was replaced.
        """
        if self._in_part is None:
            self._in_part = self._decision()
            self._coarse = frozenset(section for section, told in self._in_part.locate.items() if told != "exact")
        if self._in_part.outcome != "shared-in-part" or not sections.issubset(self.covers):
            return self._in_part
        if self._coarse and not self._coarse.isdisjoint(placed & sections):
            return self._in_part
        if self._whole is None:
            self._whole = replace(self._in_part, outcome="shared")
        return self._whole

    def _decision(self) -> Decision:
        rules, matched, covers, told = self._compiled.rules, self._matched.rules, self.covers, _told(self.verdict)
        head = told.own[0]
        # The parts that need grounds: the sections covered, or the head where none is.
        flowing = self.verdict.flowing & ~_HEAD_BIT if covers else self.verdict.flowing
        shares = [number for number in bits(matched & self._compiled.shares) if rules[number].parts & flowing]
        granting = [rules[number] for number in shares]
        limits = [rule for number in bits(matched) if isinstance(rule := rules[number].rule, Limit)]
        outcome: Outcome = "shared-in-part" if head == "granted" else head
        return Decision(
            recipient="",
            head=head,
            sections=told.sections,
            covers=covers,
            outcome=outcome,
            grounds=tuple([ground for each in granting for ground in each.grounds(flowing)]),
            rules=tuple([self._told(number) for number in bits(matched)]),
            retain_days=_retain_days(granting, limits),
            onward=_onward(granting, limits),
            under_review=any(self._day.past_review >> number & 1 for number in shares),
            locate=_located(granting, limits, covers),
            action="share" if head == "granted" else "none",
            withdraws=(),
            referrals=tuple(_referrals(self._asking, told.own)) if head in ("granted", "referred") else (),
            without_news=False,
        )

    def _told(self, number: int) -> RuleMatch:
        each = self._compiled.rules[number]
        acts_as: ActsAs = each.rule.outcome
        if self._withheld >> number & 1:
            acts_as = "withhold"
        elif acts_as == "forbid" and any(asking.rule is each for asking in self._asking):
            acts_as = "refer"
        return each.told(acts_as, turned_on_unknown=bool(self._matched.in_doubt >> number & 1))


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


def _referrals(asked: list[_Asking], own: tuple[State, ...]) -> Iterator[Referral]:
    """A line for each rule that refers."""
    for asking in asked:
        about = (part for part, state in zip(PARTS, own, strict=True) if state == "referred")
        parts = tuple(part for part in about if asking.parts & PART_BIT[part])
        if parts:
            agreement, rule = asking.rule.agreement, asking.rule.rule
            path = rule.path if isinstance(rule, Refer) else agreement.doubt
            yield Referral(agreement.id, rule.id, parts, path, rule.why)
