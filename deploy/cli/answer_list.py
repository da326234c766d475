"""What ``huecry answer --list`` shows."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table

from consumers.answers.listing import Answered, Waiting, answered, problems, waiting
from consumers.sinks.database import Database

_LATELY: Final = 10
_WIDTH: Final = 200
"""Where nobody says how wide a line may be."""
_LONDON: Final = ZoneInfo("Europe/London")


def show_answers(database: Database, *, as_json: bool) -> None:
    """Print what waits, what cannot be taken, and what was answered lately; no content of any incident."""
    open_ones, faulty, closed = waiting(database), problems(database), answered(database, _LATELY)
    if as_json:
        told = {
            "awaiting": [one._asdict() for one in open_ones],
            "problems": [one._asdict() for one in faulty],
            "answered": [one._asdict() for one in closed],
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    is_seen = sys.stdout.isatty()
    console = Console(width=None if is_seen else _WIDTH, highlight=False)
    if open_ones:
        console.print(_table(open_ones))
    else:
        console.print("nothing waits for an answer")
    for problem in faulty:
        console.print(
            f"answer {problem.answer_number} ({problem.kind}) cannot be taken: {problem.problem}", markup=False
        )
    for one in closed:
        console.print(_line(one), markup=False)


def _table(open_ones: list[Waiting]) -> Table:
    table = Table(title="what waits for an answer", title_justify="left")
    for heading in ("incident", "log numbers", "what", "asked", "answer by", "primacy", "call"):
        table.add_column(heading)
    for one in open_ones:
        call = " ".join(part for part in (one.contact_desk, one.contact_phone, one.contact_email) if part)
        due = f"{_clock(one.answer_by)}{', OVERDUE' if one.overdue else ''}"
        what = " ".join(part for part in (one.what, one.reason, one.ask and f"({one.ask})") if part)
        numbers = " / ".join((one.local_ref or "-", one.our_reference or "-"))
        where = f"{one.incident_id} of {one.origin}"
        table.add_row(where, numbers, what, _clock(one.asked_at), due, one.primacy or "", call)
    return table


def _line(one: Answered) -> str:
    by = f" by {one.by_role}" if one.by_role else ""
    ours = "; primacy is yours" if one.what == "transfer" and one.taken_over_at else ""
    numbers = f" ({one.local_ref or '-'} / {one.our_reference or '-'})"
    return f"{_clock(one.closed_at)} {one.incident_id} of {one.origin}{numbers}: {one.what} {one.closed_as}{by}{ours}"


def _clock(utc: str) -> str:
    return datetime.fromisoformat(utc).astimezone(_LONDON).strftime("%d %b %H:%M:%S")
