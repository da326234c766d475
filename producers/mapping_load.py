"""Loads a mapping file: reads it, checks it whole, and reports every fault with its line and column."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

from producers.mapping import DIGEST_AND_LINE, REQUIRED, FieldMapping, Key, RecordFormat
from producers.mapping_faults import MappingFaults
from producers.mapping_fields import FieldReader
from producers.mapping_rules import Rule, SectionRule, anchored
from producers.mapping_sections import SectionReader
from producers.mapping_targets import SINGLE, is_section, required_beside, written
from producers.mapping_words import Words
from schemas.errors import Rejected
from schemas.strict_yaml import Listing, Place, Scalar, Table, read_yaml

_TOP: Final = (
    "mapping",
    "system",
    "description",
    "source",
    "time_zone",
    "incident_key",
    "event_key",
    "fields",
    "codes",
)
_SOURCE: Final = ("format", "delimiter", "encoding", "blank")
_SLUG: Final = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")


def load_mapping(path: Path) -> FieldMapping:
    """Read and check a mapping file.

    Raises:
        Rejected: unreadable, or faulty; the message lists every fault as ``file:line:column: what is wrong``.
    """
    faults = MappingFaults(str(path))
    root = read_yaml(path, faults)
    if root is None:
        faults.refuse_any()
    if not isinstance(root, Table):
        raise Rejected("bad-mapping", f"{path}: expected keys such as mapping, event_key and fields")
    mapping = _Loader(root, faults).mapping()
    faults.refuse_any()
    return mapping


class _Loader:
    def __init__(self, root: Table, faults: MappingFaults) -> None:
        self._root = root
        self._faults = faults
        lists = root.get("codes")
        if lists is not None and not isinstance(lists, Table):
            faults.add(lists.place, "codes: expected code lists by name")
        self._words = Words(faults, lists if isinstance(lists, Table) else None, None)
        self._words.zone = self._words.zone_of(root.get("time_zone"))
        self._reader = FieldReader(self._words)
        self._sections = SectionReader(self._reader)

    def mapping(self) -> FieldMapping:
        for key, place, _ in self._root.items():
            if key not in _TOP:
                self._faults.unknown(place, "key", key, _TOP)
        rules, section_rules = self._fields()
        made = FieldMapping(
            name=self._slug("mapping"),
            system=self._slug("system"),
            incident_key=self._key("incident_key", "what is the same in all records of one incident"),
            event_key=self._key("event_key", "what differs in every version of a record: incident, row version"),
            rules=rules,
            section_rules=section_rules,
            columns=tuple(self._reader.columns),
            record_format=self._record_format(),
        )
        lists = self._words.lists
        for name, place, _ in lists.items() if lists else ():
            if name not in self._words.used_lists:
                self._faults.add(place, f"code list {name!r} is not used by any field")
        return made

    def _slug(self, key: str) -> str:
        node = self._root.get(key)
        if isinstance(node, Scalar) and _SLUG.fullmatch(node.text):
            return node.text
        place = node.place if node else self._root.place
        self._faults.add(place, f"{key}: expected a name in lower case, digits, hyphens and dots")
        return "unnamed"

    def _key(self, key: str, meaning: str) -> Key:
        node = self._root.get(key)
        if node is None:
            self._faults.add(
                self._root.place, f"{key} is missing: list the columns that make it ({meaning}), or {DIGEST_AND_LINE}"
            )
            return Key(None)
        if isinstance(node, Scalar) and node.text == DIGEST_AND_LINE:
            return Key(None)
        items = node.items if isinstance(node, Listing) else (node,)
        if not items:
            self._faults.add(node.place, f"{key}: expected columns ({meaning}), or {DIGEST_AND_LINE}")
        names = [self._reader.named(item, key) for item in items]
        return Key(tuple(name for name in names if name is not None))

    def _record_format(self) -> RecordFormat:
        node = self._root.get("source")
        if node is None:
            return RecordFormat()
        if not isinstance(node, Table):
            self._faults.add(node.place, f"source: expected keys of {', '.join(_SOURCE)}")
            return RecordFormat()
        said: dict[str, str] = {}
        blank: frozenset[str] = frozenset()
        for key, place, value in node.items():
            if key not in _SOURCE:
                self._faults.unknown(place, "key", key, _SOURCE)
            elif key == "blank":
                items = value.items if isinstance(value, Listing) else (value,)
                blank = frozenset(item.text for item in items if isinstance(item, Scalar))
            elif not isinstance(value, Scalar) or not _format_fits(key, value.text):
                wanted = {"format": "csv or jsonl", "delimiter": "one character", "encoding": "such as utf-8 or cp1252"}
                self._faults.add(value.place, f"source.{key}: expected {wanted[key]}")
            else:
                said[key] = value.text
        return RecordFormat(said.get("format"), said.get("delimiter", ","), said.get("encoding", "utf-8"), blank)

    def _fields(self) -> tuple[tuple[Rule, ...], tuple[SectionRule, ...]]:
        node = self._root.get("fields")
        if not isinstance(node, Table):
            place = node.place if node else self._root.place
            self._faults.add(place, "fields: expected the event's fields, each with what fills it")
            return (), ()
        rules: dict[str, tuple[Place, Rule]] = {}
        section_rules: list[SectionRule] = []
        whole: set[str] = set()
        for path, place, said in node.items():
            if is_section(path):
                whole.add(path)
                if (section_rule := self._sections.section(path, said)) is not None:
                    section_rules.append(section_rule)
            else:
                self._sections.field(path, place, said, rules)
        for place, rule in rules.values():
            if rule.path[0] in whole:
                self._faults.add(place, f"{rule.path[0]} is filled as a whole already")
        self._check_complete(node, rules)
        return anchored((rule for _, rule in rules.values()), SINGLE), tuple(section_rules)

    def _check_complete(self, node: Table, rules: dict[str, tuple[Place, Rule]]) -> None:
        for name in REQUIRED:
            if name not in rules:
                self._faults.add(node.place, f"{name} is missing: every event needs it")
        paths = {rule.path for _, rule in rules.values()}
        for place, rule in rules.values():
            for needed in required_beside(rule.path):
                if needed not in paths:
                    self._faults.add(place, f"{written(needed)} is missing: without it this element cannot be")


def _format_fits(key: str, text: str) -> bool:
    if key == "format":
        return text in ("csv", "jsonl")
    if key == "delimiter":
        return len(text) == 1 and text not in '"\r\n'
    try:
        # Lines are found by their byte: two-byte encodings would hide them.
        return codecs.lookup(text).name not in ("utf-16", "utf-32") and "\n".encode(text) == b"\n"
    except (LookupError, UnicodeError):
        return False
