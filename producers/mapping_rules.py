"""Rules: what fills one field, and how an event is put together from all of them. Made by `producers.mapping_load`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from producers.mapping_targets import Path, Step
from producers.mapping_values import column_value
from schemas.codes import UNKNOWN
from schemas.errors import Rejected

Columns = Mapping[str, Any]
Read = Callable[[Columns, dt.datetime], Any]
"""From a record's columns and the present time to a field's value; None where the record does not say."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One field and what fills it.

    A constant does not make an element of its own: ``kind: incident`` stands only where the place itself is stated.
    ``only_with`` is the element that must be there; None: always.
    """

    path: Path
    read: Read
    constant: bool = False
    only_with: Path | None = None


class SectionRule(Protocol):
    """Fills a whole section."""

    @property
    def section(self) -> str:
        """Its name."""
        ...

    def elements(self, columns: Columns, now: dt.datetime) -> tuple[dict[str, Any], ...]:
        """Its elements."""
        ...


@dataclass(frozen=True, slots=True)
class EachRule:
    """A section filled from a list within the record, element by element."""

    section: str
    column: str
    rules: tuple[Rule, ...]

    def elements(self, columns: Columns, now: dt.datetime) -> tuple[dict[str, Any], ...]:
        """The elements that say anything.

        Raises:
            Rejected: no list, or no list of objects, stands in the column; or a rule does not hold.
        """
        listed = column_value(columns, self.column)
        if listed is None:
            return ()
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise Rejected("bad-list", f"column {self.column!r}: expected a list of objects")
        return tuple(element for item in listed if (element := assembled(self.rules, item, now)))


@dataclass(frozen=True, slots=True)
class LogRule:
    """Log lines from one column that holds them all, the oldest first unless told."""

    section: str
    column: str
    separator: str
    pattern: re.Pattern[str] | None
    newest_first: bool
    time: Callable[[str], dt.datetime]

    def elements(self, columns: Columns, _now: dt.datetime) -> tuple[dict[str, Any], ...]:
        """One element for each line that is not blank; a line that does not fit the pattern is kept whole, as text.

        Raises:
            Rejected: no text stands in the column, or a line's time is not one.
        """
        value = column_value(columns, self.column)
        if value is None:
            return ()
        if not isinstance(value, str):
            raise Rejected("bad-text", f"column {self.column!r}: expected text, a {type(value).__name__} came")
        lines = [line.strip() for line in value.split(self.separator) if line.strip()]
        if self.newest_first:
            lines.reverse()
        return tuple(self._line(line) for line in lines)

    def _line(self, line: str) -> dict[str, Any]:
        matched = self.pattern.fullmatch(line) if self.pattern else None
        if matched is None:
            return {"text": line}
        parts: dict[str, Any] = {name: text for name, text in matched.groupdict().items() if text}
        if "at" in parts:
            parts["at"] = self.time(parts["at"])
        return {"text": "", **parts}


def assembled(rules: Iterable[Rule], columns: Columns, now: dt.datetime) -> dict[str, Any]:
    """The fields that the rules fill, nested as the event nests them.

    Raises:
        Rejected: a rule's column does not hold what its field takes.
    """
    tree: dict[Step, Any] = {}
    constants: list[Rule] = []
    stated: set[Path] = set()
    for rule in rules:
        if rule.constant:
            constants.append(rule)
        elif (value := rule.read(columns, now)) is not None:
            _put(tree, rule.path, value)
            stated.update(rule.path[:at] for at in range(1, len(rule.path)))
    for rule in constants:
        if rule.only_with is None or rule.only_with in stated:
            _put(tree, rule.path, rule.read(columns, now))
    listed: dict[str, Any] = _with_lists(tree)
    return listed


def anchored(rules: Iterable[Rule], always: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules, each constant tied to the innermost element that some column fills too.

    Constants of the sections ``always`` stand by themselves.
    """
    rules = tuple(rules)
    filled = {rule.path[:at] for rule in rules if not rule.constant for at in range(1, len(rule.path))}
    tied = []
    for rule in rules:
        only_with: Path | None = None
        if rule.constant and rule.path[0] not in always:
            prefixes = (rule.path[:at] for at in range(len(rule.path) - 1, 0, -1))
            only_with = next((prefix for prefix in prefixes if prefix in filled), None)
        tied.append(Rule(rule.path, rule.read, rule.constant, only_with))
    return tuple(tied)


def united(parts: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """A set of codes from what several columns say.

    None where no column says anything. Where some do and some do not, the set holds ``unknown``: it may hold more.
    """
    parts = tuple(parts)
    stated = [part for part in parts if part is not None]
    if not stated:
        return None
    codes = [code for part in stated for code in part]
    return tuple(dict.fromkeys(codes if len(stated) == len(parts) else [*codes, UNKNOWN]))


def _put(tree: dict[Step, Any], path: Path, value: object) -> None:
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
    tree[path[-1]] = value


def _with_lists(tree: Any) -> Any:  # noqa: ANN401  a tree of plain data
    """Tables whose keys are numbers become lists, in the order of the numbers; points stay as they are."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(isinstance(step, int) for step in tree):
        return tuple(_with_lists(tree[step]) for step in sorted(tree))
    return {step: _with_lists(inner) for step, inner in tree.items()}
