"""Rules that hang on the recipient: those that ask who is addressed, who holds the incident, or who is near."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from routing.agreements.compiled_rule import CompiledBlock, CompiledRule, Nearness
from routing.agreements.considered import Considered
from routing.agreements.masks import Pair, bits, remember
from routing.agreements.parting import Spoken
from routing.agreements.rulebook import Rulebook
from routing.agreements.said import Matched, Said, say
from routing.agreements.state import State


class _Seen(NamedTuple):
    """All that such rules may read of an event."""

    true: int
    open: int
    those: tuple[Pair, ...]
    """Of whom each of `PersonalRules` conditions is true, and of whom it is not false."""
    in_earnest: bool


class _Block(NamedTuple):
    """A block, as a mask, and the conditions of it that hang on the recipient, by number."""

    mask: int
    conditions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One of the rules."""

    recipients: int
    when: _Block
    unless: tuple[_Block, ...]
    needs_earnest: bool
    """It matches only when the mode is ``actual``."""
    certain: Matched
    """How it matches where nothing is unknown."""
    doubtful: Matched
    """How it matches where something is; of a share rule that needs certainty, that it may hold."""


class PersonalRules:
    """Those of one origin on one day."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rules = rulebook.kindred.personal
        self._rulebook, self._recipients = rulebook, rulebook.recipients
        found = list(rulebook.numbered(self.rules))
        blocks = [block for _, each in found for block in (each.when, *each.unless)]
        self.near = tuple({each for block in blocks for each in block.personal if isinstance(each, Nearness)})
        self._tables = [rulebook.compiled.recipients_near(each) for each in self.near]
        first_of_unless: dict[int, int] = {}
        for offset, number in enumerate(rulebook.rule_of_block):
            first_of_unless.setdefault(number, len(rulebook.rules) + offset)
        self._rules = {number: self._rule(number, each, first_of_unless.get(number, 0)) for number, each in found}
        self._blocks = sum(block.mask for rule in self._rules.values() for block in (rule.when, *rule.unless))
        self._remembered: dict[_Seen, tuple[Spoken, ...]] = {}
        self._said: dict[tuple[Matched, bool], Said] = {}

    def _rule(self, number: int, each: CompiledRule, first_of_unless: int) -> _Rule:
        mask = 1 << number
        kindred = self._rulebook.kindred
        doubtful = Matched(0, 0, mask) if kindred.certain_shares & mask else Matched(mask, mask, 0)
        return _Rule(
            each.recipients & self._recipients,
            self._block(number, each.when),
            tuple(self._block(place, block) for place, block in enumerate(each.unless, first_of_unless)),
            needs_earnest=bool(kindred.actual_shares & mask),
            certain=Matched(mask, 0, 0),
            doubtful=doubtful,
        )

    def _say(self, matched: Matched, *, in_earnest: bool) -> Said:
        key = (matched, in_earnest)
        if (found := self._said.get(key)) is None:
            found = self._said[key] = say(self._rulebook, matched, in_earnest=in_earnest)
        return found

    def _block(self, place: int, block: CompiledBlock) -> _Block:
        return _Block(1 << place, tuple(map(self._number, block.personal)))

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
    ) -> tuple[Spoken, ...]:
        """For whom each of the rules matches, and what it says.

        Args:
            blocks: what all else says of them.
            event: whose addressees count.
            state: whose holders count.
            near: by `nearness`.
            in_earnest: the mode is ``actual``.
        """
        addressed = self._rulebook.compiled.named(event.addressees) if event.addressees else 0
        holders = self._rulebook.compiled.named(each.member for each in state.holdings) if state.holdings else 0
        those = (*near, Pair(addressed, addressed), Pair(holders, holders))
        seen = _Seen(blocks.true & self._blocks, blocks.open & self._blocks, those, in_earnest)
        found = self._remembered.get(seen)
        return remember(self._remembered, seen, tuple(self._found(seen))) if found is None else found

    def _found(self, seen: _Seen) -> Iterator[Spoken]:
        in_earnest = seen.in_earnest
        for number in bits(seen.open & self.rules):
            rule = self._rules[number]
            if rule.needs_earnest and not in_earnest:
                continue
            true, may_hold = self._truth(rule.when, seen)
            may_hold &= rule.recipients
            certain = true & may_hold
            for block in rule.unless:
                prevented, open_ = self._truth(block, seen)
                may_hold &= ~prevented
                certain &= ~open_
            if certain:
                yield certain, self._say(rule.certain, in_earnest=in_earnest)
            if doubtful := may_hold & ~certain:
                yield doubtful, self._say(rule.doubtful, in_earnest=in_earnest)

    def _truth(self, block: _Block, seen: _Seen) -> tuple[int, int]:
        """The recipients for whom a block is true, and for whom it is not false."""
        true = self._recipients if seen.true & block.mask else 0
        open_ = self._recipients if seen.open & block.mask else 0
        for condition in block.conditions:
            found = seen.those[condition]
            true &= found[0]
            open_ &= found[1]
        return true, open_
