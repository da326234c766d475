"""An example as the text that stands in an agreement's file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Final

from routing.agreements.considered import Considered, Place
from routing.agreements.deliberation import PARTS
from routing.agreements.examples import Example, Expectation, Position
from schemas.codes import UNKNOWN
from schemas.sections import SECTIONS

_SETS: Final = ("qualifiers", "flags", "caveats", "handling")
_UNWRITTEN: Final = {"grade": UNKNOWN, "status": "open", "kind": "created", "mode": "actual", "marking": "official"}
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ./_-]*")
_NAME: Final = 160
_NOT_TEXT: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def example_as_yaml(example: Example) -> str:
    """An item for the list ``examples``, in four lines at most."""
    given = [f"origin: {_text(example.considered.origin)}", *_given(example)]
    if example.dated:
        given.append(f"on: {example.on}")
    expect = ", ".join(_expected(each) for each in example.expectations)
    lines = [f"- name: {_text(name_of(example))}", f"  given: {{{', '.join(given)}}}", f"  expect: {{{expect}}}"]
    return "\n".join(lines)


def name_of(example: Example) -> str:
    """What it says, in one line."""
    (expected,) = example.expectations
    verb = "shared with"
    if expected.share is None:
        verb = "referred for" if expected.refer else "withheld from" if expected.withhold else "forbidden to"
    said = [re.sub(r"[\[\]{}]", "", each).replace(":", "") for each in _given(example)]
    on = f" on {example.on}" if example.dated else ""
    return f"{verb} {expected.recipient}{on}, {', '.join(said) or 'nothing stated'}"[:_NAME]


def _given(example: Example) -> list[str]:
    return [*_codes(example.considered), *_places(example), *_sections(example.considered)]


def _codes(event: Considered) -> Iterator[str]:
    if event.category is not None:
        yield f"category: {_text(event.category)}"
    for name, unwritten in _UNWRITTEN.items():
        if (word := getattr(event, name)) != unwritten:
            yield f"{name}: {_text(word)}"
    for name in _SETS:
        codes: frozenset[str] | None = getattr(event, name)
        if codes is None:
            yield f"{name}: null"
        elif codes:
            yield f"{name}: {_list(sorted(codes))}"


def _places(example: Example) -> Iterator[str]:
    places = example.considered.places
    positions = [*example.positions, *([None] * len(places))][: len(places)]
    if len(places) == 1 and places[0].kind == "incident":
        position, district = positions[0], places[0].district
        if (district or position) and not (position and position.radius_m):
            yield from ([f"district: {_text(district)}"] if district else [])
            yield from ([f"at: {_at(position)}"] if position else [])
            return
    if places:
        written = [_place(place, position) for place, position in zip(places, positions, strict=True)]
        yield f"places: [{', '.join(written)}]"


def _place(place: Place, position: Position | None) -> str:
    said = [f"kind: {_text(place.kind)}"] if place.kind else []
    said += [f"district: {_text(place.district)}"] if place.district else []
    if position:
        said.append(f"at: {_at(position)}")
        said += [f"radius: {position.radius_m:.0f}m"] if position.radius_m else []
    return f"{{{', '.join(said)}}}"


def _at(position: Position) -> str:
    return f"[{position.latitude}, {position.longitude}]"


def _sections(event: Considered) -> Iterator[str]:
    if event.sections != frozenset(SECTIONS):
        yield f"sections: {_list([section for section in SECTIONS if section in event.sections])}"
    if event.addressees:
        yield f"addressed: {_list(sorted(event.addressees))}"


def _expected(expected: Expectation) -> str:
    said = [] if expected.share is None else [f"share: {_list(expected.share)}"]
    for word, parts in (("refer", expected.refer), ("forbid", expected.forbid)):
        if parts:
            said.append(f"{word}: {'all' if tuple(parts) == PARTS else _list(parts)}")
    said += ["withhold: all"] if expected.withhold else []
    said += [f"locate: {expected.locate}"] if expected.locate != "exact" else []
    return f"{_text(expected.recipient)}: {{{', '.join(said)}}}"


def _list(words: Collection[str]) -> str:
    return f"[{', '.join(map(_text, words))}]"


def _text(word: str | None) -> str:
    text = word or ""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT else json.dumps(text, ensure_ascii=False)
