"""Reads what a mapping file says about one field, and makes the rule that fills it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from producers.mapping_faults import MappingFaults
from producers.mapping_rules import Columns, Read, Rule, united
from producers.mapping_targets import Takes, Target
from producers.mapping_values import NO_DEFAULT, as_text, check_code, column_value, converter, point
from producers.mapping_words import SEVERAL, Words
from schemas.codes import UNKNOWN
from schemas.errors import Rejected
from schemas.strict_yaml import Listing, Node, Scalar, Table

_FROM: Final = ("column", "columns", "constant", "now", "latitude")
_KEYS: Final = (*_FROM, "longitude", "join", "codes", "default", "split", "date", "zone", "match")


@dataclass
class FieldReader:
    """Reads fields; collects the names of the columns that are used."""

    words: Words
    columns: dict[str, Node] = field(default_factory=dict)

    @property
    def faults(self) -> MappingFaults:
        """What is wrong with the file."""
        return self.words.faults

    def rule(self, target: Target, node: Node) -> Rule | None:
        """The rule that fills a field; None where the file has faults here, which are noted."""
        if isinstance(node, Listing):
            return self._union(target, node)
        if isinstance(node, Scalar):
            node = Table(node.place, {"column": (node.place, node)})
        if not self._keys_fit(target, node):
            return None
        if "constant" in node.entries:
            return self._constant(target, node.entries["constant"][1])
        if "now" in node.entries:
            return self._now(target, node)
        if "latitude" in node.entries:
            return self._point(target, node)
        return self._from_columns(target, node)

    def named(self, node: Node | None, what: str) -> str | None:
        """A column's name, noted as used; None (and a fault) if it is none."""
        if not isinstance(node, Scalar) or node.value is None or not node.text.strip():
            if node is not None:
                self.faults.add(node.place, f"expected the name of a column for {what}")
            return None
        self.columns.setdefault(node.text, node)
        return node.text

    def _keys_fit(self, target: Target, node: Table) -> bool:
        for key, place, _ in node.items():
            if key not in _KEYS:
                self.faults.unknown(place, "key", key, _KEYS)
                return False
        given = [key for key in _FROM if key in node.entries]
        if len(given) != 1:
            self.faults.add(node.place, f"{target}: expected exactly one of column, columns, constant, now, latitude")
            return False
        if (target.takes is Takes.POINT) != ("latitude" in node.entries):
            self.faults.add(node.place, f"{target}: takes {target.takes.value}")
            return False
        for key, fits in (("split", target.takes in SEVERAL), ("date", target.takes in (Takes.TIME, Takes.DATE))):
            if key in node.entries and not fits:
                self.faults.add(node.entries[key][0], f"{target}: takes {target.takes.value}, `{key}` is not for it")
                return False
        return True

    def _union(self, target: Target, node: Listing) -> Rule | None:
        if target.takes not in SEVERAL:
            self.faults.add(node.place, f"{target}: takes {target.takes.value}: one source, not a list of them")
            return None
        rules = [self.rule(target, item) for item in node.items]
        if not rules or any(rule is None or rule.constant for rule in rules):
            if not rules or all(rules):
                self.faults.add(node.place, f"{target}: expected a list of columns, each as it would stand alone")
            return None
        reads = [rule.read for rule in rules if rule is not None]
        return Rule(target.path, lambda columns, now: united(read(columns, now) for read in reads))

    def _constant(self, target: Target, node: Node) -> Rule | None:
        if target.takes is Takes.SET and not _admits_more(node):
            self.faults.add(
                node.place,
                f"{target}: a constant would say of every record what it is not: leave the field out (not stated), "
                "map a column, or add `unknown` to the list",
            )
            return None
        value = self.words.literal(target, node)
        return None if value is None else Rule(target.path, lambda _columns, _now: value, constant=True)

    def _now(self, target: Target, node: Table) -> Rule | None:
        place, said = node.entries["now"]
        if target.takes is not Takes.TIME or not (isinstance(said, Scalar) and said.value is True):
            self.faults.add(place, f"{target}: `now: true` is for times only; this takes {target.takes.value}")
            return None
        return Rule(target.path, lambda _columns, now: now, constant=True)

    def _point(self, target: Target, node: Table) -> Rule | None:
        latitude = self.named(node.get("latitude"), "latitude")
        longitude = self.named(node.get("longitude"), "longitude")
        if latitude is None or longitude is None or len(node.entries) > 2:
            self.faults.add(node.place, f"{target}: expected {{latitude: COLUMN, longitude: COLUMN}}, WGS84 degrees")
            return None
        names = (latitude, longitude)
        return Rule(
            target.path,
            lambda columns, _: point(column_value(columns, names[0]), column_value(columns, names[1]), names),
        )

    def _from_columns(self, target: Target, node: Table) -> Rule | None:
        source = node.get("column") or node.get("columns")
        nodes = source.items if isinstance(source, Listing) else (source,)
        if "column" in node.entries and isinstance(source, Listing):
            self.faults.add(source.place, "expected one column here; several go under `columns`")
        names = [self.named(item, str(target)) for item in nodes]
        zone = self.words.zone_of(node.get("zone"))
        needs_format = target.takes in (Takes.TIME, Takes.DATE)
        if target.takes is Takes.TIME and "date" not in node.entries:
            self.faults.add(node.place, f"{target}: how is the time written? say date: iso or date: '%d/%m/%Y %H:%M'")
        is_day = target.takes is Takes.DATE
        written = self.words.date_format(str(target), node.get("date"), zone, is_day=is_day) if needs_format else None
        one = self._item(target, node, written, zone)
        known = [name for name in names if name is not None]
        if len(known) != len(names) or not known:
            return None
        if target.takes in SEVERAL:
            return Rule(target.path, self._several(target, known, one, node.get("split")))
        return Rule(target.path, _joined(known, one, self.words.text(node.get("join"), " ")))

    def _several(self, target: Target, names: list[str], one: Callable[[Any, str], Any], split: Node | None) -> Read:
        separator = self.words.text(split, "") or None
        is_set = target.takes is Takes.SET

        def part(columns: Columns, name: str) -> tuple[str, ...] | None:
            value = column_value(columns, name)
            if value is None:
                return None
            items = value if isinstance(value, list) else [value]
            if separator:
                items = [text for item in items for text in as_text(item, name).split(separator)]
            found = [one(item, name) for item in items if not isinstance(item, str) or item.strip()]
            stated = [codes for codes in found if codes is not None]
            says_none = value == []  # a list that came empty; blank text says nothing
            return tuple(code for codes in stated for code in _as_tuple(codes)) if stated or says_none else None

        def read(columns: Columns, _now: dt.datetime) -> tuple[str, ...] | None:
            parts = [part(columns, name) for name in names]
            return united(parts) if is_set else tuple(text for given in parts for text in given or ()) or None

        return read

    def _item(
        self, target: Target, node: Table, written: str | None, zone: ZoneInfo | None
    ) -> Callable[[Any, str], Any]:
        """What turns one value of a column into one value of the field."""
        listed = self.words.code_list(target, node)
        default = NO_DEFAULT
        if "default" in node.entries:
            default = self.words.default(target, node)
        pattern = self.words.pattern(node.get("match"))

        def one(value: Any, column: str) -> Any:  # noqa: ANN401
            if pattern is not None:
                value = _matched(pattern, as_text(value, column), column)
            if listed is not None:
                return listed.ours(as_text(value, column).strip(), column, default)
            if target.code_list is not None:
                return check_code(as_text(value, column).strip(), target.code_list, column)
            return converter(target.takes, column, written, zone)(value)

        return one


