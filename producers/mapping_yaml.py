"""A mapping file as a tree that remembers where everything stands, and the faults found in it.

Keys and codes are taken as they are written: plain YAML reads the code ``NO`` as false and ``012`` as ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import Rejected

_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file: line and column, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value: as written, and as YAML understands it."""

    place: Place
    text: str
    value: Any


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Keys, each with its place, and what stands under them."""

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


class Faults:
    """Everything that is wrong with one file, reported together."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[tuple[int, int, str]] = []

    def add(self, place: Place, message: str) -> None:
        """Note a fault."""
        self._found.append((place.line, place.column, message))

    def unknown(self, place: Place, what: str, word: str, allowed: Iterable[str]) -> None:
        """Note a word that is not allowed here: what is, and which of it is nearest."""
        self.add(place, f"{what} {word!r} is not known here: {expected(word, allowed)}")

    def refuse_any(self) -> None:
        """Raise what was found, in the order of the file.

        Raises:
            Rejected: anything was.
        """
        if self._found:
            lines = [f"{self._path}:{line}:{column}: {message}" for line, column, message in sorted(set(self._found))]
            raise Rejected("bad-mapping", "\n".join(lines), remedy="docs/mapping.md describes a mapping file")


def expected(word: str, allowed: Iterable[str], most: int = 30) -> str:
    """``did you mean 'column'? expected one of codes, column, ...``."""
    words = sorted(set(allowed))
    close = get_close_matches(word, words, 1) or [w for w in words if w.endswith("/" + word)][:1]
    hint = f"did you mean {close[0]!r}? " if close else ""
    listed = ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")
    return f"{hint}expected one of {listed}"


def read_yaml(path: Path, text: str, faults: Faults) -> Node:
    """The file as a tree.

    Raises:
        Rejected: it is not YAML.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise Rejected("bad-mapping", f"{path}{where}: expected YAML: {problem}") from None
    if root is None:
        raise Rejected("bad-mapping", f"{path}: the file is empty; docs/mapping.md shows one to start from")
    return _tree(root, faults, 0)


def _tree(node: yaml.Node, faults: Faults, depth: int) -> Node:
    place = Place(node.start_mark.line + 1, node.start_mark.column + 1)
    if depth > _DEEPEST:
        faults.add(place, f"nested more than {_DEEPEST} deep")
        return Table(place)
    if isinstance(node, yaml.MappingNode):
        return _table(node, place, faults, depth)
    if isinstance(node, yaml.SequenceNode):
        return Listing(place, tuple(_tree(item, faults, depth + 1) for item in node.value))
    return Scalar(place, node.value, _understood(node))


def _table(node: yaml.MappingNode, place: Place, faults: Faults, depth: int) -> Table:
    table = Table(place)
    for key, value in node.value:
        at = Place(key.start_mark.line + 1, key.start_mark.column + 1)
        if not isinstance(key, yaml.ScalarNode):
            faults.add(at, "expected a word as key")
        elif key.value in table.entries:
            faults.add(at, f"{key.value!r} stands twice: the first is on line {table.entries[key.value][0].line}")
        else:
            table.entries[key.value] = (at, _tree(value, faults, depth + 1))
    return table


def _understood(node: yaml.Node) -> Any:  # noqa: ANN401  any YAML value
    """A scalar's value. Only what can be a code, a text or a yes is understood; a date stays the text it is."""
    construct: dict[str, Callable[[str], Any]] = {
        "tag:yaml.org,2002:null": lambda _: None,
        "tag:yaml.org,2002:bool": lambda text: text.lower() in ("true", "yes", "on"),
    }
    return construct.get(node.tag, str)(node.value)
