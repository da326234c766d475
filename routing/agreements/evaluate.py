"""Which rules match for whom: all rules of one origin on one day, evaluated together for an event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from operator import attrgetter
from typing import Any, Final, NamedTuple

from routing.agreements.compile import SETS, WORDS, Compiled
from routing.agreements.considered import Considered
from routing.agreements.force import ended, out_of_force, past_review, suspended
from routing.agreements.history import ever_stated, with_history
from routing.agreements.masks import Pair, Table, bits, is_light, remember
from routing.agreements.matching import with_never_states
from routing.agreements.model import Agreement, Forbid, Share
from routing.agreements.personal import Matched, PersonalRules, Some
from routing.agreements.state import History, State

_NOTHING: Final[frozenset[str]] = frozenset()
_NO_HISTORY: Final = History()
_STATED_IN: Final = {name: name for name in WORDS} | {"has": "sections"}
"""Conditions that read one field of the event as it is."""


class Evaluated(NamedTuple):
    """What an event matches."""

    alike: Matched
    """The rules that match for every recipient that they name."""
    personal: tuple[Some, ...]
    """Rules that hang on the recipient, each with those for whom it matches."""


class Day(NamedTuple):
    """What the day does to rules, as masks of rules."""

    live: int
    """They apply."""
    stopped: int
    """Their agreement has ended or is suspended."""
    past_review: int


class Standing:
    """The rules of one origin as they stand on one day."""

    def __init__(self, compiled: Compiled, origin: str, today: date) -> None:
        self.compiled = compiled
        self.origin = origin
        self.recipients = ((1 << len(compiled.members)) - 1) & ~compiled.bits_of((origin,))
        self.day = _day(compiled, origin, today)
        live = self.day.live
        of_live = (bit for bit, number in enumerate(compiled.rule_of_block) if live >> number & 1)
        self._unless = sum(1 << len(compiled.rules) + bit for bit in of_live)
        self._rules_of_unless: dict[int, int] = {0: 0}
        self._shares = compiled.shares & live
        self._protections = live & ~compiled.shares
        self._certain_shares = self._shares & ~compiled.doubtful_shares
        self._refer = (compiled.refers | compiled.doubtful_forbids) & live
        self._personal = PersonalRules(compiled, live, self.recipients)
        self._tables = compiled.tables_from(origin)
        self._lay_tables()
        self._placed: dict[Any, tuple[Pair, tuple[Pair, ...]]] = {}

    def _lay_tables(self) -> None:
        """The tables that are looked up by one field each, in order; and which fields are read at all."""
        never = self.compiled.bundle.never_stated(self.origin)
        look_up: dict[str, Callable[[Any], Pair]] = {}
        for name, table in self._tables.items():
            if name in _STATED_IN:
                look_up[_STATED_IN[name]] = table.__getitem__
            elif name in SETS:
                look_up[name] = _NullIsNone(table).__getitem__ if name in never else table.__getitem__
            elif name == "category":
                look_up[name] = _OnlyPresent(table).__getitem__
        self._look_up = tuple(look_up.items())
        self._read = _reader(tuple(look_up))
        self._look_ups = tuple(look_up.values())
        self._districts = self._tables.get("district")
        self._regions = [self._tables[name] for name in ("area", "near") if name in self._tables]
        self._reads_places = bool(self._districts is not None or self._regions or self._personal.near)

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields of an event that decide which rules match."""
        categories = ("opening_category", "closing_category") if "category" in self._tables else ()
        places = ("places", "regions") if self._reads_places else ()
        return ("mode", *dict(self._look_up), *categories, *places, *(("addressees",) if self._personal.rules else ()))

    def evaluate(self, event: Considered, state: State) -> Evaluated:
        """Which rules match, and for whom."""
        true = open_ = self.day.live | self._unless
        for look_up, value in zip(self._look_ups, self._read(event), strict=True):
            pair = look_up(value)
            true &= pair[0]
            open_ &= pair[1]
        if self._protections and _remembers(event, state.history):
            theirs, ever = self._protections, self._remembered(event, state.history)
            true, open_ = true & ~theirs | ever.true & theirs, open_ & ~theirs | ever.open & theirs
        near: tuple[Pair, ...] = ()
        if self._reads_places:
            pair, near = self._of_places(event)
            true &= pair[0]
            open_ &= pair[1]
        return self._evaluated(Pair(true, open_), event, state, near)

    def _remembered(self, event: Considered, history: History) -> Pair:
        """The same with what the ``when`` of protections reads: sets and categories with their history."""
        true = open_ = self.day.live
        remembered = with_history(history, with_never_states(self.compiled.bundle, event))
        for name, look_up in self._look_up:
            if name == "category":
                pair = self._tables[name][event.category, ever_stated(history, event)]
            else:
                pair = look_up(getattr(remembered, name))
            true &= pair[0]
            open_ &= pair[1]
        return Pair(true, open_)

    def _of_places(self, event: Considered) -> tuple[Pair, tuple[Pair, ...]]:
        """What places say of every block, and of every nearness to the recipient."""
        key = (event.places, event.regions)
        if (found := self._placed.get(key)) is not None:
            return found
        true = open_ = self.day.live | self._unless
        pairs = [table[key] for table in self._regions]
        if self._districts is not None:
            pairs.append(self._districts[event.places])
        for pair in pairs:
            true &= pair.true
            open_ &= pair.open
        found = Pair(true, open_), self._personal.nearness(event)
        return remember(self._placed, key, found) if is_light(event.places) else found

    def _evaluated(self, blocks: Pair, event: Considered, state: State, near: tuple[Pair, ...]) -> Evaluated:
        live, personal = self.day.live, self._personal
        unless = Pair(self._rules_with(blocks.true & self._unless), self._rules_with(blocks.open & self._unless))
        in_earnest = event.mode == "actual"
        found = self._matched(Pair(blocks.true & live, blocks.open & live), unless, in_earnest=in_earnest)
        if not blocks.open & personal.rules:
            return Evaluated(found, ())
        alike = Matched(*(mask & ~personal.rules for mask in found))
        return Evaluated(alike, personal.evaluate(blocks, event, state, near, in_earnest=in_earnest))

    def _rules_with(self, blocks: int) -> int:
        """The rules any of whose ``unless`` blocks is among these."""
        if (found := self._rules_of_unless.get(blocks)) is not None:
            return found
        first, rule_of_block = len(self.compiled.rules), self.compiled.rule_of_block
        found = 0
        for block in bits(blocks):
            found |= 1 << rule_of_block[block - first]
        return remember(self._rules_of_unless, blocks, found)

    def _matched(self, when: Pair, unless: Pair, *, in_earnest: bool) -> Matched:
        """Doubt goes against sharing: a share needs certainty, a protection only that it may hold."""
        may_hold = when.open & ~unless.true
        unknown = (when.open & ~when.true) | (unless.open & ~unless.true)
        shares = may_hold & self._shares
        if not in_earnest:
            shares &= ~self.compiled.actual_shares
        matching = shares & ~(unknown & self._certain_shares) | may_hold & self._protections
        # Of rules that hang on the recipient it is not known yet whether they match.
        asking = (matching | when.open & self._personal.rules) & self._refer
        return Matched(matching, unknown & matching, shares & ~matching if asking else 0)


