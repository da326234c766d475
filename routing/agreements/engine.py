"""Decisions for every recipient of an event at once, exactly as the interpreter decides them, and fast.

For each attribute of the event the tables say which blocks of conditions it satisfies and which it leaves open; and-ing
these evaluates every rule of the bundle. Recipients for whom the same rules match form a group, and what those rules
decide is folded once and remembered by them: the mask is the explanation.

A recipient that the incident's state names is decided by itself, by the interpreter's own steps over the rules that
match; where it only holds something, that too is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

from routing.agreements.bundle import Bundle
from routing.agreements.compile import Compiled
from routing.agreements.considered import Considered, Place
from routing.agreements.decision import Decision
from routing.agreements.decision import State as PartState
from routing.agreements.evaluate import Evaluated, Evaluator
from routing.agreements.fold import Folded
from routing.agreements.force import london_day
from routing.agreements.masks import bits, remember
from routing.agreements.named import Alone, Named
from routing.agreements.parting import partition
from routing.agreements.regions import regions_of
from routing.agreements.rulebook import Rulebook
from routing.agreements.said import Said
from routing.agreements.state import FIRST_EVENT, State, is_ruled

ResultT = TypeVar("ResultT")
_HOUR: Final = timedelta(hours=1)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_ALWAYS_READ: Final = ("sections", "placed")
_NEXT_TO_NOTHING: Final = Considered(
    origin="",
    category=None,
    qualifiers=None,
    flags=None,
    caveats=None,
    handling=None,
    grade="unknown",
    status="unknown",
    kind="unknown",
    mode="actual",
    marking="unknown",
    places=(Place("incident", None, has_coordinates=True),),
    sections=frozenset(),
    addressees=frozenset(),
)


class Group:
    """Recipients for whom an event was decided alike."""

    __slots__ = ("_folded", "_members", "_part", "_placed", "_sections")

    def __init__(self, members: tuple[str, ...], part: int, folded: Folded | Alone, event: Considered) -> None:
        self._members, self._part = members, part
        self._folded = folded
        self._sections, self._placed = event.sections, event.placed

    @property
    def recipients(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return tuple([self._members[number] for number in bits(self._part)])

    @property
    def head(self) -> PartState:
        """The state of the head."""
        return self._folded.head

    @property
    def covers(self) -> tuple[str, ...]:
        """The sections granted, if the head is."""
        return self._folded.covers

    @property
    def decision(self) -> Decision:
        """The whole decision, with no recipient's name in it; equal ones of one engine are mostly one object."""
        return self._folded.decision(self._sections, self._placed)


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
        self._origins: dict[str, _Origin[ResultT]] = {}
        self._today = date.min
        self._until = self._since = _NEVER
        """The hours for which it is known that they are of this day."""

    def prepare(self, now: datetime, origins: Iterable[str] | None = None) -> None:
        """Work out beforehand how the rules of origins stand on this day; else each waits for its first event.

        Args:
            now: the time of deciding; it must know its time zone.
            origins: whose events will come; None: those of every member that any agreement is from.
        """
        regions = regions_of(self._compiled.bundle)
        for origin in self._compiled.chapters if origins is None else origins:
            self._origin(origin, now).meet(regions)

    def decide(self, event: Considered, now: datetime, state: State = FIRST_EVENT) -> ResultT:
        """What each recipient gets of one event.

        Args:
            event: what conditions may read of it.
            now: the time of deciding; it must know its time zone.
            state: what came before in this incident.
        """
        return self._origin(event.origin, now).decide(event, now, state)

    def decide_afresh(self, event: Considered, now: datetime, state: State = FIRST_EVENT) -> ResultT:
        """The same, of an event that states more than may be remembered of it."""
        return self._origin(event.origin, now).decide_afresh(event, now, state)

    def memory(self, origin: str, now: datetime) -> dict[Any, Any]:
        """Where to remember what follows from decisions for an origin, as long as its rules stand as on this day."""
        return self._origin(origin, now).memory

    def _origin(self, name: str, now: datetime) -> _Origin[ResultT]:
        if not self._since <= now < self._until:
            self._turn_to(now)
        if (origin := self._origins.get(name)) is None:
            rulebook = Rulebook(self._compiled, name, self._today)
            origin = self._origins[name] = _Origin(Evaluator(rulebook), self._finish)
        return origin

    def _turn_to(self, now: datetime) -> None:
        """Which day it is in London is the same for a whole hour: its offset from UTC is one of whole hours."""
        if (today := london_day(now)) != self._today:
            # What was remembered of another day is not asked for again.
            self._origins, self._today = {}, today
        self._since = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        self._until = self._since + _HOUR


