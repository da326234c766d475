"""One event varied: every attribute by itself, through all that it can be."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, Final

from deploy.agreement_tools.analysis.space import SETS, WORDS
from routing.agreements.considered import Considered, Place
from routing.agreements.regions import wider
from routing.agreements.state import HeldPart, Holding, State
from schemas.codes import UNKNOWN, codes
from schemas.sections import SECTIONS

_Varied = tuple[Considered, State]
_PLACED: Final = frozenset({"area", "near", "district"})
_ELSEWHERE: Final = "elsewhere"


def varied(
    event: Considered, state: State, recipient: str, attribute: str, districts: Collection[str]
) -> Iterator[_Varied]:
    """Every event that differs in one attribute, and could come; what came before may differ instead."""
    if attribute in (*SETS, "category"):
        given = _sets(event, attribute) if attribute in SETS else _categories(event)
        yield from ((possible(each), state) for each in given)
        yield from ((event, each) for each in _remembered(state, attribute, codes(attribute)))
    elif attribute in WORDS:
        changed: list[dict[str, Any]] = [{attribute: word} for word in (*codes(attribute), UNKNOWN)]
        yield from ((replace(event, **each), state) for each in changed)
    elif attribute == "has":
        yield from ((possible(each), state) for each in _sections(event))
    elif attribute in _PLACED:
        yield from ((each, state) for each in _places(event, districts))
    elif attribute == "addressed":
        yield replace(event, addressees=frozenset() if event.addressees else frozenset({recipient})), state
    else:
        held = Holding(recipient, (HeldPart("head", ()),))
        yield event, replace(state, holdings=() if state.holdings else (held,))


def possible(event: Considered) -> Considered:
    """The event as it could come: without a classification there is a first level at most, and no qualifier or flag."""
    if "classification" not in event.sections:
        category = event.category.split("/")[0] if event.category else None
        event = replace(event, category=category, qualifiers=None, flags=None)
    return event if "locations" in event.sections else replace(event, places=())


def _categories(event: Considered) -> Iterator[Considered]:
    yield from (replace(event, category=code) for code in (*codes("category"), UNKNOWN, None))


def _sets(event: Considered, name: str) -> Iterator[Considered]:
    now: frozenset[str] = getattr(event, name) or frozenset()
    given: list[frozenset[str] | None] = [None, frozenset(), frozenset({UNKNOWN}), now | {UNKNOWN}]
    given += [now - {code} for code in sorted(now)]
    for code in codes(name):
        given += [frozenset({code}), now | {code}]
    changed: list[dict[str, Any]] = [{name: each} for each in given]
    yield from (replace(event, sections=event.sections | {"classification"}, **each) for each in changed)


def _remembered(state: State, name: str, listed: Collection[str]) -> Iterator[State]:
    """Something stated earlier, or nothing."""
    for earlier in (frozenset[str](), *(frozenset({code}) for code in listed)):
        changed: dict[str, Any] = {name: earlier}
        yield replace(state, history=replace(state.history, **changed))


def _sections(event: Considered) -> Iterator[Considered]:
    now = event.sections
    yield from (replace(event, sections=each) for each in (frozenset[str](), frozenset(SECTIONS)))
    for section in SECTIONS:
        yield replace(event, sections=now ^ {section})
        yield replace(event, sections=frozenset({section}))


def _places(event: Considered, districts: Collection[str]) -> Iterator[Considered]:
    """Each place changed in one way; a place more; none."""
    filled = event.sections | {"locations"}
    yield replace(event, places=())
    fresh = Place("incident", None, has_coordinates=True)
    for each in _otherwise(fresh, event, districts):
        yield replace(event, places=(*event.places, each), sections=filled)
        yield replace(event, places=(each,), sections=filled)
    for number, place in enumerate(event.places):
        for each in _otherwise(place, event, districts):
            yield replace(event, places=(*event.places[:number], each, *event.places[number + 1 :]), sections=filled)


def _otherwise(place: Place, event: Considered, districts: Collection[str]) -> Iterator[Place]:
    yield from (replace(place, kind=kind) for kind in (*codes("location-kind"), UNKNOWN, None))
    yield from (replace(place, district=district) for district in (*districts, _ELSEWHERE, None))
    yield replace(place, has_coordinates=False, inside=frozenset(), partly=frozenset())
    for region in sorted(event.regions):
        further = frozenset({region, *wider(region, event.regions)})
        nearer = frozenset({region, *(each for each in event.regions if region in wider(each, event.regions))})
        ways = [
            (place.inside | further, place.partly - further),
            (place.inside - nearer, place.partly - nearer | {region} | (further - place.inside)),
            (place.inside - nearer, place.partly - nearer),
            (further, frozenset[str]()),
        ]
        yield from (replace(place, has_coordinates=True, inside=inside, partly=partly) for inside, partly in ways)
