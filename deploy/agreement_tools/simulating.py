"""Recorded events decided again under another bundle: who would have received what, against what they did.

From the ledger alone: what was considered holds every attribute a condition can read, so no event is needed. Where the
new bundle looks at a region that the recorded one did not have, every way in which the event's places could lie to it
is tried; if they do not all come to the same, the decision cannot be told, and is counted apart.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from consumers.ledger_queries import Recorded
from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered, Place, considered_from_dict
from routing.agreements.decision import HEAD
from routing.agreements.engine import Engine, Group
from routing.agreements.force import LONDON
from routing.agreements.regions import regions_between, regions_of
from routing.agreements.state import FIRST_EVENT, State, state_from_dict

CHANGES: Final = ("gained", "lost", "referred")
_NOON: Final = time(12)
_MOST_WAYS: Final = 243
_EXAMPLES: Final = 3
_REMEMBERED: Final = 100_000


class Given(NamedTuple):
    """What becomes of an event for one recipient: the head and the sections by name."""

    granted: frozenset[str]
    referred: frozenset[str]


_NOTHING: Final = Given(frozenset(), frozenset())
_Answers = Mapping[str, Given] | Mapping[str, Given | None]
"""By recipient; None where it cannot be told."""


@dataclass
class Tally:
    """What would become of one recipient's decisions."""

    decisions: int = 0
    cannot_be_told: int = 0
    events: Counter[str] = field(default_factory=Counter)
    """Events of which anything is gained, lost or newly referred."""
    parts: dict[str, Counter[str]] = field(default_factory=lambda: {change: Counter() for change in CHANGES})
    """The same for each part: ``head`` and sections."""
    examples: dict[str, list[str]] = field(default_factory=lambda: {change: [] for change in CHANGES})
    """The first events of each kind, by event_id."""

    def add(self, event_id: str, before: Given, after: Given) -> None:
        """Count one decision."""
        changes = {
            "gained": after.granted - before.granted,
            "lost": before.granted - after.granted,
            "referred": after.referred - before.referred,
        }
        for change, parts in changes.items():
            if parts:
                self.events[change] += 1
                self.parts[change].update(parts)
                if len(self.examples[change]) < _EXAMPLES:
                    self.examples[change].append(event_id)


class Simulation:
    """A bundle as in force on one day, asked about recorded events."""

    def __init__(self, bundle: Bundle, day: date) -> None:
        self._bundle = bundle
        self._noon = datetime.combine(day, _NOON, LONDON)
        self._regions = regions_of(bundle)
        self._engine: Engine[dict[str, Given]] = Engine(bundle, _answers)
        self._decided_again = lru_cache(maxsize=_REMEMBERED)(self._decide)
        self.tallies: dict[str, Tally] = {}
        """By recipient."""

    def run(self, recorded: Iterable[Recorded], told: Callable[[int], None] = lambda _done: None) -> None:
        """Decide each again, and count; ``told`` hears how many are done, now and then."""
        done = 0
        for one in recorded:
            tally = self.tallies.setdefault(one.member, Tally())
            tally.decisions += 1
            after = self._decided_again(one.origin, one.considered, self._before(one)).get(one.member, _NOTHING)
            if after is None:
                tally.cannot_be_told += 1
            elif (before := _recorded(one.head, one.sections)) != after:
                tally.add(one.event_id, before, after)
            done += 1
            if done % 1000 == 0:
                told(done)
        told(done)

    def _before(self, one: Recorded) -> State:
        """What came before the event, as if it had come on that day: as long before it as it was."""
        if one.state is None:
            return FIRST_EVENT
        state, later = state_from_dict(json.loads(one.state)), self._noon - datetime.fromisoformat(one.decided_at)
        moved = {name: at + later for name in ("closed_at", "last_event_at") if (at := getattr(state, name))}
        return replace(state, **moved)

    def _decide(self, origin: str, considered: str, before: State) -> _Answers:
        event = considered_from_dict({"origin": origin, "sequence": 0, **json.loads(considered)})
        if origin not in (member.id for member in self._bundle.members):
            return {}
        answers = self._engine.decide(event, self._noon, before)
        if not self._regions - event.regions or not any(place.has_coordinates for place in event.places):
            return answers
        found: dict[str, Given | None] = dict(answers)
        for unknown, those in self._turning_on(event, answers).items():
            certain = self._if_certain(event, unknown, before)
            found.update((recipient, certain(recipient)) for recipient in those)
        return found

    def _turning_on(self, event: Considered, recipients: Iterable[str]) -> Mapping[tuple[str, ...], list[str]]:
        """The regions that were not measured and that rules towards these recipients look at: for whom which."""
        turning: dict[tuple[str, ...], list[str]] = {}
        for recipient in recipients:
            if unknown := regions_between(self._bundle, event.origin, recipient) - event.regions:
                turning.setdefault(tuple(sorted(unknown)), []).append(recipient)
        return turning

    def _if_certain(self, event: Considered, unknown: tuple[str, ...], before: State) -> Callable[[str], Given | None]:
        """What comes out for a recipient, if it is the same however the places lie to the unknown regions."""
        placed = [number for number, place in enumerate(event.places) if place.has_coordinates]
        slots = list(product(placed, unknown))
        if 3 ** len(slots) > _MOST_WAYS:
            return lambda _recipient: None
        ways = product(("inside", "partly", "out"), repeat=len(slots))
        lying = [_lying(event, unknown, dict(zip(slots, way, strict=True))) for way in ways]
        answers = [self._engine.decide(each, self._noon, before) for each in lying]

        def certain(recipient: str) -> Given | None:
            found = {each[recipient] for each in answers}
            return found.pop() if len(found) == 1 else None

        return certain


def _lying(event: Considered, unknown: Iterable[str], way: Mapping[tuple[int, str], str]) -> Considered:
    """The event as if its places lay so to the unknown regions."""

    def place(number: int, stated: Place) -> Place:
        lies = {how: {region for (at, region), is_so in way.items() if at == number and is_so == how} for how in _HOW}
        return replace(stated, inside=stated.inside | lies["inside"], partly=stated.partly | lies["partly"])

    places = tuple(place(number, stated) for number, stated in enumerate(event.places))
    return replace(event, places=places, regions=event.regions.union(unknown))


_HOW: Final = ("inside", "partly")


def _answers(groups: tuple[Group, ...]) -> dict[str, Given]:
    """By recipient."""
    found: dict[str, Given] = {}
    for group in groups:
        decision = group.decision
        found.update(dict.fromkeys(group.recipients, _given({HEAD: decision.head, **decision.sections})))
    return found


@lru_cache(maxsize=10_000)
def _recorded(head: str, sections: str) -> Given:
    return _given({HEAD: head, **json.loads(sections)})


def _given(states: Mapping[str, str]) -> Given:
    return Given(
        frozenset(part for part, state in states.items() if state == "granted"),
        frozenset(part for part, state in states.items() if state == "referred"),
    )
