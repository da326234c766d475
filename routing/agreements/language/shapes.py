"""What may stand under a key: the shapes that values take, and the lists that words are of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from schemas.codes import codes
from schemas.sections import SECTIONS

MOST_TEXT: Final = 1000
"""Characters of a text."""
ID_PATTERN: Final = "[A-Za-z0-9][A-Za-z0-9._-]{0,59}"
"""Of the name of an agreement, rule, area or role."""
DAY_PATTERN: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
DIGEST_PATTERN: Final = "[0-9a-f]{64}"
DISTANCE_PATTERN: Final = "(0|[1-9][0-9]{0,5})(m|km)"

Named = Literal["members", "areas", "roles"]
"""What a bundle gives names to."""


@dataclass(frozen=True, slots=True)
class WordList:
    """The words allowed in one place."""

    name: str
    """As the reference page calls it: ``purpose``."""
    words: tuple[str, ...] = ()
    """Those that belong to the language; with ``named``, besides the bundle's names."""
    named: Named | None = None
    is_code_list: bool = False


def code_list(name: str) -> WordList:
    """The list of codes of that name."""
    return WordList(name, codes(name), is_code_list=True)


MEMBER: Final = WordList("member", named="members")
AREA: Final = WordList("area", named="areas")
ROLE: Final = WordList("role", named="roles")
SECTION: Final = WordList("section", SECTIONS)
SECTION_OR_HEAD: Final = WordList("section, or head", ("head", *SECTIONS))


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a line or more, up to `MOST_TEXT` characters."""

    refused: str = ""
    """A word that it may not be, however written."""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an agreement, a rule, a role or an area: `ID_PATTERN`."""


@dataclass(frozen=True, slots=True)
class Day:
    """2026-02-01."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of up to five digits, not beginning with 0, and a letter."""

    units: str
    """The letters that may follow the number: ``smhd``."""
    example: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A SHA-256 in 64 hexadecimal digits, in lower case."""


@dataclass(frozen=True, slots=True)
class Distance:
    """800m, 5km, 0m."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number of up to 15 digits."""


@dataclass(frozen=True, slots=True)
class Position:
    """[latitude, longitude] in degrees."""


@dataclass(frozen=True, slots=True)
class OnlyTrue:
    """The word ``true`` and no other."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """``null``: not stated."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a list."""

    of: WordList


@dataclass(frozen=True, slots=True)
class Code:
    """A code as an event may have it: ``unknown``, alone or as its last level, is one too."""

    of: WordList


@dataclass(frozen=True, slots=True)
class Listed:
    """A list."""

    of: Shape
    may_be_empty: bool = False
    may_repeat: bool = False


@dataclass(frozen=True, slots=True)
class AllOf:
    """``{all: […]}`` around a list."""

    of: Listed


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping with the keys of a structure."""

    of: Structure


@dataclass(frozen=True, slots=True)
class ByName:
    """A mapping from names to values."""

    key: WordList | Name | Text
    of: Shape
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """A single value of any kind, compared as text."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of several shapes."""

    of: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """A list of rules, each with the keys that its outcome has."""

    outcomes: tuple[str, ...]
    without: tuple[str, ...] = ()
    """Keys of rules that may not stand here."""


@dataclass(frozen=True, slots=True)
class Members:
    """The members of an exchange, with the keys of ``exchange.yaml``."""


Shape = (
    Text
    | Name
    | Day
    | Duration
    | Digest
    | Distance
    | Whole
    | Position
    | OnlyTrue
    | Nothing
    | Word
    | Code
    | Listed
    | AllOf
    | Mapping
    | ByName
    | Plain
    | OneOf
    | Rules
    | Members
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a structure."""

    name: str
    takes: Shape
    meaning: str
    """One line of Markdown, without a full stop."""
    needed: bool = False
    otherwise: str = ""
    """What holds where it is left out; empty where that goes without saying."""


@dataclass(frozen=True, slots=True)
class Structure:
    """A mapping and the keys it may have."""

    title: str
    """A heading: ``An agreement``."""
    what: str
    """As a fault calls it: ``an agreement``."""
    keys: tuple[Key, ...]
    needs_one_of: tuple[str, ...] = ()
    """At least one of these must be there."""

    @property
    def names(self) -> tuple[str, ...]:
        """The keys, in the order written here."""
        return tuple(key.name for key in self.keys)


def words(of: WordList, *, may_be_empty: bool = False) -> Listed:
    """A list of words, none twice."""
    return Listed(Word(of), may_be_empty=may_be_empty)
