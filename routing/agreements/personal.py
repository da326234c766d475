"""Rules that hang on the recipient: those that ask who is addressed, who holds the incident, or who is near."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from routing.agreements.compile import Compiled
from routing.agreements.compiled_rule import CompiledRule, Nearness, PersonalBlock
from routing.agreements.considered import Considered
from routing.agreements.masks import Pair, bits, remember
from routing.agreements.model import Share
from routing.agreements.said import Day, Matched, Said, Saying
from routing.agreements.state import State


class Some(NamedTuple):
    """What is said of some recipients, as bits of members."""

    recipients: int
    said: Said


class _Seen(NamedTuple):
    """All that such rules may read of an event."""

    true: int
    open: int
    those: tuple[Pair, ...]
    """Of whom each of `PersonalRules` conditions is true, and of whom it is not false."""
    in_earnest: bool


class _Block(NamedTuple):
    """A block: its bit, and the conditions of it that hang on the recipient, by number."""

    bit: int
    conditions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One of the rules."""

    number: int
    recipients: int
    when: _Block
    unless: tuple[_Block, ...]
    needs_certainty: bool
    """It does not match in doubt."""
    needs_earnest: bool
    """It matches only when the mode is ``actual``."""


class PersonalRules:
    """Those of one origin on one day."""

    def __init__(self, compiled: Compiled, day: Day, recipients: int) -> None:
        self.rules = compiled.personal & day.live
        self._compiled, self._recipients = compiled, recipients
        self._saying = Saying(compiled, day)
        found = [(number, compiled.rules[number]) for number in bits(self.rules)]
        blocks = [block for _, rule in found for block in rule.personal]
        self._bits = sum({1 << block.bit for block in blocks})
        self.near = tuple({each for block in blocks for each in block.conditions if isinstance(each, Nearness)})
        self._tables = [compiled.recipients_near(each) for each in self.near]
        self._rules = {number: self._rule(number, rule) for number, rule in found}
        self._remembered: dict[_Seen, tuple[Some, ...]] = {}
        self._said: dict[tuple[Matched, bool], Said] = {}

    def _rule(self, number: int, each: CompiledRule) -> _Rule:
        when, *unless = map(self._block, each.personal)
        shares = isinstance(each.rule, Share)
        return _Rule(
            number,
            each.recipients & self._recipients,
            when,
            tuple(unless),
            needs_certainty=isinstance(each.rule, Share) and not each.rule.on_doubt_share,
            needs_earnest=shares and bool(self._compiled.actual_shares >> number & 1),
        )

    def _block(self, block: PersonalBlock) -> _Block:
        return _Block(block.bit, tuple(map(self._number, block.conditions)))

    def _number(self, condition: object) -> int:
        """Nearnesses come first, then who is addressed, then who holds."""
        if isinstance(condition, Nearness):
            return self.near.index(condition)
        return len(self.near) + (getattr(condition, "attribute", "") == "holder")

    def nearness(self, event: Considered) -> tuple[Pair, ...]:
        """For each of ``near`` the recipients for whom it is true, and for whom it is not false."""
        return tuple([table[event.places, event.regions] for table in self._tables])

    def evaluate(
        self, blocks: Pair, event: Considered, state: State, near: tuple[Pair, ...], *, in_earnest: bool
    ) -> tuple[Some, ...]:
        """For whom each of the rules matches, and what it says.

        Args:
            blocks: what all else says of them.
            event: whose addressees count.
            state: whose holders count.
            near: by `nearness`.
            in_earnest: the mode is ``actual``.
        """
        addressed = self._compiled.named(event.addressees) if event.addressees else 0
        holders = self._compiled.named(each.member for each in state.holdings) if state.holdings else 0
        those = (*near, Pair(addressed, addressed), Pair(holders, holders))
        seen = _Seen(blocks.true & self._bits, blocks.open & self._bits, those, in_earnest)
        found = self._remembered.get(seen)
        return remember(self._remembered, seen, tuple(self._found(seen))) if found is None else found

    def _found(self, seen: _Seen) -> Iterator[Some]:
        for number in bits(self.rules & seen.open):
            rule = self._rules[number]
            if rule.needs_earnest and not seen.in_earnest:
                continue
            when = self._truth(rule.when, seen)
            prevented = open_ = 0
            for block in rule.unless:
                truth = self._truth(block, seen)
                prevented |= truth.true
                open_ |= truth.open
            may_hold = when.open & ~prevented & rule.recipients
            unknown = (when.open & ~when.true) | (open_ & ~prevented)
            yield from self._for_whom(rule, may_hold & ~unknown, may_hold & unknown, in_earnest=seen.in_earnest)

    def _truth(self, block: _Block, seen: _Seen) -> Pair:
        """The recipients for whom a block is true, and for whom it is not false."""
        true = self._recipients if seen.true >> block.bit & 1 else 0
        open_ = self._recipients if seen.open >> block.bit & 1 else 0
        for condition in block.conditions:
            found = seen.those[condition]
            true &= found.true
            open_ &= found.open
        return Pair(true, open_)

    def _for_whom(self, rule: _Rule, certain: int, doubtful: int, *, in_earnest: bool) -> Iterator[Some]:
        """A rule as it matches with certainty, as it matches in doubt, and as it may hold and does not match."""
        mask = 1 << rule.number
        if certain:
            yield Some(certain, self._say(Matched(mask, 0, 0), in_earnest=in_earnest))
        if doubtful:
            matched = Matched(0, 0, mask) if rule.needs_certainty else Matched(mask, mask, 0)
            yield Some(doubtful, self._say(matched, in_earnest=in_earnest))

    def _say(self, matched: Matched, *, in_earnest: bool) -> Said:
        key = (matched, in_earnest)
        if (found := self._said.get(key)) is not None:
            return found
        return remember(self._said, key, self._saying.say(matched, in_earnest=in_earnest))
