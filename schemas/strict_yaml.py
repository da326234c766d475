"""A YAML file that people write, as nodes that know their places, and the faults found in it.

YAML offers more than an agreement or a mapping needs, and most of it hides meaning or costs memory: anchors and
aliases, tags, several documents, keys that are not plain words, two values for one key. All of that is refused, from
the stream of parsing events, so that nothing is ever built from it. Values are taken as they are written: plain YAML
reads the code ``NO`` as false and ``012`` as ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from schemas.plain_files import read_at_most

MAX_BYTES: Final = 512 * 1024
_MAX_DEPTH: Final = 20
_MAX_FAULTS: Final = 100
_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Final[Any] = yaml.resolver.Resolver()
_UNSPEAKABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, which could speak to a terminal, and halves of characters, which cannot be written."""

_DECIMAL: Final = re.compile("-?(0|[1-9][0-9]{0,14})([.][0-9]{1,15})?")
_DECEPTIVE: Final = re.compile(
    "[\x85\u2028\u2029\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]|\r(?!\n)"
)
"""Ends of lines that editors do not show, marks that turn the direction of text, and characters without a width.

Who signs a file reads it in an editor; in a comment or beside a word these would hide what it says (Unicode TR 36).
"""

Kind = Literal["text", "integer", "truth", "null", "date", "other"]
_KINDS: Final[dict[str, Kind]] = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "integer",
    "tag:yaml.org,2002:bool": "truth",
    "tag:yaml.org,2002:null": "null",
    "tag:yaml.org,2002:timestamp": "date",
}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in a file: line and column, from 1; line 0: the file as a whole."""

    line: int
    column: int


WHOLE_FILE: Final = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as written, and what YAML takes it for."""

    place: Place
    text: str
    kind: Kind

    @property
    def value(self) -> str | bool | None:
        """Nothing for null, a truth for yes and no; all else is the text it is."""
        if self.kind == "truth":
            return self.text.lower() in ("true", "yes", "on")
        return None if self.kind == "null" else self.text


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Keys, each with its place, and what stands under them; no key twice."""

    place: Place
    entries: dict[str, tuple[Place, Node]] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """What stands under a key."""
        found = self.entries.get(key)
        return found[1] if found else None

    def items(self) -> Iterator[tuple[str, Place, Node]]:
        """Key, its place, what stands under it."""
        for key, (place, node) in self.entries.items():
            yield key, place, node


Node = Scalar | Listing | Table


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something a file is refused for, and where."""

    file: str
    line: int
    """From 1; 0 where the fault is of the file as a whole."""
    column: int
    message: str

    def __str__(self) -> str:
        where = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.file}{where}: {self.message}"


class Faults:
    """The faults of one file, noted as reading goes on."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.noted: list[Fault] = []

    def add(self, where: Node | Place, message: str) -> None:
        """Note a fault at a node or a place; after a hundred in one file no more are noted."""
        place = where if isinstance(where, Place) else where.place
        if len(self.noted) < _MAX_FAULTS:
            self.noted.append(Fault(self.file, place.line, place.column, message))

    @property
    def many(self) -> bool:
        """So many that suggestions are no longer worth their time: a hostile file must be refused quickly."""
        return len(self.noted) > _MAX_FAULTS // 4


class _Unreadable(Exception):
    """The file cannot be read further."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


def read_yaml(path: Path, faults: Faults) -> Node | None:
    """The one document of a file; None, with a fault noted, if it is none that we read."""
    try:
        return _Builder(faults).build(_events(_text(path)))
    except _Unreadable as error:
        faults.add(error.place, error.message)
    return None


def _text(path: Path) -> str:
    try:
        data = read_at_most(path, MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise _Unreadable(WHOLE_FILE, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Unreadable(
            Place(line, error.start - data.rfind(b"\n", 0, error.start)), "expected UTF-8 text"
        ) from error
    if len(data) > MAX_BYTES:
        raise _Unreadable(WHOLE_FILE, f"larger than {MAX_BYTES // 1024} KiB: split it")
    if found := _DECEPTIVE.search(text):
        place = Place(text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start()))
        code = f"U+{ord(found[0]):04X}"
        raise _Unreadable(place, f"the character {code} is not allowed: with it a file can look other than it is read")
    return text


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_PARSER)
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark) if error.problem_mark else WHOLE_FILE
        raise _Unreadable(place, f"not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise _Unreadable(WHOLE_FILE, "not YAML: it holds a character that YAML does not allow") from error


def _place(mark: Any) -> Place:  # noqa: ANN401  PyYAML has no types
    return Place(mark.line + 1, mark.column + 1)


class _Builder:
    """Nodes from events, without recursion: a hostile file must not reach the depth of the stack."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._open: list[tuple[Any, list[Node]]] = []
        self._root: Node | None = None

    def build(self, events: Iterator[Any]) -> Node:
        """The root of the one document."""
        for event in events:
            self._refuse(event)
            if isinstance(event, yaml.ScalarEvent):
                self._close(_scalar(event))
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open.append((event, []))
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(self._collection(*self._open.pop()))
        if self._root is None:
            raise _Unreadable(WHOLE_FILE, "the file is empty")
        return self._root

    def _refuse(self, event: Any) -> None:  # noqa: ANN401  PyYAML's events are untyped
        place = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Unreadable(place, "anchors and aliases are not allowed: write the value out where it holds")
        if getattr(event, "tag", None):
            raise _Unreadable(place, "tags are not allowed: write the plain value")
        if len(self._open) > _MAX_DEPTH:
            raise _Unreadable(place, f"nested deeper than {_MAX_DEPTH} levels")
        if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            raise _Unreadable(place, "a second document begins here: write one to a file")

    def _close(self, node: Node) -> None:
        if self._open:
            self._open[-1][1].append(node)
        else:
            self._root = node

    def _collection(self, start: Any, children: list[Node]) -> Node:  # noqa: ANN401
        place = _place(start.start_mark)
        if isinstance(start, yaml.SequenceStartEvent):
            return Listing(place, tuple(children))
        table = Table(place)
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise _Unreadable(key.place, "expected a word as key, got a list or a mapping")
            if key.text in table.entries:
                first = table.entries[key.text][0].line
                self._faults.add(key, f"duplicate key {quoted(key.text)}: it already stands in line {first}")
            else:
                table.entries[key.text] = (key.place, value)
        return table


def _scalar(event: Any) -> Scalar:  # noqa: ANN401
    place = _place(event.start_mark)
    if _UNSPEAKABLE.search(event.value):
        raise _Unreadable(place, "a text here holds a control character or half a character")
    if not event.implicit[0]:
        return Scalar(place, event.value, "text")
    tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False))
    return Scalar(place, event.value, _KINDS.get(tag, "other"))


def plain(node: Node) -> Any:  # noqa: ANN401  whatever the file says
    """What a node says, as JSON would have it; a number of another form than plain decimals, or a day, is its text."""
    if isinstance(node, Table):
        return {key: plain(value) for key, _, value in node.items()}
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    if node.kind in ("integer", "other") and _DECIMAL.fullmatch(node.text):
        return int(node.text) if node.kind == "integer" else float(node.text)
    return node.value


def quoted(word: str) -> str:
    """A word of a file as a message may quote it."""
    return f"`{word if len(word) <= 60 else word[:60] + '…'}`"
