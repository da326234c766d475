"""Decisions for every recipient of an event at once, exactly as the interpreter decides them, and fast.

For each attribute of the event the tables say which blocks of conditions it satisfies and which it leaves open; and-ing
these evaluates every rule of the bundle. Recipients for whom the same rules match form a group, and what those rules
decide is folded once and remembered by them: the mask is the explanation.

A recipient that the incident's state names is decided by itself, by the interpreter's own steps over the rules that
match; where it only holds something, that too is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final, Generic, NamedTuple, TypeVar

from routing.agreements.bundle import Bundle
from routing.agreements.compile import Compiled
from routing.agreements.considered import Considered
from routing.agreements.decision import Decision
from routing.agreements.evaluate import Evaluated, Standing, partition
from routing.agreements.fold import Folded, Matched, fold
from routing.agreements.force import london_day
from routing.agreements.masks import bits
from routing.agreements.named import Named
from routing.agreements.state import FIRST_EVENT, State

REMEMBERED_MOST: Final = 8_192
"""Of each kind of memory, for one origin on one day; then all of it is forgotten and worked out again."""

ResultT = TypeVar("ResultT")


class Group(NamedTuple):
    """Recipients for whom an event was decided alike."""

    recipients: tuple[str, ...]
    """Sorted."""
    decision: Decision
    """With no recipient's name in it."""


class Engine(Generic[ResultT]):
    """Decides under one bundle. Not for threads: what it remembers is shared by its calls."""

    def __init__(self, bundle: Bundle, finish: Callable[[tuple[Group, ...]], ResultT]) -> None:
        """Compile.

        Args:
            bundle: what decisions depend on.
            finish: what to make of decisions; pure, since events that are decided alike get the same result.
        """
        self._compiled = Compiled(bundle)
        self._finish = finish
        self._origins: dict[tuple[str, date], _Origin[ResultT]] = {}

    def decide(self, event: Considered, now: datetime, state: State = FIRST_EVENT) -> ResultT:
        """What each recipient gets of one event.

        Args:
            event: what conditions may read of it.
            now: the time of deciding; it must know its time zone.
            state: what came before in this incident.
        """
        key = (event.origin, london_day(now))
        origin = self._origins.get(key)
        if origin is None:
            # A new day: what was remembered of other days is not asked for again.
            self._origins = {each: kept for each, kept in self._origins.items() if each[1] == key[1]}
            origin = self._origins[key] = _Origin(Standing(self._compiled, *key), self._finish)
        return origin.decide(event, now, state)


class _Origin(Generic[ResultT]):
    """The events of one origin on one day, and what is remembered of them."""

    def __init__(self, standing: Standing, finish: Callable[[tuple[Group, ...]], ResultT]) -> None:
        self._standing = standing
        self._finish = finish
        self._named = Named(standing)
        self._results: dict[object, tuple[tuple[Group, ...], ResultT]] = {}
        self._folded: dict[tuple[Matched, bool], Folded] = {}
        self._members: dict[int, tuple[str, ...]] = {}

    def decide(self, event: Considered, now: datetime, state: State) -> ResultT:
        found = self._standing.evaluate(event, state)
        named = self._named.bits(state) if state is not FIRST_EVENT else 0
        in_earnest = event.mode == "actual"
        alone = list(self._named.decide(found, event, now, state)) if named else []
        # By identity: equal decisions are one while they are remembered, and comparing them is dear.
        ids = tuple([id(each.decision) for each in alone])
        key = (found, named, in_earnest, event.sections, event.placed, ids)
        remembered = self._results.get(key)
        if remembered is None:
            groups = (*self._groups(found, named, event), *(Group((each.member,), each.decision) for each in alone))
            remembered = groups, self._finish(groups)
            if all(each.is_remembered for each in alone):
                if len(self._results) >= REMEMBERED_MOST:
                    self._results.clear()
                self._results[key] = remembered
        return remembered[1]

    def _groups(self, found: Evaluated, named: int, event: Considered) -> list[Group]:
        """Recipients for whom the same rules match, and what those decide."""
        rest = self._standing.recipients & ~named
        return [
            Group(self._names(those), self._fold(matched, event).decision(event.sections, event.placed))
            for those, matched in partition(found, rest, self._standing)
        ]

    def _fold(self, matched: Matched, event: Considered) -> Folded:
        key = (matched, event.mode == "actual")
        folded = self._folded.get(key)
        if folded is None:
            folded = fold(self._standing.compiled.rules, matched, self._standing.day, in_earnest=key[1])
            if len(self._folded) >= REMEMBERED_MOST:
                self._folded.clear()
            self._folded[key] = folded
        return folded

    def _names(self, those: int) -> tuple[str, ...]:
        found = self._members.get(those)
        if found is None:
            members = self._standing.compiled.members
            found = tuple(members[number] for number in bits(those))
            if len(self._members) >= REMEMBERED_MOST:
                self._members.clear()
            self._members[those] = found
        return found
