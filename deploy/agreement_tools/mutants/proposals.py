"""The examples that are missing: of a change that no example notices, one that would, as plain as can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Final

from deploy.agreement_tools.mutants.changes import Mutant
from deploy.agreement_tools.mutants.distances import remeasured
from deploy.agreement_tools.mutants.noticing import noticed_by_examples
from deploy.agreement_tools.mutants.of_conditions import districts_of
from deploy.agreement_tools.mutants.positions import position_of
from deploy.agreement_tools.mutants.telling_apart import Question
from routing.agreements.bundle import Bundle
from routing.agreements.conditions import folded
from routing.agreements.considered import Considered, Place
from routing.agreements.decision import HEAD, Decision
from routing.agreements.deliberation import PARTS
from routing.agreements.examples import Example, Expectation, Position, alone, places_told, run_examples
from routing.agreements.force import LONDON
from routing.agreements.interpret import decide
from routing.agreements.regions import regions_between
from routing.agreements.state import FIRST_EVENT
from schemas.codes import UNKNOWN
from schemas.sections import SECTIONS
from schemas.strict_yaml import Place as AtLine

_NEVER_SAID: Final = frozenset({"retain", "onward", "review", "path", "silent"})
UNSAID: Final = _NEVER_SAID | {"add-origin"}
"""Changes of what examples say nothing about: retention, onward use, review, who is asked by when, what holders hear.

