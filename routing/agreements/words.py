"""Values out of nodes: words of a list, days, durations, texts; each fault says what is allowed.

A faulty value is noted and replaced by a harmless stand-in, so that reading goes on and all faults of a file are
found at once; a file with any fault is discarded as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Final

from routing.agreements.language.shapes import DAY_PATTERN, DISTANCE_PATTERN, ID_PATTERN, MOST_TEXT
from schemas.codes import UNKNOWN
from schemas.strict_yaml import Faults, Listing, Node, Place, Scalar, Table, quoted

NO_DAY: Final = date.min
"""The stand-in for a day that could not be read."""

_SEEN_AS: Final = {
    "integer": "a number",
    "truth": "a yes/no value",
    "null": "nothing",
    "date": "a date",
    "other": "a number",
    "text": "a text",
}
_ID: Final = re.compile(ID_PATTERN)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words allowed in one place."""

    name: str
    """With its article: ``a flag``."""
    words: Collection[str]

    def hint(self, word: str, faults: Faults) -> str:
        """The nearest words, or all of them if they are few."""
        if not self.words:
            return ": there is none"
        near = get_close_matches(word, self.words, n=3, cutoff=0.6) if len(word) <= 60 and not faults.many else []
        nearest = f"; did you mean {' or '.join(map(quoted, near))}?" if near else ""
        if near and len(self.words) > 20:
            return nearest
        shown = list(self.words) if len(self.words) <= 20 else [word for word in self.words if "/" not in word][:40]
        more = ", …" if len(shown) < len(self.words) else ""
        return f"{nearest or ';'} allowed: {', '.join(shown)}{more}"

    def word(self, node: Node, faults: Faults) -> str:
        """The word at a node; empty, with a fault noted, if it is none of these."""
        if not isinstance(node, Scalar) or node.kind != "text":
            return self._no_text(node, faults)
        word = word_of(node, self.name, faults)
        if word and word not in self.words:
            refusal = f"{UNKNOWN} is not a value: what is not known is never written" if word == UNKNOWN else ""
            faults.add(node, refusal or f"{quoted(word)} is not {self.name}{self.hint(word, faults)}")
            return ""
        return word

    def _no_text(self, node: Node, faults: Faults) -> str:
        """What YAML takes for something else, which quotes help only where it is one of the words."""
        is_one = isinstance(node, Scalar) and node.text in self.words
        help_ = f': put it in quotes, "{node.text}"' if isinstance(node, Scalar) and is_one else self.hint("", faults)
        faults.add(node, f"expected {self.name}, got {seen_as(node)}{help_}")
        return ""


def seen_as(node: Node) -> str:
    """What a node is, for a message."""
    if isinstance(node, Scalar):
        return _SEEN_AS[node.kind]
    return "a list" if isinstance(node, Listing) else "a mapping"


def text_of(node: Node, what: str, faults: Faults) -> str:
    """A text of one line or more, without surrounding space."""
    if not isinstance(node, Scalar) or node.kind != "text":
        hint = f': put it in quotes, "{node.text}"' if isinstance(node, Scalar) and node.kind != "null" else ""
        faults.add(node, f"expected {what}, got {seen_as(node)}{hint}")
        return ""
    text = node.text.strip()
    if not text or len(node.text) > MOST_TEXT:
        faults.add(node, f"expected {what}, got an empty text" if not text else f"longer than {MOST_TEXT} characters")
        return ""
    return text


def word_of(node: Node, what: str, faults: Faults) -> str:
    """A text exactly as it is written: around a word, a space would hide that it is another."""
    return node.text if text_of(node, what, faults) and isinstance(node, Scalar) else ""


def id_of(node: Node, what: str, faults: Faults) -> str:
    """The name of an agreement, rule or role."""
    text = word_of(node, what, faults)
    if text and not _ID.fullmatch(text):
        faults.add(node, f"expected {what} of letters, digits, dots and hyphens, at most 60 characters")
        return ""
    return text


