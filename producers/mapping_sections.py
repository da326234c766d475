"""Reads what fills a whole section: a list within the record, or a log in one column."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from producers.mapping_fields import FieldReader
from producers.mapping_rules import EachRule, LogRule, Rule, SectionRule, anchored
from producers.mapping_targets import NoTarget, Target, element_of, target
from producers.mapping_values import time_of
from schemas.event import LogLine
from schemas.strict_yaml import Node, Place, Scalar, Table

_LOG: Final = ("log", "separator", "pattern", "date", "zone", "newest_first")
_EACH: Final = ("each", "fields")


class SectionReader:
    """Reads sections and the fields of their elements; faults go where the field reader's go."""

    def __init__(self, reader: FieldReader) -> None:
        self._reader = reader
        self._words = reader.words
        self._faults = reader.faults

    def field(
        self, path: str, place: Place, said: Node, rules: dict[str, tuple[Place, Rule]], section: str = ""
    ) -> None:
        """Add the rule of one field of an event, or of an element of ``section``."""
        found = self._target(path, place, section)
        if found is None:
            return
        if str(found) in rules:
            self._faults.add(place, f"{found} is filled twice")
        elif (rule := self._reader.rule(found, said)) is not None:
            rules[str(found)] = (place, rule)
        else:
            rules[str(found)] = (place, Rule(found.path, lambda _columns, _now: None))

    def _target(self, path: str, place: Place, section: str) -> Target | None:
        try:
            return target(path, element_of(section), section) if section else target(path)
        except NoTarget as none:
            if none.why:
                self._faults.add(place, none.why)
            else:
                self._faults.unknown(place, "field", none.word, none.allowed)
            return None

    def section(self, section: str, node: Node) -> SectionRule | None:
        """The rule that fills a section; None where the file has faults here."""
        if isinstance(node, Table) and "each" in node.entries:
            return self._each(section, node)
        if isinstance(node, Table) and "log" in node.entries and element_of(section) is LogLine:
            return self._log(section, node)
        shapes = "{each: COLUMN, fields: {...}}" + (" or {log: COLUMN}" if element_of(section) is LogLine else "")
        self._faults.add(node.place, f"{section}: expected {shapes}; or name its elements: {section}[0].field")
        return None

    def _known_keys(self, node: Table, allowed: tuple[str, ...]) -> None:
        for key, place, _ in node.items():
            if key not in allowed:
                self._faults.unknown(place, "key", key, allowed)

    def _each(self, section: str, node: Table) -> SectionRule | None:
        self._known_keys(node, _EACH)
        column = self._reader.named(node.get("each"), section)
        fields = node.get("fields")
        if not isinstance(fields, Table):
            self._faults.add(node.place, f"{section}: expected fields: what fills each element")
            return None
        before = dict(self._reader.columns)
        rules: dict[str, tuple[Place, Rule]] = {}
        for path, place, said in fields.items():
            self.field(path, place, said, rules, section)
        # Columns of the elements are not columns of the record.
        self._reader.columns = before
        for name, needed in element_of(section).model_fields.items():
            if needed.is_required() and name not in rules and name != "entry_id":
                self._faults.add(fields.place, f"{section}: {name} is missing: without it no element can be")
        if column is None:
            return None
        return EachRule(section, column, anchored((rule for _, rule in rules.values()), ()))

    def _log(self, section: str, node: Table) -> SectionRule | None:
        self._known_keys(node, _LOG)
        column = self._reader.named(node.get("log"), section)
        pattern = self._line_pattern(section, node.get("pattern"))
        zone = self._words.zone_of(node.get("zone"))
        has_time = pattern is not None and "at" in pattern.groupindex
        if has_time and "date" not in node.entries:
            self._faults.add(node.place, f"{section}: how is `at` written? say date: '%d/%m/%Y %H:%M:%S'")
        written_as = self._words.date_format(section, node.get("date"), zone, is_day=not has_time)
        newest_first = node.get("newest_first")
        separator = self._words.text(node.get("separator"), "\n")
        if column is None:
            return None
        return LogRule(
            section,
            column,
            separator,
            pattern,
            isinstance(newest_first, Scalar) and newest_first.value is True,
            partial(_time, column=column, date_format=written_as, zone=zone),
        )

    def _line_pattern(self, section: str, node: Node | None) -> re.Pattern[str] | None:
        if node is None:
            return None
        try:
            pattern = re.compile(node.text if isinstance(node, Scalar) else "", re.DOTALL)
        except re.error as error:
            self._faults.add(node.place, f"{section}: expected a regular expression: {error}")
            return None
        allowed = {"at", "text", "author_role", "entry_id"}
        if not pattern.groupindex or "text" not in pattern.groupindex or not pattern.groupindex.keys() <= allowed:
            self._faults.add(
                node.place, f"{section}: expected named groups of {', '.join(sorted(allowed))}, text always"
            )
        return pattern


def _time(text: str, *, column: str, date_format: str, zone: ZoneInfo | None) -> datetime:
    return time_of(text, column, date_format, zone)
