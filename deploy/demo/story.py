"""The end of the demonstration: one incident side by side, why one member got nothing, and how to ask further."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from consumers.ledger_queries import Ledger
from deploy.demo.figures import rows
from deploy.demo.run import HERE, SYNTHETIC, Demo
from deploy.demo.screen import side_by_side
from deploy.explaining import explain_event
from deploy.explaining_words import as_lines
from routing.agreements import load_bundle

# The incident that most members see, each something else; of those the richest.
_MOST_VARIED = """
SELECT disclosure.incident_id, disclosure.event_id
FROM decision JOIN disclosure USING (record_id)
WHERE decision.head = 'granted'
GROUP BY record_id
ORDER BY count(DISTINCT decision.covers) DESC, sum(length(decision.covers)) DESC, sequence DESC
LIMIT 1
"""
_LEFT_OUT = """
SELECT member FROM decision JOIN disclosure USING (record_id)
WHERE event_id = ? AND head <> 'granted' ORDER BY member DESC LIMIT 1
"""

_SAMPLE_RECEIVED = "SELECT origin, local_ref, category, grade, status FROM incident LIMIT 9"
_SAMPLE_DECIDED = "SELECT member, outcome, count(*) FROM decision GROUP BY 1, 2"


class Chosen(NamedTuple):
    """The incident that is shown, its event, and the member that got nothing of it."""

    incident_id: str
    event_id: str
    left_out: str


def choose(ledger: Path) -> Chosen | None:
    """The most telling event in a ledger; None while it has none."""
    for incident_id, event_id in map(tuple, rows(ledger, _MOST_VARIED)):
        for (member,) in map(tuple, rows(ledger, _LEFT_OUT, event_id)):
            return Chosen(incident_id, event_id, member)
    return None


def closing_words(demo: Demo) -> Iterator[RenderableType]:
    """What to print when everything has arrived."""
    ledger = demo.ledgers[SYNTHETIC]
    chosen = choose(ledger)
    if chosen is None:
        return
    yield side_by_side(demo.exchange, demo.receiving, SYNTHETIC, chosen.incident_id)
    with Ledger(ledger) as opened:
        explanation = explain_event(opened, chosen.event_id, chosen.left_out, load_bundle(HERE / "agreements"))
    title = f"Why {demo.exchange.members[chosen.left_out].name} got nothing of it"
    yield Panel(Text("\n".join(as_lines(explanation))), title=title, title_align="left")
    yield Text("Ask further", style="bold")
    yield Text("\n".join(_commands(demo, chosen, ledger)))


def _commands(demo: Demo, chosen: Chosen, ledger: Path) -> Iterator[str]:
    agreements, shown_ledger = _shown(HERE / "agreements"), _shown(ledger)
    asked = f"{chosen.event_id} --to {chosen.left_out}"
    yield f"  huecry explain {asked} --ledger {shown_ledger} --agreements {agreements}"
    yield f"  sqlite3 -box {_shown(next(iter(demo.receiving.values())))} '{_SAMPLE_RECEIVED}'"
    yield f"  sqlite3 -box {shown_ledger} '{_SAMPLE_DECIDED}'"
    yield f"  huecry agreements check {agreements}"


def _shown(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
