"""The keys of an agreement file, and of a file of standing protections."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from routing.agreements.language.examples import EXAMPLE
from routing.agreements.language.rules import ONWARD, OUTCOMES, PATH_KEYS, TERM_KEYS
from routing.agreements.language.shapes import (
    MEMBER,
    SECTION,
    Day,
    Duration,
    Key,
    Listed,
    Mapping,
    Name,
    OneOf,
    OnlyTrue,
    Rules,
    Structure,
    Text,
    Word,
    WordList,
    words,
)

FOLLOW_UNITS: Final = "hd"
ANY: Final = WordList("any", ("any",))
_PARTIES: Final = OneOf((words(MEMBER), Word(ANY)))

SIGNATURE: Final = Structure(
    "A signature",
    "a signature",
    (
        Key("member", Word(MEMBER), "Who signs", needed=True),
        Key("name", Text(), "The person who signed", needed=True),
        Key("role", Text(), "As what", needed=True),
        Key("date", Day(), "When; it counts from that day on", needed=True),
    ),
)
DOUBT: Final = Structure("Who rules on doubt", "`doubt`", PATH_KEYS)


def _term(key: Key, *, standing: bool) -> Key:
    alone = "each share rule states its own" if key.name != "sensitive" and not standing else ""
    return replace(key, otherwise=alone)


def _file(*, standing: bool) -> tuple[Key, ...]:
    outcomes = tuple(outcome for outcome in OUTCOMES if not (standing and outcome == "share"))
    return (
        Key("agreement", Name(), "Its reference, printed on every disclosure; in the bundle once", needed=True),
        Key("title", Text(), "What people call it", needed=True),
        *(_term(key, standing=standing) for key in TERM_KEYS),
        Key("owner", Text(), "Whom to write to about it: a desk, not a person", needed=True),
        Key("breach_contact", Text(), "Whom to write to when something went wrong"),
        Key(
            "signed",
            Listed(Mapping(SIGNATURE), may_repeat=True),
            "Who has signed; share rules hold for origins that have",
            otherwise="nobody has: share rules hold for no origin",
        ),
        Key("starts", Day(), "The first day in force; days are days in Europe/London", needed=True),
        Key("review", Day(), "The day by which its owners look at it again; needed where anything is shared"),
        Key("ends", Day(), "The last day in force of its share rules", otherwise="no end"),
        Key("from", _PARTIES, "Origins; `any`: every member that publishes (and, to share, has signed)", needed=True),
        Key(
            "follow",
            Duration(FOLLOW_UNITS, "72h"),
            "How long after closing a holder still hears of changes",
            otherwise="72h",
        ),
        Key("onward", Word(ONWARD), "What a recipient may do with it onward", otherwise="forbidden"),
        Key(
            "doubt",
            Mapping(DOUBT),
            "Who rules when a forbid of this file turns on something unknown",
            otherwise="it forbids",
        ),
        Key("rules", Rules(outcomes, ("recipients",) if standing else ()), "Its rules", needed=True),
        Key(
            "examples",
            Listed(Mapping(EXAMPLE), may_repeat=True),
            "What must come out; nothing is published while one fails",
        ),
    )


SHARING_FILE: Final = Structure(
    "An agreement",
    "an agreement",
    (
        *_file(standing=False),
        Key("to", _PARTIES, "Recipients; `any`: every member that receives, the origin excepted", needed=True),
        Key(
            "share",
            words(SECTION, may_be_empty=True),
            "The ceiling: the most any rule here may grant besides the head; needed where anything is shared",
        ),
        Key(
            "transfer",
            Text(),
            "The ground in law for sending abroad; needed where a recipient of Part 3 data is abroad",
        ),
        Key(
            "standing",
            OnlyTrue(),
            "Makes it a file of standing protections, with the keys of one",
            otherwise="it is none",
        ),
    ),
)
STANDING_FILE: Final = Structure(
    "A file of standing protections",
    "a standing file",
    (
        *_file(standing=True),
        Key("standing", OnlyTrue(), "It holds towards every recipient", needed=True),
        Key("except", words(MEMBER), "Recipients that it does not hold towards", otherwise="nobody is excepted"),
    ),
)