class _NullIsNone(dict[Any, Pair]):
    """A set that the origin never states: its null counts as empty."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, value: frozenset[str] | None) -> Pair:
        return self._table[_NOTHING if value is None else value]


class _OnlyPresent(dict[Any, Pair]):
    """The present category alone."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, value: str | None) -> Pair:
        return self._table[value, _NOTHING]


def _reader(names: tuple[str, ...]) -> Callable[[Considered], tuple[Any, ...]]:
    """What reads these fields, always as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda event: tuple(getattr(event, name) for name in names)


def _remembers(event: Considered, history: History) -> bool:
    """Whether protections may read anything that the present event does not state."""
    if event.opening_category is not None or event.closing_category is not None:
        return True
    return history is not _NO_HISTORY and history != _NO_HISTORY


def _day(compiled: Compiled, origin: str, today: date) -> Day:
    """In force today or not: the same for all share rules of an agreement, and for all its others."""
    bundle = compiled.bundle
    live = stopped = reviewed = 0
    for agreement in compiled.agreements_of.get(origin, ()):
        rules = compiled.of_agreement.get(agreement.id, 0)
        for sample, those in _samples(agreement, rules, compiled.shares):
            if out_of_force(bundle, agreement, sample, origin, today) is None:
                live |= those
        stopped |= rules if ended(agreement, today) or suspended(bundle, agreement) else 0
        reviewed |= rules if past_review(agreement, today) else 0
    return Day(live, stopped, reviewed)


def _samples(agreement: Agreement, rules: int, shares: int) -> Iterator[tuple[Share | Forbid, int]]:
    """Any share rule of the agreement and any other, each for all of their kind."""
    share = next((rule for rule in agreement.rules if isinstance(rule, Share)), None)
    if share is not None:
        yield share, rules & shares
    yield Forbid(id="", recipients=(), sections=()), rules & ~shares
