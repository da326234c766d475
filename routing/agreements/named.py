"""Recipients that the state of an incident names: who holds it, who is barred, about whom somebody ruled.

Each is decided by itself, by the interpreter's own steps over the rules that match. Where a recipient only holds
something, or waits for a ruling, the decision depends on little, and is remembered by that.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from routing.agreements.considered import Considered
from routing.agreements.decision import Decision
from routing.agreements.decision import State as PartState
from routing.agreements.evaluate import Evaluated, Evaluator
from routing.agreements.following import closed_at
from routing.agreements.indexed import Heard, Indexed
from routing.agreements.interpret import conclude
from routing.agreements.masks import bits, remember
from routing.agreements.matching import Match, Question
from routing.agreements.model import Share
from routing.agreements.said import Matched
from routing.agreements.state import Holding, Refusal, Ruling, State


class Alone(NamedTuple):
    """A recipient decided by itself."""

    number: int
    """Of the member."""
    decided: Decision
    """With no name in it."""
    is_remembered: bool
    """The same decision comes again as the same object."""

    @property
    def head(self) -> PartState:
        """The state of the head."""
        return self.decided.head

    @property
    def covers(self) -> tuple[str, ...]:
        """The sections granted, if the head is."""
        return self.decided.covers

    def decision(self, _sections: frozenset[str], _placed: frozenset[str]) -> Decision:
        """The decision: it was made for this event."""
        return self.decided


class Named:
    """The recipients that states name, for one origin on one day."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._rulebook = evaluator.rulebook
        self._remembered: dict[object, Decision] = {}
        self._heard: dict[Matched, Heard] = {}
        self._spans: dict[int, tuple[tuple[Holding, ...], list[timedelta]]] = {}
        """By the identity of holdings, which are kept with it."""

    def bits(self, state: State) -> int:
        """Those that a state names, as bits of members."""
        compiled = self._rulebook.compiled
        found = compiled.named(holding.member for holding in state.holdings)
        found |= compiled.named(line.recipient for line in state.lines)
        return (found | self._ruled(state)) & self._rulebook.recipients

    def _ruled(self, state: State) -> int:
        """Those about whom people ruled: of them more is to be known than what they hold and what is open."""
        found: set[str] = set(state.barred)
        rulings: tuple[Ruling | Refusal, ...] = (*state.releases, *state.discretions, *state.overrides, *state.refusals)
        for ruling in rulings:
            found |= ruling.recipients
        return self._rulebook.compiled.named(found)

    def decide(self, found: Evaluated, event: Considered, now: datetime, state: State) -> Iterator[Alone]:
        """Each recipient named."""
        ruled, compiled = self._ruled(state), self._rulebook.compiled
        for number in bits(self.bits(state)):
            member = compiled.members[number]
            matched = self._evaluator.matched_for(found, number)
            if ruled >> number & 1:
                yield Alone(number, self._afresh(matched, event, now, state, member), is_remembered=False)
            else:
                yield Alone(number, self._held(matched, event, now, state, member), is_remembered=True)

    def _held(self, matched: Matched, event: Considered, now: datetime, state: State, member: str) -> Decision:
        holding, closed = state.holding(member), closed_at(state, event, now)
        ages = None if closed is None or holding is None else self._ages(holding, now, closed)
        sections = (event.mode == "actual", event.sections, event.placed, event.kind == "corrected")
        held = (holding.parts, holding.retain_days, holding.restricted) if holding else None
        lines = tuple([line for line in state.lines if line.recipient == member])
        key = (matched, sections, held, ages, lines)
        decision = self._remembered.get(key)
        if decision is None:
            decision = self._afresh(matched, event, now, state, member)
            remember(self._remembered, key, decision)
        return decision

    def ages(self, event: Considered, now: datetime, state: State) -> int | None:
        """How many of the spans that run from the closing for any holding are over; None while the incident is open."""
        closed = closed_at(state, event, now)
        if closed is None:
            return None
        known = self._spans.get(id(state.holdings))
        if known is None:
            spans = sorted({span for holding in state.holdings for span in self._spans_of(holding)})
            known = remember(self._spans, id(state.holdings), (state.holdings, spans))
        return bisect_right(known[1], now - closed)

    def _ages(self, holding: Holding, now: datetime, closed: datetime) -> tuple[bool, ...]:
        return tuple(now < closed + span for span in self._spans_of(holding))

    def _spans_of(self, holding: Holding) -> list[timedelta]:
        """Of one holding: what follows the closing for so long, and how long it may be kept."""
        bundle = self._rulebook.compiled.bundle
        agreements = {grant.agreement for part in holding.parts for grant in part.grants}
        follow = {found.follow_hours for name in agreements if (found := bundle.agreement(name))}
        return [timedelta(hours=hours) for hours in sorted(follow | {0})] + [timedelta(days=holding.retain_days)]

    def _afresh(self, matched: Matched, event: Considered, now: datetime, state: State, member: str) -> Decision:
        question = Question(self._rulebook.compiled.bundle, event, member, now, state)
        return replace(conclude(Indexed(question, self._hear(matched))), recipient="")

    def _hear(self, matched: Matched) -> Heard:
        """The rules that match, put in order; they are the same for many events."""
        if (found := self._heard.get(matched)) is not None:
            return found
        rulebook = self._rulebook
        matches = [
            Match(each.agreement, each.rule, bool(matched.in_doubt >> at & 1), bool(rulebook.stopped >> at & 1))
            for at, each in rulebook.numbered(matched.rules)
        ]
        possible = [each.rule for _, each in rulebook.numbered(matched.possible) if isinstance(each.rule, Share)]
        return remember(self._heard, matched, Heard(matches, possible))