And an origin more: an example's origin is one of its own file, so only standing files are held to theirs by others.
"""
_MOST_TRIED: Final = 1500
_NOON: Final = time(12)
_PLAIN: Final[dict[str, object]] = {
    "addressees": frozenset(),
    "places": (),
    "sections": frozenset(SECTIONS),
    "grade": UNKNOWN,
    "status": "open",
    "kind": "created",
    "mode": "actual",
    "marking": "official",
    "qualifiers": frozenset(),
    "flags": frozenset(),
    "caveats": frozenset(),
    "handling": frozenset(),
    "category": None,
}
"""What an example need not write."""


@dataclass(frozen=True)
class _Sketch:
    """An example to be: its event, its places on the map, for whom, on which day."""

    event: Considered
    positions: tuple[Position | None, ...]
    recipient: str


def propose(bundle: Bundle, mutant: Mutant, shown_by: Iterable[Question]) -> Example | None:
    """An example that holds and would fail after the change; None: no event among those tried makes one."""
    if mutant.operator in _NEVER_SAID:
        return None
    for _, question in zip(range(_MOST_TRIED), shown_by, strict=False):
        fresh = replace(question, state=FIRST_EVENT)
        for file in _files(bundle, mutant):
            if not _tells(bundle, mutant, file, fresh):
                continue
            for dated in (False, True):
                sketch = _sketch(question, bundle)
                example = sketch and _example(bundle, file, sketch, question, dated=dated)
                if example and _would_notice(bundle, mutant, example):
                    return _plainer(bundle, mutant, example)
    return None


def _files(bundle: Bundle, mutant: Mutant) -> list[str]:
    """In which an example could notice the change: a standing file holds beside every other."""
    own = bundle.agreement(mutant.agreement)
    others = [each.id for each in bundle.agreements if own is None or (own.standing and each is not own)]
    return [own.id, *others] if own else others


def _tells(bundle: Bundle, mutant: Mutant, file: str, question: Question) -> bool:
    """Whether the event is decided otherwise with that file and the standing ones alone."""
    before, after = bundle.agreement(file), mutant.bundle.agreement(file)
    if before is None or after is None:
        return False
    measured = remeasured(question, mutant.bundle)
    return question.put_to(alone(bundle, before)) != measured.put_to(alone(mutant.bundle, after))


def _sketch(question: Question, bundle: Bundle) -> _Sketch | None:
    """The event without what came before it, which examples cannot say."""
    event = question.event
    regions = regions_between(bundle, event.origin, question.recipient)
    written = {folded(district): district for district in districts_of(bundle)}
    places: list[Place] = []
    positions: list[Position | None] = []
    for stated in event.places:
        place = replace(stated, district=stated.district and written.get(stated.district, stated.district))
        found = position_of(place, bundle, regions) if place.has_coordinates and bundle.areas else None
        if found is None and place.has_coordinates and regions:
            return None
        places.append(found[0] if found else replace(place, has_coordinates=False))
        positions.append(found[1] if found else None)
    return _Sketch(replace(event, places=tuple(places), sequence=0), tuple(positions), question.recipient)


def _example(bundle: Bundle, file: str, sketch: _Sketch, question: Question, *, dated: bool) -> Example | None:
    agreement = bundle.agreement(file)
    if agreement is None or sketch.event.origin not in agreement.origins or sketch.recipient == sketch.event.origin:
        return None
    example = Example(
        agreement=file,
        file="",
        place=AtLine(0, 0),
        name="",
        considered=sketch.event,
        on=question.day if dated else agreement.starts,
        expectations=(Expectation(sketch.recipient),),
        positions=sketch.positions,
        dated=dated,
    )
    return _as_decided(bundle, example)


def _as_decided(bundle: Bundle, example: Example) -> Example | None:
    """The example, expecting what now comes out of it; None where an example cannot say that."""
    agreement = bundle.agreement(example.agreement)
    if agreement is None:
        return None
    (expected,) = example.expectations
    noon = datetime.combine(example.on, _NOON, LONDON)
    decision = decide(alone(bundle, agreement), example.considered, expected.recipient, noon)
    says = _expectation(decision)
    return replace(example, expectations=(says,)) if says else None


def _expectation(decision: Decision) -> Expectation | None:
    states = {HEAD: decision.head, **decision.sections}
    referred, forbidden = (
        tuple(part for part in PARTS if states[part] == state) or None for state in ("referred", "forbidden")
    )
    if decision.head != "granted":
        withheld = decision.head == "withheld"
        return Expectation(decision.recipient, refer=referred, forbid=forbidden, withhold=withheld)
    told = {decision.locate[part] for part in places_told(decision)} or {"exact"}
    if len(told) > 1:
        return None
    return Expectation(decision.recipient, decision.covers, referred, forbidden, locate=told.pop())


def _would_notice(bundle: Bundle, mutant: Mutant, example: Example) -> bool:
    holds = not any(result.failures for result in run_examples(bundle, (example,)))
    return holds and noticed_by_examples((example,), mutant)


def _plainer(bundle: Bundle, mutant: Mutant, example: Example) -> Example:
    """With everything left out that need not be written for it to notice the change."""
    for simpler in _simpler():
        tried = simpler(example)
        if tried == example:
            continue
        decided = _as_decided(bundle, tried)
        if decided and _would_notice(bundle, mutant, decided):
            example = decided
    return example


def _simpler() -> Iterator[Callable[[Example], Example]]:
    for name in _PLAIN:
        yield lambda example, name=name: _without(example, name)  # type: ignore[misc]
    for number in range(3, -1, -1):
        yield lambda example, number=number: _without_place(example, number)  # type: ignore[misc]
    for number in range(3):
        yield lambda example, number=number: _off_the_map(example, number)  # type: ignore[misc]
        yield lambda example, number=number: _at_the_scene(example, number)  # type: ignore[misc]
        yield lambda example, number=number: _in_no_district(example, number)  # type: ignore[misc]


def _without(example: Example, name: str) -> Example:
    plain = {name: _PLAIN[name]}
    changed = replace(example, considered=replace(example.considered, **plain))  # type: ignore[arg-type]
    return replace(changed, positions=()) if name == "places" else changed


def _without_place(example: Example, number: int) -> Example:
    places, at = example.considered.places, example.positions
    if number >= len(places):
        return example
    rest = replace(example.considered, places=(*places[:number], *places[number + 1 :]))
    return replace(example, considered=rest, positions=(*at[:number], *at[number + 1 :]))


def _off_the_map(example: Example, number: int) -> Example:
    """With no coordinates for a place."""
    if number >= len(example.considered.places):
        return example
    off = {"has_coordinates": False, "inside": frozenset[str](), "partly": frozenset[str]()}
    at = (*example.positions[:number], None, *example.positions[number + 1 :])
    return replace(_with_place(example, number, **off), positions=at)


def _at_the_scene(example: Example, number: int) -> Example:
    """With a place of kind incident."""
    return _with_place(example, number, kind="incident") if number < len(example.considered.places) else example


def _in_no_district(example: Example, number: int) -> Example:
    return _with_place(example, number, district=None) if number < len(example.considered.places) else example


def _with_place(example: Example, number: int, **changed: object) -> Example:
    places = list(example.considered.places)
    places[number] = replace(places[number], **changed)  # type: ignore[arg-type]
    return replace(example, considered=replace(example.considered, places=tuple(places)))
