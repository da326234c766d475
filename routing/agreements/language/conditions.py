"""The keys of a block of conditions: of `when`, and of each block of `unless`."""

from __future__ import annotations

from typing import Final

from routing.agreements.language.shapes import (
    AREA,
    SECTION,
    AllOf,
    Distance,
    Key,
    Listed,
    Mapping,
    OneOf,
    OnlyTrue,
    Shape,
    Structure,
    Text,
    Word,
    WordList,
    code_list,
    words,
)

NEAR_MEMBER: Final = WordList("member, recipient or origin", ("recipient", "origin"), named="members")
PLACE_KINDS: Final = code_list("location-kind")

NEAR: Final = Structure(
    "What a place is near to",
    "`near`",
    (
        Key(
            "member",
            Word(NEAR_MEMBER),
            "Whose area; `recipient` and `origin` stand for those of the event",
            needed=True,
        ),
        Key("within", Distance(), "How far from that area at most; `0m` is inside it", needed=True),
    ),
)


def _codes(name: str) -> Listed:
    return words(code_list(name))


def _set(name: str) -> OneOf:
    return OneOf((_codes(name), AllOf(_codes(name))))


def _of_places(name: str, takes: Shape, meaning: str) -> Key:
    return Key(name, takes, f"{meaning}; unknown if a place is partly so or cannot be told, or there is none")


_BENEATH: Final = "a code stands for those beneath it"

BLOCK: Final = Structure(
    "Conditions",
    "a block of conditions",
    (
        Key("category", _codes("category"), f"The incident's category is one of these; {_BENEATH}"),
        Key("qualifiers", _set("qualifiers"), f"What it is, besides its category; {_BENEATH}"),
        Key("flags", _set("flags"), "Who is at risk"),
        Key("caveats", _set("caveats"), "What the origin must heed; caveats stay with the origin"),
        Key("handling", _set("handling"), "How a receiver must handle it; these always travel"),
        Key("grade", _codes("grade"), "How urgent it is"),
        Key("status", _codes("status"), "How far it has got"),
        Key("kind", _codes("kind"), "What the event tells of the incident"),
        Key("mode", _codes("mode"), "Whether it is real; a share rule that does not name it wants `actual`"),
        Key("marking", _codes("marking"), "Its protective marking"),
        _of_places("area", words(AREA), "A place lies wholly in one of the areas, the border included"),
        _of_places("near", Mapping(NEAR), "A place lies wholly within that distance of a member's area"),
        _of_places("district", Listed(Text(refused="unknown"), may_repeat=True), "A place's district is one of these"),
        Key("has", OneOf((words(SECTION), AllOf(words(SECTION)))), "A listed section is not empty; never unknown"),
        Key("holder", OnlyTrue(), "The recipient already holds the incident; never unknown"),
        Key("addressed", OnlyTrue(), "The event is addressed to the recipient; never unknown"),
        Key(
            "place",
            words(PLACE_KINDS),
            "Which kinds of location `area`, `near` and `district` beside it look at",
            otherwise="incident, current-position, last-seen, release-address",
        ),
    ),
)
OF_PLACES: Final = ("area", "near", "district")
"""The conditions that `place` may stand beside."""
TAKE_ALL: Final = tuple(
    key.name for key in BLOCK.keys if isinstance(key.takes, OneOf) and any(isinstance(s, AllOf) for s in key.takes.of)
)
"""The conditions in which `all` may stand."""