def _joined(names: list[str], one: Callable[[Any, str], Any], join: str) -> Read:
    """One value from one column, or from several joined; blank ones are left out."""
    if len(names) == 1:
        (name,) = names

        def read_one(columns: Columns, _now: dt.datetime) -> Any:  # noqa: ANN401
            value = column_value(columns, name)
            return None if value is None else one(value, name)

        return read_one
    shown = ", ".join(names)

    def read_all(columns: Columns, _now: dt.datetime) -> Any:  # noqa: ANN401
        values = [(column_value(columns, name), name) for name in names]
        texts = [as_text(value, name) for value, name in values if value is not None]
        return one(join.join(texts), shown) if texts else None

    return read_all


def _matched(pattern: re.Pattern[str], text: str, column: str) -> str:
    found = pattern.search(text)
    if found is None or found.group(1) is None:
        raise Rejected("no-match", f"column {column!r}: expected text that fits `match` ({pattern.pattern})")
    return found.group(1)


def _as_tuple(codes: Any) -> tuple[str, ...]:  # noqa: ANN401
    return codes if isinstance(codes, tuple) else (codes,)


def _admits_more(node: Node) -> bool:
    return isinstance(node, Listing) and any(isinstance(item, Scalar) and item.text == UNKNOWN for item in node.items)
