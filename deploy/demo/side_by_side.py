"""One incident side by side: what it says, and which of it each member's own database has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from deploy.demo.figures import rows
from schemas.sections import SECTIONS

_MOST_TEXT: Final = 64
_MOST_ITEMS: Final = 2
_HEAD: Final = "head"
# What tells most of an item, by section; of persons and lines of a log likewise.
_PERSON: Final = ("role", "names", "date_of_birth", "age_band", "sex")
_TELLING: Final[Mapping[str, tuple[str, ...]]] = {
    "classification": ("category", "flags", "qualifiers"),
    "locations": ("kind", "premises", "road", "district"),
    "casualties": ("count", "injury"),
    "vehicles": ("vrm", "colour", "make", "model"),
    "facts": ("text",),
    "assessments": ("text",),
    "narrative": ("text",),
    "resources": ("callsign", "status"),
    "hazards": ("kind", "certainty"),
}
Sections = Mapping[str, list[dict[str, Any]]]


def as_received(database: Path, origin: str, incident_id: str) -> dict[str, list[dict[str, Any]]] | None:
    """What a member's database holds of an incident, by section, the head as one; None: it has never heard of it."""
    where = "WHERE origin = ? AND incident_id = ?"
    query = f"SELECT local_ref, kind, category, grade, status FROM incident {where}"  # noqa: S608  our own words
    heads = rows(database, query, origin, incident_id)
    if not heads:
        return None
    sections = rows(database, f"SELECT section, items FROM section {where}", origin, incident_id)  # noqa: S608
    held = {row["section"]: json.loads(row["items"] or "[]") for row in sections}
    return {_HEAD: [dict(heads[0])], **held}


def side_by_side(seen: Mapping[str, Sections | None], held_at_home: Sequence[str], width: int) -> Table:
    """A row for each section, a column for each member.

    Args:
        seen: what each member's database holds, by the member's short name.
        held_at_home: sections of the incident that held something, whoever got them.
        width: columns of the terminal.
    """
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0), width=min(width, 116))
    table.add_column("section", no_wrap=True)
    table.add_column("what it says", ratio=1)
    for name in seen:
        table.add_column(name, justify="center", no_wrap=True)
    received = [sections for sections in seen.values() if sections]
    for section in (_HEAD, *SECTIONS):
        told = next((sections[section] for sections in received if sections.get(section)), None)
        if told is None and section not in held_at_home:
            continue
        words = "(told to nobody)" if told is None else _words(section, told)
        table.add_row(section, words, *(_mark(sections, section, told) for sections in seen.values()))
    return table


def _mark(sections: Sections | None, section: str, told: list[dict[str, Any]] | None) -> str:
    """Whether a member has the section; another content than its neighbour's would show."""
    if sections is None or section not in sections:
        return "-"
    return "yes" if sections[section] == told else _words(section, sections[section])


def _words(section: str, items: list[dict[str, Any]]) -> str:
    shown = [_of_item(section, item) for item in items[:_MOST_ITEMS]]
    more = f" (and {len(items) - _MOST_ITEMS} more)" if len(items) > _MOST_ITEMS else ""
    return "; ".join(shown) + more


def _of_item(section: str, item: dict[str, Any]) -> str:
    names = tuple(item) if section == _HEAD else _TELLING.get(section, _PERSON)
    text = ", ".join(_plain(item[name]) for name in names if item.get(name) not in (None, "", [], {}))
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(_plain(each) for each in value.values() if each)
    if isinstance(value, list):
        return ", ".join(_plain(each) for each in value)
    return str(value)
