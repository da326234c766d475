"""What the demonstration shows while it runs and when it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.demo.figures import Figures, rows
from schemas.exchange import Exchange

_OUTCOMES = ("shared", "shared-in-part", "withheld", "forbidden")
_SECTIONS_SHOWN = (
    "classification",
    "locations",
    "victims",
    "suspects",
    "subjects",
    "vehicles",
    "facts",
    "hazards",
    "casualties",
    "narrative",
)
_MOST_TEXT = 60


def live(figures: Figures, published: Mapping[str, int], exchange: Exchange, phase: str) -> RenderableType:
    """The table that is on the screen while records flow."""
    table = Table(title="Who gets what", title_justify="left", expand=False)
    table.add_column("member")
    for column in ("whole", "in part", "withheld", "forbidden", "delivered", "p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    for member in exchange.receivers():
        outcomes = figures.decisions.get(member, {})
        latency = figures.latency_ms.get(member, {})
        table.add_row(
            exchange.members[member].name,
            *(str(outcomes.get(outcome, 0)) for outcome in _OUTCOMES),
            str(figures.delivered.get(member, 0)),
            *(_ms(latency.get(percent)) for percent in ("p50", "p99")),
        )
    flow = ", ".join(
        f"{exchange.members[force].name}: {count} published, {figures.decided.get(force, 0)} decided"
        for force, count in published.items()
    )
    return Group(Text(phase, style="bold"), Text(flow), table)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def side_by_side(exchange: Exchange, receiving: Mapping[str, Path], origin: str, incident_id: str) -> RenderableType:
    """One incident as each member's own database has it."""
    panels = []
    for member in exchange.receivers():
        if member == origin:
            continue
        heads = rows(
            receiving[member],
            "SELECT kind, category, grade, status FROM incident WHERE origin = ? AND incident_id = ?",
            origin,
            incident_id,
        )
        body = _as_seen(receiving[member], origin, incident_id) if heads else Text("nothing", style="dim")
        head = Text(", ".join(f"{name} {value}" for name, value in dict(heads[0]).items())) if heads else Text("")
        panels.append(Panel(Group(head, body), title=exchange.members[member].name, title_align="left"))
    return Group(Text(f"\nOne incident, {incident_id}, as each member sees it", style="bold"), *panels)


def _as_seen(database: Path, origin: str, incident_id: str) -> RenderableType:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for row in rows(
        database, "SELECT section, items FROM section WHERE origin = ? AND incident_id = ?", origin, incident_id
    ):
        items = json.loads(row["items"] or "[]")
        words = "; ".join(_in_words(item) for item in items) if items else "none"
        if row["section"] in _SECTIONS_SHOWN:
            table.add_row(row["section"], words)
    return table


def _in_words(item: object) -> str:
    """An item's plain values, shortened."""
    if not isinstance(item, dict):
        return str(item)
    words = [
        _in_words(value) if isinstance(value, dict) else str(value)
        for name, value in item.items()
        if value not in (None, "", [], {}) and not name.endswith("_ref") and name != "quality"
    ]
    text = ", ".join(words)
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"
