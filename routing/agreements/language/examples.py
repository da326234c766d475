"""The keys of an example: what is given, and what must come out."""

from __future__ import annotations

from typing import Final

from routing.agreements.language.conditions import PLACE_KINDS
from routing.agreements.language.shapes import (
    MEMBER,
    SECTION,
    SECTION_OR_HEAD,
    ByName,
    Code,
    Day,
    Distance,
    Key,
    Listed,
    Mapping,
    Nothing,
    OneOf,
    Position,
    Shape,
    Structure,
    Text,
    Word,
    WordList,
    code_list,
    words,
)
from routing.agreements.model import FINEST_FIRST
from schemas.codes import UNKNOWN

SETS: Final = ("qualifiers", "flags", "caveats", "handling")
UNWRITTEN: Final[dict[str, str]] = {
    "grade": UNKNOWN,
    "status": "open",
    "kind": "created",
    "mode": "actual",
    "marking": "official",
}
"""What holds of an example's event where it says nothing."""
LOCATED: Final = WordList("how coarsely places are told", FINEST_FIRST)
ALL: Final = WordList("all", ("all",))
PLACE_KIND: Final = WordList("kind of location, or unknown", (*PLACE_KINDS.words, UNKNOWN))
_ALL_OR_SECTIONS: Final = OneOf((words(SECTION_OR_HEAD), Word(ALL)))


def _or_nothing(shape: Shape) -> OneOf:
    return OneOf((shape, Nothing()))


def _code(name: str) -> OneOf:
    return _or_nothing(Code(code_list(name)))


def _set(name: str) -> OneOf:
    return _or_nothing(Listed(_code(name), may_be_empty=True, may_repeat=True))


PLACE: Final = Structure(
    "A place of an example",
    "a place",
    (
        Key("kind", _or_nothing(Word(PLACE_KIND)), "The kind of location", otherwise="unknown"),
        Key("district", _or_nothing(Text()), "Its district", otherwise="not stated"),
        Key("at", Position(), "`[latitude, longitude]`", otherwise="without coordinates"),
        Key("radius", Distance(), "How far the place may be from `at`, which must stand beside it", otherwise="0m"),
    ),
)
GIVEN: Final = Structure(
    "What an example gives",
    "`given`",
    (
        Key("origin", Word(MEMBER), "Whose incident it is: one of the file's `from`", needed=True),
        Key("category", _code("category"), "The incident's category", otherwise="not stated"),
        *(Key(name, _set(name), f"Its {name}; null: not stated", otherwise="none: `[]`") for name in SETS),
        *(Key(name, _code(name), f"Its {name}", otherwise=default) for name, default in UNWRITTEN.items()),
        Key(
            "at",
            Position(),
            "`[latitude, longitude]` of one location of kind incident",
            otherwise="without coordinates",
        ),
        Key("district", Text(), "The district of that location", otherwise="not stated"),
        Key("places", Listed(Mapping(PLACE), may_repeat=True), "Other locations, or several", otherwise="none"),
        Key("sections", words(SECTION, may_be_empty=True), "Those that are not empty", otherwise="all"),
        Key("addressed", words(MEMBER, may_be_empty=True), "To whom the event is addressed", otherwise="nobody"),
        Key("on", Day(), "The day; the time is noon", otherwise="the day on which the file starts"),
    ),
)
EXPECTATION: Final = Structure(
    "What a recipient is expected to get",
    "what a recipient gets",
    (
        Key("share", words(SECTION, may_be_empty=True), "Exactly the sections covered; `[]` is the head alone"),
        Key("refer", _ALL_OR_SECTIONS, "What is referred; `all`: the head and all sections"),
        Key("forbid", _ALL_OR_SECTIONS, "What is forbidden; `all`: the head and all sections"),
        Key("withhold", Word(ALL), "`all`: nothing flows"),
        Key("locate", Word(LOCATED), "How coarsely the shared sections tell places", otherwise="exact"),
    ),
    needs_one_of=("share", "refer", "forbid", "withhold"),
)
EXAMPLE: Final = Structure(
    "An example",
    "an example",
    (
        Key("name", Text(), "What it shows", otherwise="its number"),
        Key("given", Mapping(GIVEN), "The event", needed=True),
        Key(
            "expect",
            ByName(MEMBER, Mapping(EXPECTATION)),
            "What must come out, by recipient; others are not checked",
            needed=True,
        ),
        Key("on", Day(), "The day; it may stand in `given` instead", otherwise="the day on which the file starts"),
    ),
)
