"""Which rules match for whom: all rules of one origin on one day, evaluated together for an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from routing.agreements.compile import SETS, WORDS, Compiled, CompiledRule, Nearness, Personal, PersonalBlock
from routing.agreements.considered import Considered
from routing.agreements.fold import Day, Matched
from routing.agreements.force import ended, out_of_force, past_review, suspended
from routing.agreements.history import ever_stated, with_history
from routing.agreements.masks import Pair, Regions, Table, bits
from routing.agreements.matching import with_never_states
from routing.agreements.model import Agreement, Forbid, Share
from routing.agreements.state import History, State

_NOTHING: Final[frozenset[str]] = frozenset()
_NO_HISTORY: Final = History()
_NO_BLOCKS: Final = Pair(0, 0)
_NO_RULES: Final = Matched(0, 0, 0)


class Some(NamedTuple):
    """Rules that match for some recipients, as bits of members."""

    matched: Matched
    recipients: int


class Evaluated(NamedTuple):
    """What an event matches."""

    alike: Matched
    """The rules that match for every recipient that they name."""
    personal: tuple[Some, ...]
    """Rules that hang on the recipient, each with those for whom it matches."""


class Standing:
    """The rules of one origin as they stand on one day."""

    def __init__(self, compiled: Compiled, origin: str, today: date) -> None:
        self.compiled = compiled
        self.origin = origin
        self.recipients = ((1 << len(compiled.members)) - 1) & ~compiled.bits_of((origin,))
        self.day = Day(0, 0)
        self._live = 0
        for agreement in compiled.agreements_of.get(origin, ()):
            self._take(agreement, today)
        live = (bit for bit, number in enumerate(compiled.rule_of_block) if self._live >> number & 1)
        self._blocks = sum(1 << len(compiled.rules) + bit for bit in live)
        self._shares = compiled.shares & self._live
        self._protections = self._live & ~compiled.shares
        self._certain_shares = self._shares & ~compiled.doubtful_shares
        self._refer = compiled.referring & self._live
        self._never = frozenset(compiled.bundle.never_stated(origin))
        self._tables = compiled.tables_from(origin)
        self._words = self._used(WORDS)
        self._sets = self._used(SETS)
        self._category = self._tables.get("category")
        self._has = self._tables.get("has")
        self._districts = self._tables.get("district")
        self._regions = [self._tables[name] for name in ("area", "near") if name in self._tables]
        self._rules_of_blocks: dict[int, int] = {0: 0}
        self._near: dict[Nearness, Regions] = {}

    def _take(self, agreement: Agreement, today: date) -> None:
        """In force today or not: the same for all share rules of an agreement, and for all its others."""
        bundle, rules = self.compiled.bundle, self.compiled.of_agreement.get(agreement.id, 0)
        for sample, those in _samples(agreement, rules, self.compiled.shares):
            if out_of_force(bundle, agreement, sample, self.origin, today) is None:
                self._live |= those
        stopped = rules if ended(agreement, today) or suspended(bundle, agreement) else 0
        reviewed = rules if past_review(agreement, today) else 0
        self.day = Day(self.day.stopped | stopped, self.day.past_review | reviewed)

    def _used(self, names: Iterable[str]) -> list[tuple[str, Table]]:
        return [(name, self._tables[name]) for name in names if name in self._tables]

    def evaluate(self, event: Considered, state: State) -> Evaluated:
        """Which rules match, and for whom."""
        true, open_ = self._evaluate(event, state)
        compiled = self.compiled
        unless = _NO_BLOCKS
        if self._blocks:
            unless = Pair(self._any(true & self._blocks), self._any(open_ & self._blocks))
        when = Pair(true & self._live, open_ & self._live)
        found = self._matched(when, unless, actual=event.mode == "actual")
        personal = compiled.personal & when.open
        if not personal:
            return Evaluated(found, ())
        alike = Matched(*(mask & ~personal for mask in found))
        return Evaluated(alike, tuple(self._personal(personal, Pair(true, open_), event, state)))

    def _evaluate(self, event: Considered, state: State) -> tuple[int, int]:
        """The blocks that are true, and those that are not false, less what hangs on the recipient."""
        true = open_ = self._live | self._blocks
        for name, table in self._words:
            pair = table.pair(getattr(event, name))
            true &= pair.true
            open_ &= pair.open
        if self._has is not None:
            pair = self._has.pair(event.sections)
            true &= pair.true
            open_ &= pair.open
        if self._districts is not None:
            pair = self._districts.pair(event.places)
            true &= pair.true
            open_ &= pair.open
        for table in self._regions:
            pair = table.pair((event.places, event.regions))
            true &= pair.true
            open_ &= pair.open
        for pair in self._coded(event, state.history):
            true &= pair.true
            open_ &= pair.open
        return true, open_

    def _coded(self, event: Considered, history: History) -> Iterator[Pair]:
        """Categories and sets: only the ``when`` of refer, forbid and limit rules reads history."""
        if history is not _NO_HISTORY and history != _NO_HISTORY:
            yield from self._remembered(with_never_states(self.compiled.bundle, event), history)
            return
        for name, table in self._sets:
            codes = getattr(event, name)
            yield table.pair(_NOTHING if codes is None and name in self._never else codes)
        if self._category is not None:
            if event.opening_category is None and event.closing_category is None:
                yield self._category.pair((event.category, _NOTHING))
            else:
                ever = (event.category, ever_stated(history, event))
                yield self._both(self._category, (event.category, _NOTHING), ever)

    def _remembered(self, event: Considered, history: History) -> Iterator[Pair]:
        remembered = with_history(history, event)
        for name, table in self._sets:
            yield self._both(table, getattr(event, name), getattr(remembered, name))
        if self._category is not None:
            earlier = ever_stated(history, event)
            yield self._both(self._category, (event.category, _NOTHING), (event.category, earlier))

    def _both(self, table: Table, present: object, remembered: object) -> Pair:
        """What protections remember, and what all else sees."""
        now = table.pair(present)
        if remembered == present:
            return now
        ever, theirs = table.pair(remembered), self._protections
        return Pair(now.true & ~theirs | ever.true & theirs, now.open & ~theirs | ever.open & theirs)

    def _any(self, blocks: int) -> int:
        """The rules any of whose ``unless`` blocks is among these."""
        found = self._rules_of_blocks.get(blocks)
        if found is None:
            first, rule_of_block = len(self.compiled.rules), self.compiled.rule_of_block
            found = 0
            for block in bits(blocks):
                found |= 1 << rule_of_block[block - first]
            if len(self._rules_of_blocks) > 10_000:
                self._rules_of_blocks.clear()
            self._rules_of_blocks[blocks] = found
        return found

    def _matched(self, when: Pair, unless: Pair, *, actual: bool) -> Matched:
        """Doubt goes against sharing: a share needs certainty, a protection only that it may hold."""
        may_hold = when.open & ~unless.true
        unknown = (when.open & ~when.true) | (unless.open & ~unless.true)
        shares = may_hold & self._shares
        if not actual:
            shares &= ~self.compiled.actual_shares
        matching = shares & ~(unknown & self._certain_shares)
        matching |= may_hold & self._protections
        # Of rules that hang on the recipient it is not known yet whether they match.
        asking = (matching | when.open & self.compiled.personal) & self._refer
        possible = shares & ~matching if asking else 0
        return Matched(matching, unknown & matching, possible)

    # -- what hangs on the recipient

    def _personal(self, rules: int, blocks: Pair, event: Considered, state: State) -> Iterator[Some]:
        for number in bits(rules):
            each = self.compiled.rules[number]
            when, unless = self._truth_for(each, blocks, event, state)
            among = each.recipients & self.recipients
            may_hold = when.open & ~unless.true & among
            unknown = (when.open & ~when.true) | (unless.open & ~unless.true)
            yield from _for_whom(1 << number, each, may_hold, unknown, actual=self._in_earnest(number, event))

    def _in_earnest(self, number: int, event: Considered) -> bool:
        return event.mode == "actual" or not self.compiled.actual_shares >> number & 1

    def _truth_for(self, each: CompiledRule, blocks: Pair, event: Considered, state: State) -> tuple[Pair, Pair]:
        """Of the ``when`` and the ``unless``: the recipients for whom it is true, and for whom it is not false."""
        true = open_ = 0
        for block in each.unless:
            found = self._block_for(block, blocks, event, state)
            true |= found.true
            open_ |= found.open
        when = each.personal_when
        return self._block_for(when, blocks, event, state) if when else _NO_BLOCKS, Pair(true, open_)

    def _block_for(self, block: PersonalBlock, blocks: Pair, event: Considered, state: State) -> Pair:
        true = self.recipients if blocks.true >> block.bit & 1 else 0
        open_ = self.recipients if blocks.open >> block.bit & 1 else 0
        for condition in block.conditions:
            found = self._condition_for(condition, event, state)
            true &= found.true
            open_ &= found.open
        return Pair(true, open_)

    def _condition_for(self, condition: Personal, event: Considered, state: State) -> Pair:
        if isinstance(condition, Nearness):
            table = self._near.get(condition)
            if table is None:
                table = self._near[condition] = self.compiled.recipients_near(condition)
            return table.pair((event.places, event.regions))
        if condition.attribute == "addressed":
            those = self.compiled.named(event.addressees)
        else:
            those = self.compiled.named(holding.member for holding in state.holdings)
        return Pair(those, those)


def _samples(agreement: Agreement, rules: int, shares: int) -> Iterator[tuple[Share | Forbid, int]]:
    """Any share rule of the agreement and any other, for all of their kind."""
    for rule in agreement.rules:
        if isinstance(rule, Share):
            yield rule, rules & shares
            break
    yield Forbid(id="", recipients=(), sections=()), rules & ~shares


def _for_whom(rule: int, each: CompiledRule, may_hold: int, unknown: int, *, actual: bool) -> Iterator[Some]:
    """A rule as it matches with certainty, as it matches in doubt, and as it may hold and does not match."""
    is_share = isinstance(each.rule, Share)
    if is_share and not actual:
        return
    needs_certainty = isinstance(each.rule, Share) and not each.rule.on_doubt_share
    if certain := may_hold & ~unknown:
        yield Some(Matched(rule, 0, 0), certain)
    if doubtful := may_hold & unknown:
        yield Some(Matched(0, 0, rule) if needs_certainty else Matched(rule, rule, 0), doubtful)


def matched_for(found: Evaluated, number: int, standing: Standing) -> Matched:
    """The rules that match for one recipient."""
    rules = in_doubt = possible = 0
    for some in _by_recipients(found, standing):
        if some.recipients >> number & 1:
            rules |= some.matched.rules
            in_doubt |= some.matched.in_doubt
            possible |= some.matched.possible
    return Matched(rules, in_doubt, possible)


def partition(found: Evaluated, recipients: int, standing: Standing) -> list[tuple[int, Matched]]:
    """Recipients as bits, parted so that the same rules match for all of a part, and which those are."""
    parts = [(recipients, _NO_RULES)] if recipients else []
    single: dict[int, Matched] = {}
    for some in _by_recipients(found, standing):
        those = some.recipients & recipients
        if those & (those - 1) == 0:
            if those:
                single[those] = _and_also(single.get(those, _NO_RULES), some.matched)
        else:
            parts = list(_parted(parts, those, some.matched))
    return [*_without(parts, single), *_singled(parts, single)]


def _parted(parts: list[tuple[int, Matched]], those: int, matched: Matched) -> Iterator[tuple[int, Matched]]:
    for part, before in parts:
        inside = part & those
        if inside:
            yield inside, _and_also(before, matched)
        if outside := part ^ inside:
            yield outside, before


def _without(parts: list[tuple[int, Matched]], single: dict[int, Matched]) -> Iterator[tuple[int, Matched]]:
    singled = sum(single)
    return ((part & ~singled, matched) for part, matched in parts if part & ~singled)


def _singled(parts: list[tuple[int, Matched]], single: dict[int, Matched]) -> Iterator[tuple[int, Matched]]:
    """Recipients that a rule names alone: what holds for their part, and that rule."""
    for one, matched in single.items():
        yield from ((one, _and_also(before, matched)) for part, before in parts if part & one)


def _and_also(one: Matched, other: Matched) -> Matched:
    return Matched(one.rules | other.rules, one.in_doubt | other.in_doubt, one.possible | other.possible)


def _by_recipients(found: Evaluated, standing: Standing) -> Iterator[Some]:
    """The matching rules, those together that name the same recipients."""
    together: dict[int, int] = {}
    rules = standing.compiled.rules
    for number in bits(found.alike.rules | found.alike.possible):
        recipients = rules[number].recipients
        together[recipients] = together.get(recipients, 0) | 1 << number
    for recipients, those in together.items():
        yield Some(Matched(*(mask & those for mask in found.alike)), recipients)
    yield from found.personal
