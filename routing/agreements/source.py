"""A policy file as nodes that know their lines, and the faults found in it.

YAML offers more than an agreement needs, and most of it hides meaning or costs memory: anchors and aliases, tags,
several documents, keys that are not plain words, two values for one key. All of that is refused, from the stream of
parsing events, so that nothing is ever built from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

MAX_BYTES: Final = 512 * 1024
_MAX_DEPTH: Final = 12
_MAX_FAULTS: Final = 100
_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Final[Any] = yaml.resolver.Resolver()
_UNSPEAKABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, which could speak to a terminal, and halves of characters, which cannot be written."""
_KINDS: Final[dict[str, Literal["text", "integer", "truth", "null", "date"]]] = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "integer",
    "tag:yaml.org,2002:bool": "truth",
    "tag:yaml.org,2002:null": "null",
    "tag:yaml.org,2002:timestamp": "date",
}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something a bundle is refused for, and where."""

    file: str
    """Relative to the bundle's directory."""
    line: int
    """From 1; 0 where the fault is of the file as a whole."""
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class Faults:
    """The faults of one file, noted as reading goes on."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.noted: list[Fault] = []

    def add(self, where: Node | int, message: str) -> None:
        """Note a fault at a node or a line; after a hundred in one file no more are noted."""
        line = where if isinstance(where, int) else where.line
        if len(self.noted) < _MAX_FAULTS:
            self.noted.append(Fault(self.file, line, message))

    @property
    def many(self) -> bool:
        """So many that suggestions are no longer worth their time: a hostile file must be refused quickly."""
        return len(self.noted) > _MAX_FAULTS // 4


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as written, and what YAML takes it for."""

    line: int
    text: str
    kind: Literal["text", "integer", "truth", "null", "date", "other"]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and their values; no key twice."""

    line: int
    entries: dict[str, Node]
    key_lines: dict[str, int]


Node = Scalar | Listing | Mapping


class _Unreadable(Exception):
    """The file cannot be read further."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read_yaml(path: Path, faults: Faults) -> Node | None:
    """The one document of a file; None, with a fault noted, if it is none that a policy may be written in."""
    try:
        return _Builder(faults).build(_events(_text(path)))
    except _Unreadable as error:
        faults.add(error.line, error.message)
    return None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise _Unreadable(0, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _Unreadable(data.count(b"\n", 0, error.start) + 1, "expected UTF-8 text") from error
    if len(data) > MAX_BYTES:
        raise _Unreadable(0, f"larger than {MAX_BYTES // 1024} KiB: split it into several agreements")
    return text


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_PARSER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _Unreadable(line, f"not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise _Unreadable(0, "not YAML: it holds a character that YAML does not allow") from error


class _Builder:
    """Nodes from events, without recursion: a hostile file must not reach the depth of the stack."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._open: list[tuple[Any, list[Node]]] = []
        self._root: Node | None = None

    def build(self, events: Iterator[Any]) -> Node:
        for event in events:
            self._refuse_cunning(event)
            if isinstance(event, yaml.ScalarEvent):
                self._close(_scalar(event))
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open.append((event, []))
            elif isinstance(event, yaml.CollectionEndEvent):
                start, children = self._open.pop()
                self._close(self._collection(start, children))
        if self._root is None:
            raise _Unreadable(0, "the file is empty")
        return self._root

    def _refuse_cunning(self, event: Any) -> None:  # noqa: ANN401  PyYAML's events are untyped
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Unreadable(line, "anchors and aliases are not allowed: write the value out where it holds")
        if getattr(event, "tag", None):
            raise _Unreadable(line, "tags are not allowed: write the plain value")
        if len(self._open) > _MAX_DEPTH:
            raise _Unreadable(line, f"nested deeper than {_MAX_DEPTH} levels")
        if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            raise _Unreadable(line, "a second document begins here: write one agreement to a file")

    def _close(self, node: Node) -> None:
        if self._open:
            self._open[-1][1].append(node)
        else:
            self._root = node

    def _collection(self, start: Any, children: list[Node]) -> Node:  # noqa: ANN401
        line = start.start_mark.line + 1
        if isinstance(start, yaml.SequenceStartEvent):
            return Listing(line, tuple(children))
        mapping = Mapping(line, {}, {})
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise _Unreadable(key.line, "expected a word as key, got a list or a mapping")
            if key.text in mapping.entries:
                first = mapping.key_lines[key.text]
                self._faults.add(key, f"duplicate key {quoted(key.text)}: it already stands in line {first}")
                continue
            mapping.entries[key.text] = value
            mapping.key_lines[key.text] = key.line
        return mapping


def _scalar(event: Any) -> Scalar:  # noqa: ANN401
    line = event.start_mark.line + 1
    if _UNSPEAKABLE.search(event.value):
        raise _Unreadable(line, "a text here holds a control character or half a character")
    if not event.implicit[0]:
        return Scalar(line, event.value, "text")
    tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False))
    return Scalar(line, event.value, _KINDS.get(tag, "other"))


def quoted(word: str) -> str:
    """A word of a policy file as a message may quote it."""
    return f"`{word if len(word) <= 60 else word[:60] + '…'}`"
