"""The end of the demonstration: one incident side by side, why one member got nothing, and how to ask further."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import RenderableType
from rich.text import Text

from consumers.ledger_queries import Ledger
from deploy.demo.crew import huecry
from deploy.demo.figures import rows
from deploy.demo.lives import LIVES
from deploy.demo.lives_words import as_table
from deploy.demo.run import HERE, SYNTHETIC, Demo
from deploy.demo.side_by_side import as_received, side_by_side
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


_SHORT_NAMES = {
    "north-yorkshire": "N Yorks",
    "rivers-agency": "rivers",
    "south-yorkshire": "S Yorks",
    "west-yorkshire": "W Yorks",
    "yorkshire-ambulance": "ambulance",
}

WHAT_IS_REAL = """
What is real: the incidents of West Yorkshire are records that its police
published (July 2018, data.police.uk, Open Government Licence v3.0). Kafka, the
router, the databases and the times measured are real too.
What is invented: every person, every vehicle, the hours, and all of Greater
Manchester. The people who rule and answer are played by a script, by ordinary
commands."""


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


def closing_words(demo: Demo, width: int) -> Iterator[RenderableType]:
    """What to print when everything has arrived."""
    yield Text(WHAT_IS_REAL)
    ledger = demo.ledgers[SYNTHETIC]
    chosen = choose(ledger)
    if chosen is None:
        return
    members = demo.exchange.members
    with Ledger(ledger) as opened:
        *_, explanation = explain_event(opened, chosen.event_id, chosen.left_out, load_bundle(HERE / "agreements"))
    yield _heading(f"One incident of {members[SYNTHETIC].name}, {chosen.incident_id}, as each member's database has it")
    seen = {
        _SHORT_NAMES.get(member, member): as_received(path, SYNTHETIC, chosen.incident_id)
        for member, path in demo.receiving.items()
        if member != SYNTHETIC
    }
    yield side_by_side(seen, explanation.disclosure["considered"]["sections"], width)
    yield _heading(f"Why {members[chosen.left_out].name} has nothing of it")
    yield Text("\n".join(as_lines(explanation)))
    yield _heading(f"Five lives: incidents of the duty desk of {members[SYNTHETIC].name}")
    yield as_table(demo.lives.lived())
    yield _heading("Ask further")
    yield Text("\n".join(_commands(demo, chosen, ledger)))


def _heading(words: str) -> Text:
    return Text(f"\n{words}", style="bold")


def _commands(demo: Demo, chosen: Chosen, ledger: Path) -> Iterator[str]:
    command = " ".join(_shown(Path(word)) if word.startswith("/") else word for word in huecry())
    agreements, shown_ledger = _shown(HERE / "agreements"), _shown(ledger)
    told = next(member for member in demo.receiving if member not in {SYNTHETIC, chosen.left_out})
    for member in (chosen.left_out, told):
        asked = f"{chosen.event_id} --to {member}"
        yield f"{command} explain {asked} --ledger {shown_ledger} --agreements {agreements}"
    yield f"{command} trace {LIVES[0].incident_id} --ledger {shown_ledger}"
    yield f"{command} cases list --closed --ledger {shown_ledger}"
    yield f"{command} retractions --ledger {shown_ledger}"
    yield f"{command} agreements check {agreements}"
    yield f'sqlite3 -box {_shown(demo.receiving[told])} "{_SAMPLE_RECEIVED}"'
    yield f'sqlite3 -box {shown_ledger} "{_SAMPLE_DECIDED}"'


def _shown(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
