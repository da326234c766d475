"""The table that is on the screen while records flow, and once more when all have arrived."""

from __future__ import annotations

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from deploy.demo.figures import OUTCOMES, Figures
from schemas.exchange import Exchange

_COLUMNS = ("whole", "in\npart", "refer-\nred", "with-\nheld", "for-\nbidden", "deliv-\nered", "p50\nms", "p99\nms")
_CAPTION = (
    "whole to forbidden: decisions, one for each event and member, and each release;\n"
    "delivered: rows in the member's own database; p50, p99: from recorded at the\n"
    "origin to there"
)


def live(
    figures: Figures, published: Mapping[str, int], exchange: Exchange, kinds: Mapping[str, str], phase: str
) -> RenderableType:
    """The figures as they stand.

    Args:
        figures: what has happened so far.
        published: events that Kafka has, by force.
        exchange: for the members' names.
        kinds: what each force's records are.
        phase: what goes on now.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0), show_edge=False)
    table.add_column("member", no_wrap=True)
    for column in _COLUMNS:
        table.add_column(
            column, justify="right", no_wrap=True, vertical="bottom", min_width=max(map(len, column.split()))
        )
    for member in exchange.receivers():
        outcomes, latency = figures.decisions.get(member, {}), figures.latency_ms.get(member, {})
        table.add_row(
            exchange.members[member].name,
            *(str(outcomes.get(outcome, 0)) for outcome in OUTCOMES),
            str(figures.delivered.get(member, 0)),
            *(_ms(latency.get(percent)) for percent in ("p50", "p99")),
        )
    flow = [
        f"{exchange.members[force].name} ({kinds[force]}): {count} published, {figures.decided.get(force, 0)} decided"
        for force, count in published.items()
    ]
    return Group(Text(phase, style="bold"), Text("\n".join(flow)), table, Text(_CAPTION, style="dim"))


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
