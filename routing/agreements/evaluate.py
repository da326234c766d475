"""Which rules match for whom: all rules of a rulebook, evaluated together for an event."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

from routing.agreements.considered import Considered
from routing.agreements.history import ever_stated, with_history
from routing.agreements.masks import Pair, Table, bits, remember
from routing.agreements.matching import with_never_states
from routing.agreements.parting import Spoken
from routing.agreements.personal import PersonalRules
from routing.agreements.rulebook import SETS, WORDS, Rulebook
from routing.agreements.said import Audience, Matched
from routing.agreements.state import FIRST_EVENT, History, State
from routing.agreements.tables import is_light

_NOTHING: Final[frozenset[str]] = frozenset()
_NO_HISTORY: Final = FIRST_EVENT.history
_STATED_IN: Final = {name: name for name in WORDS} | {"has": "sections"}
"""Conditions that read one field of the event as it is."""


class Evaluated(NamedTuple):
    """What an event matches."""

    alike: Matched
    """The rules that match for every recipient that they name."""
    personal: tuple[Spoken, ...]
    """What rules say that hang on the recipient, each of those for whom it matches."""


class Evaluator:
    """Evaluates a rulebook for events of its origin."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self._unless = rulebook.all_blocks & ~rulebook.all_rules
        self._rules_of_unless: dict[int, int] = {0: 0}
        self._protections = rulebook.all_rules & ~rulebook.kindred.shares
        self._refer = rulebook.kindred.refers | rulebook.doubtful_forbids
        self._personal = PersonalRules(rulebook)
        self._audiences = [
            Audience(rulebook, recipients, those)
            for recipients, rules in rulebook.by_recipients.items()
            if recipients and (those := rules & ~rulebook.kindred.personal)
        ]
        self._placed: dict[Any, tuple[Pair, tuple[Pair, ...]]] = {}
        self._lay_tables(rulebook.tables)

    def _lay_tables(self, tables: dict[str, Table]) -> None:
        """The tables that are looked up by one field each, in order; and which fields are read at all."""
        never = self.rulebook.compiled.bundle.never_stated(self.rulebook.origin)
        look_up: dict[str, Callable[[Any], Pair]] = {}
        for name, table in tables.items():
            if name in _STATED_IN:
                look_up[_STATED_IN[name]] = table.__getitem__
            elif name in SETS:
                look_up[name] = _NullIsNone(table).__getitem__ if name in never else table.__getitem__
        self._look_up = tuple(look_up.items())
        self._read = _reader(tuple(look_up))
        self._look_ups = tuple(look_up.values())
        self._categories = tables.get("category")
        self._districts = tables.get("district")
        self._regions = [tables[name] for name in ("area", "near") if name in tables]
        self._reads_places = bool(self._districts is not None or self._regions or self._personal.near)

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields of an event that decide which rules match."""
        categories = ("category", "opening_category", "closing_category") if self._categories is not None else ()
        places = ("places", "regions") if self._reads_places else ()
        return ("mode", *dict(self._look_up), *categories, *places, *(("addressees",) if self._personal.rules else ()))

    def evaluate(self, event: Considered, state: State) -> Evaluated:
        """Which rules match, and for whom."""
        true = open_ = self.rulebook.all_blocks
        for look_up, value in zip(self._look_ups, self._read(event), strict=True):
            pair = look_up(value)
            true &= pair[0]
            open_ &= pair[1]
        blocks, history = Pair(true, open_), state.history
        if history is _NO_HISTORY or history == _NO_HISTORY:
            blocks = self._with_categories(blocks, event, history)
        else:
            blocks = self._of_protections(self._remembered(event, history), self._with_present_category(blocks, event))
        near: tuple[Pair, ...] = ()
        if self._reads_places:
            placed, near = self._of_places(event)
            blocks = _both(blocks, placed)
        return self._evaluated(blocks, event, state, near)

    def _with_categories(self, blocks: Pair, event: Considered, history: History) -> Pair:
        """Without a history: protections read the opening and the closing category too."""
        found = self._with_present_category(blocks, event)
        if self._categories is None or not self._protections:
            return found
        if event.opening_category is None and event.closing_category is None:
            return found
        ever = self._categories[event.category, ever_stated(history, event)]
        return self._of_protections(_both(blocks, ever), found)

    def _with_present_category(self, blocks: Pair, event: Considered) -> Pair:
        return blocks if self._categories is None else _both(blocks, self._categories[event.category, _NOTHING])

    def _of_protections(self, ever: Pair, present: Pair) -> Pair:
        """What was ever stated, of the ``when`` of protections; what is stated now, of all else."""
        theirs = self._protections
        return Pair(present.true & ~theirs | ever.true & theirs, present.open & ~theirs | ever.open & theirs)

    def _remembered(self, event: Considered, history: History) -> Pair:
        """What the ``when`` of protections reads: sets and categories with their history."""
        true = open_ = self.rulebook.all_rules
        remembered = with_history(history, with_never_states(self.rulebook.compiled.bundle, event))
        pairs = [look_up(getattr(remembered, name)) for name, look_up in self._look_up]
        if self._categories is not None:
            pairs.append(self._categories[event.category, ever_stated(history, event)])
        for pair in pairs:
            true &= pair.true
            open_ &= pair.open
        return Pair(true, open_)

    def _of_places(self, event: Considered) -> tuple[Pair, tuple[Pair, ...]]:
        """What places say of every block, and of every nearness to the recipient."""
        key = (event.places, event.regions)
        if (found := self._placed.get(key)) is not None:
            return found
        blocks = Pair(self.rulebook.all_blocks, self.rulebook.all_blocks)
        for table in self._regions:
            blocks = _both(blocks, table[key])
        if self._districts is not None:
            blocks = _both(blocks, self._districts[event.places])
        found = blocks, self._personal.nearness(event)
        return remember(self._placed, key, found) if is_light(event.places) else found

    def _evaluated(self, blocks: Pair, event: Considered, state: State, near: tuple[Pair, ...]) -> Evaluated:
        rules, personal = self.rulebook.all_rules, self._personal
        unless = Pair(self._rules_with(blocks.true & self._unless), self._rules_with(blocks.open & self._unless))
        in_earnest = event.mode == "actual"
        found = self._matched(Pair(blocks.true & rules, blocks.open & rules), unless, in_earnest=in_earnest)
        if not blocks.open & personal.rules:
            return Evaluated(found, ())
        alike = Matched(*(mask & ~personal.rules for mask in found))
        return Evaluated(alike, personal.evaluate(blocks, event, state, near, in_earnest=in_earnest))

    def _rules_with(self, blocks: int) -> int:
        """The rules any of whose ``unless`` blocks is among these."""
        if (found := self._rules_of_unless.get(blocks)) is not None:
            return found
        first, rule_of_block = len(self.rulebook.rules), self.rulebook.rule_of_block
        found = 0
        for block in bits(blocks):
            found |= 1 << rule_of_block[block - first]
        return remember(self._rules_of_unless, blocks, found)

    def _matched(self, when: Pair, unless: Pair, *, in_earnest: bool) -> Matched:
        """Doubt goes against sharing: a share needs certainty, a protection only that it may hold."""
        may_hold = when.open & ~unless.true
        unknown = (when.open & ~when.true) | (unless.open & ~unless.true)
        kindred = self.rulebook.kindred
        shares = may_hold & kindred.shares
        if not in_earnest:
            shares &= ~kindred.actual_shares
        matching = shares & ~(unknown & kindred.certain_shares) | may_hold & self._protections
        # Of rules that hang on the recipient it is not known yet whether they match.
        asking = (matching | when.open & self._personal.rules) & self._refer
        return Matched(matching, unknown & matching, shares & ~matching if asking else 0)

    def spoken(self, found: Evaluated, *, in_earnest: bool) -> list[Spoken]:
        """What the rules say that match, and of whom."""
        heard = found.alike.rules | found.alike.possible
        alike = [
            (each.recipients, each.said(found.alike, in_earnest=in_earnest))
            for each in self._audiences
            if heard & each.rules
        ]
        return [*alike, *found.personal]

    def matched_for(self, found: Evaluated, number: int) -> Matched:
        """The rules that match for the member of a number."""
        mine = self.rulebook.rules_to(number)
        rules, in_doubt, possible = (mask & mine for mask in found.alike)
        for recipients, said in found.personal:
            if recipients >> number & 1:
                rules |= said.matched.rules
                in_doubt |= said.matched.in_doubt
                possible |= said.matched.possible
        return Matched(rules, in_doubt, possible)


class _NullIsNone(dict[Any, Pair]):
    """A set that the origin never states: its null counts as empty."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, value: frozenset[str] | None) -> Pair:
        return self._table[_NOTHING if value is None else value]


def _both(one: Pair, other: Pair) -> Pair:
    return Pair(one[0] & other[0], one[1] & other[1])


def _reader(names: tuple[str, ...]) -> Callable[[Considered], tuple[Any, ...]]:
    """What reads these fields, always as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda event: tuple(getattr(event, name) for name in names)