class _Origin(Generic[ResultT]):
    """The events of one origin on one day, and what is remembered of them."""

    def __init__(self, evaluator: Evaluator, finish: Callable[[tuple[Group, ...]], ResultT]) -> None:
        self._evaluator = evaluator
        self._rulebook = evaluator.rulebook
        self._finish = finish
        self._named = Named(evaluator)
        self._read = attrgetter(*{*evaluator.reads, *_ALWAYS_READ})
        self.memory: dict[Any, Any] = {}
        """For whoever decides by this; the engine itself does not look at it."""
        self._of_shapes: dict[tuple[Any, ...], ResultT] = {}
        self._of_holders: dict[tuple[Any, ...], tuple[State, ResultT]] = {}
        self._of_masks: dict[Any, tuple[list[Alone], ResultT]] = {}
        self._folded: dict[tuple[tuple[Said, ...], bool], Folded] = {}

    def meet(self, regions: frozenset[str]) -> None:
        """Look at an event that states next to nothing: what is worked out when first needed now is."""
        event = replace(_NEXT_TO_NOTHING, origin=self._rulebook.origin, regions=regions)
        self._groups(self._evaluator.evaluate(event, FIRST_EVENT), 0, event)

    def decide(self, event: Considered, now: datetime, state: State) -> ResultT:
        if state is not FIRST_EVENT:
            return self._decide_of_known(event, now, state)
        shape = self._read(event)
        found = self._of_shapes.get(shape)
        return remember(self._of_shapes, shape, self.decide_afresh(event, now, state)) if found is None else found

    def _decide_of_known(self, event: Considered, now: datetime, state: State) -> ResultT:
        """Of an incident that is known: events alike in shape, in what was stated and in who holds what are one.

        Histories and holdings are told apart by identity, since comparing them is dear; they are kept with the key.
        """
        if event.kind == "corrected" or is_ruled(state):
            return self.decide_afresh(event, now, state)
        ages = self._named.ages(event, now, state)
        key = (self._read(event), id(state.history), id(state.holdings), state.lines, ages)
        found = self._of_holders.get(key)
        if found is None:
            found = remember(self._of_holders, key, (state, self.decide_afresh(event, now, state)))
        return found[1]

    def decide_afresh(self, event: Considered, now: datetime, state: State) -> ResultT:
        compiled = self._rulebook.compiled
        found = self._evaluator.evaluate(event, state)
        named = 0 if state is FIRST_EVENT else self._named.bits(state)
        alone = list(self._named.decide(found, event, now, state)) if named else []
        # By identity: equal decisions are one while they are remembered, and comparing them is dear.
        ids = tuple([id(each.decided) for each in alone])
        key = (found, named, event.mode == "actual", event.sections, event.placed, ids)
        kept = self._of_masks.get(key)
        if kept is None:
            groups = (
                *self._groups(found, named, event),
                *(Group(compiled.members, 1 << each.number, each, event) for each in alone),
            )
            kept = alone, self._finish(tuple(groups))
            if all(each.is_remembered for each in alone):
                remember(self._of_masks, key, kept)
        return kept[1]

    def _groups(self, found: Evaluated, named: int, event: Considered) -> list[Group]:
        """Recipients of whom the rules that match say the same, and what those decide."""
        rulebook, in_earnest = self._rulebook, event.mode == "actual"
        spoken = self._evaluator.spoken(found, in_earnest=in_earnest)
        return [
            Group(rulebook.compiled.members, recipients, self._fold(said, in_earnest=in_earnest), event)
            for recipients, said in partition(spoken, rulebook.recipients & ~named)
        ]

    def _fold(self, said: tuple[Said, ...], *, in_earnest: bool) -> Folded:
        key = (said, in_earnest)
        if (folded := self._folded.get(key)) is not None:
            return folded
        return remember(self._folded, key, Folded(self._rulebook, said, in_earnest=in_earnest))
