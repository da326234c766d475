"""An event as its origin's people read it: what is stated of it, part by part, in words.

Nothing that is stated is left out: what a part has no words of its own for is told by the name of its field.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from consumers.ledger_queries import LONDON
from schemas.codec import EventCodec
from schemas.codes import enum_code
from schemas.errors import Rejected
from schemas.sections import CONTROL, SECTIONS

MOST_BYTES: Final = 16 * 1024 * 1024
"""More than any exchange lets through."""
_TITLES: Final[Mapping[str, tuple[str, ...]]] = {
    CONTROL: (),
    "classification": ("category",),
    "locations": ("kind", "address", "postcode"),
    "casualties": ("count",),
    "vehicles": ("role", "vrm"),
    "facts": ("text",),
    "assessments": ("text",),
    "narrative": ("text",),
    "resources": ("callsign",),
    "hazards": ("kind",),
}
"""By section the fields that come first, without their names; of persons: role and names."""
_OF_PERSONS: Final = ("role", "names")
_REFS: Final = ("person_ref", "location_ref", "vehicle_ref", "entry_id", "callsign")
_SETS: Final = ("qualifiers", "flags", "caveats", "handling")
"""Null says that the source does not tell, an empty one that there is none: the difference is told."""
_ENUMS: Final = frozenset({"kind", "mode", "grade", "status", "marking", "accuracy", "completeness", "reliability"})
_HEAD: Final = (
    *("category", "grade", "status", "kind", "mode", "marking", "handling", "primacy"),
    *("occurred_at", "recorded_at", "sent_at", "effective_at", "quality", "contact"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a section."""

    key: str
    """What it is the same by from event to event."""
    title: str
    facts: Mapping[str, str]
    """What else is stated of it: field → words."""

    def words(self) -> str:
        """All of it on one line."""
        facts = "; ".join(f"{name.replace('_', ' ')}: {words}" for name, words in self.facts.items())
        return "; ".join(filter(None, (self.title, facts)))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One event."""

    sequence: int
    head: Mapping[str, str]
    """What is stated in the head: field → words."""
    sections: Mapping[str, tuple[Item, ...]]
    """Those that hold something, `control` first, then in the order that they have on the wire."""


def snapshot_of(value: bytes | None, sequence: int, codec: EventCodec | None = None) -> Snapshot | None:
    """An event as its origin framed it; None where it is not there, or in a form that this release cannot read."""
    if value is None:
        return None
    try:
        _, opened = (codec or EventCodec()).open(value, MOST_BYTES)
        event = opened.form.decode(opened.body)
    except Rejected:
        return None
    head = {name: words for name in _HEAD if (words := _words(event[name], name))}
    sections = {name: tuple(_items(name, event[name])) for name in (CONTROL, *SECTIONS) if event[name]}
    return Snapshot(sequence, head, sections)


def _items(section: str, entries: list[dict[str, Any]]) -> Iterator[Item]:
    first = _TITLES.get(section, _OF_PERSONS)
    seen: Counter[str] = Counter()
    for number, entry in enumerate(entries, start=1):
        ref = next((str(entry[name]) for name in _REFS if entry.get(name)), "")
        title = ", ".join(filter(None, (_words(entry.get(name), name) for name in first)))
        rest = {name: value for name, value in entry.items() if name not in first and name not in _REFS}
        facts = {name: words for name, value in rest.items() if (words := _words(value, name))}
        if section == CONTROL:
            facts.pop("sequence", None)
        shown = f"{title} [{ref}]" if ref and ref not in title else title
        key = ref or _words(entry.get("kind"), "kind") or str(number)
        seen[key] += 1
        yield Item(key if seen[key] == 1 else f"{key} {seen[key]}", shown, facts)


def _words(value: Any, name: str) -> str:  # noqa: ANN401, PLR0911  whatever Avro holds, each in its own words
    """A value in words; empty where nothing is stated."""
    if name in _SETS and not value:
        return "not stated" if value is None else "none"
    if isinstance(value, str):
        stated = enum_code(value).replace("unknown", "") if name in _ENUMS and value.isupper() else value
        # What was typed somewhere else must not speak to this terminal.
        return "".join(character if character.isprintable() else " " for character in stated)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(LONDON):%d %b %Y %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%d %b %Y}"
    if isinstance(value, dict):
        return _of_record(value, name)
    if isinstance(value, list):
        return ", ".join(filter(None, (_words(each, "") for each in value)))
    return "" if value is None else str(value)


def _of_record(value: Mapping[str, Any], name: str) -> str:
    if name == "names":
        aliases = ", ".join(value.get("aliases") or ())
        full = " ".join(filter(None, (value.get("given"), value.get("family"))))
        return f"{full} (also {aliases})" if aliases else full
    stated = {field: words for field, inner in value.items() if (words := _words(inner, field))}
    if name in {"point", "contact"}:
        return ", ".join(stated.values())
    return ", ".join(f"{field.replace('_', ' ')} {words}" for field, words in stated.items())
