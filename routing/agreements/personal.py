"""Rules that hang on the recipient: those that ask who is addressed, who holds the incident, or who is near."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from routing.agreements.compile import Compiled, CompiledRule, Nearness, Personal, PersonalBlock
from routing.agreements.considered import Considered
from routing.agreements.masks import Pair, bits, remember
from routing.agreements.model import Share
from routing.agreements.state import State


class Matched(NamedTuple):
    """Rules that match for somebody, as masks of rules."""

    rules: int
    in_doubt: int
    """Of those, the ones that turned on an unknown."""
    possible: int
    """The share rules that do not match and yet may hold."""


class Some(NamedTuple):
    """Rules that match for some recipients, as bits of members."""

    matched: Matched
    recipients: int


class _Seen(NamedTuple):
    """All that such rules may read of an event."""

    true: int
    open: int
    near: tuple[Pair, ...]
    addressed: int
    holders: int
    in_earnest: bool


class PersonalRules:
    """Those of one origin on one day."""

    def __init__(self, compiled: Compiled, live: int, recipients: int) -> None:
        self.rules = compiled.personal & live
        self._compiled = compiled
        self._recipients = recipients
        blocks = [block for number in bits(self.rules) for block in compiled.rules[number].personal]
        conditions = {condition for block in blocks for condition in block.conditions}
        self.near = tuple(each for each in conditions if isinstance(each, Nearness))
        self._near_number = {each: number for number, each in enumerate(self.near)}
        self._tables = [compiled.recipients_near(each) for each in self.near]
        self._bits = sum({1 << block.bit for block in blocks})
        self._remembered: dict[_Seen, tuple[Some, ...]] = {}

    def nearness(self, event: Considered) -> tuple[Pair, ...]:
        """For each of ``near`` the recipients for whom it is true, and for whom it is not false."""
        return tuple(table[event.places, event.regions] for table in self._tables)

    def evaluate(
        self, blocks: Pair, event: Considered, state: State, near: tuple[Pair, ...], *, in_earnest: bool
    ) -> tuple[Some, ...]:
        """For whom each of the rules matches.

        Args:
            blocks: what all else says of them.
            event: whose addressees count.
            state: whose holders count.
            near: by `nearness`.
            in_earnest: the mode is ``actual``.
        """
        addressed = self._compiled.named(event.addressees) if event.addressees else 0
        holders = self._compiled.named(each.member for each in state.holdings) if state.holdings else 0
        seen = _Seen(blocks.true & self._bits, blocks.open & self._bits, near, addressed, holders, in_earnest)
        found = self._remembered.get(seen)
        return remember(self._remembered, seen, tuple(self._found(seen))) if found is None else found

    def _found(self, seen: _Seen) -> Iterator[Some]:
        for number in bits(self.rules & seen.open):
            each = self._compiled.rules[number]
            if isinstance(each.rule, Share) and not seen.in_earnest and self._compiled.actual_shares >> number & 1:
                continue
            when, *unless = (self._truth(block, seen) for block in each.personal)
            prevented = open_ = 0
            for block in unless:
                prevented |= block.true
                open_ |= block.open
            may_hold = when.open & ~prevented & each.recipients & self._recipients
            unknown = (when.open & ~when.true) | (open_ & ~prevented)
            yield from _for_whom(1 << number, each, may_hold & ~unknown, may_hold & unknown)

    def _truth(self, block: PersonalBlock, seen: _Seen) -> Pair:
        """The recipients for whom a block is true, and for whom it is not false."""
        true = self._recipients if seen.true >> block.bit & 1 else 0
        open_ = self._recipients if seen.open >> block.bit & 1 else 0
        for condition in block.conditions:
            found = self._condition(condition, seen)
            true &= found.true
            open_ &= found.open
        return Pair(true, open_)

    def _condition(self, condition: Personal, seen: _Seen) -> Pair:
        if isinstance(condition, Nearness):
            return seen.near[self._near_number[condition]]
        those = seen.addressed if condition.attribute == "addressed" else seen.holders
        return Pair(those, those)


def _for_whom(rule: int, each: CompiledRule, certain: int, doubtful: int) -> Iterator[Some]:
    """A rule as it matches with certainty, as it matches in doubt, and as it may hold and does not match."""
    needs_certainty = isinstance(each.rule, Share) and not each.rule.on_doubt_share
    if certain:
        yield Some(Matched(rule, 0, 0), certain)
    if doubtful:
        yield Some(Matched(0, 0, rule) if needs_certainty else Matched(rule, rule, 0), doubtful)
