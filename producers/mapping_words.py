"""Reads the words of a mapping file that stand for values: constants, codes, patterns, date formats, time zones."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from producers.mapping_faults import MappingFaults, expected
from producers.mapping_targets import Takes, Target
from producers.mapping_values import ISO, CodeList, converter
from schemas.codes import UNKNOWN, codes, is_code
from schemas.errors import Rejected
from schemas.strict_yaml import Listing, Node, Scalar, Table

SEVERAL: Final = (Takes.SET, Takes.TEXTS)


@dataclass
class Words:
    """Reads words; what is wrong with them is noted in ``faults``. ``lists`` are the file's code lists."""

    faults: MappingFaults
    lists: Table | None
    zone: ZoneInfo | None
    used_lists: set[str] = field(default_factory=set)

    def zone_of(self, node: Node | None) -> ZoneInfo | None:
        """The zone a field names, or the file's."""
        if node is None:
            return self.zone
        try:
            return ZoneInfo(node.text if isinstance(node, Scalar) else "")
        except (KeyError, ValueError, OSError):
            self.faults.add(node.place, "expected the name of a time zone, as in Europe/London or UTC")
            return ZoneInfo("UTC")

    def date_format(self, target: str, node: Node | None, zone: ZoneInfo | None, *, is_day: bool) -> str:
        """A date format, checked by writing and reading a time with it."""
        text = node.text if isinstance(node, Scalar) else ISO
        if node is None:
            return ISO
        if not isinstance(node, Scalar) or (text != ISO and not _reads_what_it_writes(text)):
            self.faults.add(node.place, f"{target}: expected `iso` or a format such as '%d/%m/%Y %H:%M:%S'")
        elif not is_day and zone is None and "%z" not in text:
            self.faults.add(node.place, f"{target}: in which time zone? say time_zone: Europe/London, or zone: here")
        return text

    def default(self, target: Target, node: Table) -> object:
        """Our code for codes that the list does not have."""
        place, said = node.entries["default"]
        if "codes" not in node.entries:
            self.faults.add(place, f"{target}: `default` is for codes that `codes` does not have: say which list")
        elif isinstance(said, Listing) and not said.items:
            self.faults.add(place, f"{target}: a default cannot say that there are none")
        return self.literal(target, said)

    def code_list(self, target: Target, node: Table) -> CodeList | None:
        """The code list that a field names or holds, its codes checked against what the field takes."""
        said = node.get("codes")
        if said is None:
            return None
        name = "inline"
        if isinstance(said, Scalar):
            name, tables = said.text, self.lists.entries if self.lists else {}
            if name not in tables:
                self.faults.unknown(said.place, "code list", name, tables)
                return None
            self.used_lists.add(name)
            said = tables[name][1]
        if not isinstance(said, Table):
            self.faults.add(said.place, f"code list {name!r}: expected the source's codes, each with one of ours")
            return None
        pairs = {code: self.literal(target, ours, may_be_none=True) for code, _, ours in said.items()}
        if len({code.strip().casefold() for code in pairs}) != len(pairs):
            self.faults.add(said.place, f"code list {name!r}: two codes differ in capitals only; capitals do not count")
        return CodeList(name, pairs)

    def literal(self, target: Target, node: Node, *, may_be_none: bool = False) -> Any:  # noqa: ANN401
        """A value written in the file, as the field takes it; None where it is faulty, or null and that is allowed."""
        if isinstance(node, Listing) and target.takes in SEVERAL:
            return tuple(self._word(target, item) for item in node.items)
        if not isinstance(node, Scalar):
            self.faults.add(node.place, f"{target}: takes {target.takes.value}, this is neither")
            return None
        if node.value is None:
            if not may_be_none:
                self.faults.add(node.place, f"{target}: expected a value")
            return None
        word = self._word(target, node)
        return (word,) if target.takes in SEVERAL and word is not None else word

    def _word(self, target: Target, node: Node) -> Any:  # noqa: ANN401
        if not isinstance(node, Scalar) or node.value is None:
            self.faults.add(node.place, f"{target}: expected one word")
            return None
        if target.code_list is not None:
            if not is_code(target.code_list, node.text):
                allowed = (*codes(target.code_list), UNKNOWN)
                self.faults.add(
                    node.place, f"{node.text!r} is no code of {target.code_list!r}: {expected(node.text, allowed)}"
                )
            return node.text
        try:
            return converter(target.takes, "constant", ISO, self.zone)(node.text)
        except Rejected as error:
            self.faults.add(node.place, f"{target}: {error}")
            return None

    def pattern(self, node: Node | None) -> re.Pattern[str] | None:
        """A regular expression with one group."""
        if node is None:
            return None
        try:
            pattern = re.compile(node.text if isinstance(node, Scalar) else "")
        except re.error as error:
            self.faults.add(node.place, f"expected a regular expression: {error}")
            return None
        if pattern.groups != 1:
            self.faults.add(node.place, "expected a regular expression with one (group): what is taken")
            return None
        return pattern

    def text(self, node: Node | None, otherwise: str) -> str:
        """A text that may not be empty; ``otherwise`` where nothing is written."""
        if node is not None and not (isinstance(node, Scalar) and node.text):
            self.faults.add(node.place, "expected a text")
        return node.text if isinstance(node, Scalar) else otherwise


def _reads_what_it_writes(date_format: str) -> bool:
    moment = dt.datetime(2026, 3, 6, 20, 15, 30, tzinfo=dt.UTC)
    try:
        read = dt.datetime.strptime(moment.strftime(date_format), date_format)  # noqa: DTZ007
    except ValueError:
        return False
    return (read.year, read.month, read.day) == (2026, 3, 6)