def items_of(node: Node, what: str, faults: Faults) -> tuple[Node, ...]:
    """The items of a list that must not be empty."""
    if not isinstance(node, Listing):
        faults.add(node, f"expected a list, each item {what}; got {seen_as(node)}")
        return ()
    if not node.items:
        faults.add(node, f"expected {what}: an empty list could never hold")
    return node.items


def words_of(node: Node, vocabulary: Vocabulary, faults: Faults, *, may_be_empty: bool = False) -> tuple[str, ...]:
    """A list of words of a vocabulary, none twice."""
    if may_be_empty and isinstance(node, Listing) and not node.items:
        return ()
    found: list[str] = []
    for item in items_of(node, vocabulary.name, faults):
        word = vocabulary.word(item, faults)
        if word in found:
            faults.add(item, f"{quoted(word)} stands here twice")
        elif word:
            found.append(word)
    return tuple(found)


def day_of(node: Node, faults: Faults) -> date:
    """A day: 2026-02-01."""
    if isinstance(node, Scalar) and node.kind in ("date", "text") and re.fullmatch(DAY_PATTERN, node.text):
        try:
            return date.fromisoformat(node.text)
        except ValueError:
            faults.add(node, f"there is no day {node.text} in the calendar")
            return NO_DAY
    faults.add(node, "expected a day, as in 2026-02-01")
    return NO_DAY


def duration_of(node: Node, units: dict[str, int], example: str, faults: Faults) -> int:
    """A duration in the smallest of the units, which give the factor of each letter; 0 with a fault noted."""
    match = re.fullmatch("([1-9][0-9]{0,4})([a-z])", node.text) if isinstance(node, Scalar) else None
    if match and match[2] in units:
        return int(match[1]) * units[match[2]]
    faults.add(node, f"expected a duration, as in {example}")
    return 0


def distance_of(node: Node, faults: Faults) -> int:
    """A distance in metres: 5km, 800m, 0m; 0 with a fault noted."""
    if isinstance(node, Scalar) and (match := re.fullmatch(DISTANCE_PATTERN, node.text)):
        return int(match[1]) * (1000 if match[2] == "km" else 1)
    faults.add(node, "expected a distance, as in 5km, 800m, or 0m for inside")
    return 0


def true_of(node: Node, what: str, faults: Faults) -> bool:
    """The word ``true``; anything else is a fault."""
    if isinstance(node, Scalar) and node.kind == "truth" and node.text.lower() == "true":
        return True
    faults.add(node, f"`{what}` can only be true: leave it out otherwise")
    return False


class Fields:
    """The keys of one mapping. Keys that are not allowed are noted at once."""

    def __init__(self, node: Node, what: str, allowed: Sequence[str], faults: Faults) -> None:
        self.place = node.place
        self._faults = faults
        self._what = what
        self._entries: dict[str, tuple[Place, Node]] = {}
        self._is_table = isinstance(node, Table)
        if isinstance(node, Table):
            self._entries = node.entries
        else:
            keys = f" of {', '.join(allowed)}" if allowed else ""
            faults.add(node, f"expected {what}, a mapping{keys}; got {seen_as(node)}")
        for key in self._entries:
            if key not in allowed:
                self._refuse(key, Vocabulary(f"a key of {what}", allowed))

    def _refuse(self, key: str, allowed: Vocabulary) -> None:
        message = f"{quoted(key)} is not {allowed.name}{allowed.hint(key, self._faults)}"
        self._faults.add(self._entries[key][0], message)

    def get(self, key: str) -> Node | None:
        """The value of a key that may be left out."""
        found = self._entries.get(key)
        return found[1] if found else None

    def need(self, key: str, why: str = "") -> Node | None:
        """The value of a key that must be there; None, with a fault noted, where it is not."""
        if key not in self._entries and self._is_table:
            self._faults.add(self.place, f"{self._what} needs `{key}`{': ' + why if why else ''}")
        return self.get(key)

    def place_of(self, key: str) -> Place:
        """Where a key stands, or else where its mapping begins."""
        found = self._entries.get(key)
        return found[0] if found else self.place
