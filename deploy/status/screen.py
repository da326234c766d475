"""The report on a terminal of eighty columns: what is wrong first, then every member, then every process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deploy.status.figures import Counted, MemberFigures
from deploy.status.picture import Process
from deploy.status.telling import sentence, verdict
from deploy.status.watch import Report
from deploy.status.words import reasons, short, whose_process

_COLUMNS: Final[Mapping[str, int]] = {
    "out": 4, "last out": 4, "whole": 5, "part": 4, "held": 4, "in": 4, "last in": 4, "lag": 5, "p50": 5, "p99": 5
}  # fmt: skip
"""Heads of columns, and the width that most figures need: a member's name takes what is left of eighty."""
_CAPTION: Final = """\
out: its events that Kafka has; whole, part, held: decisions on others' events
for it; in: deliveries in its own database; lag: of the oldest that is not;
p50, p99: recorded at the origin to there. Counts: {window}."""
_HELD_UP: Final[Mapping[str, int]] = {
    "in spool": 6, "oldest": 6, "set aside": 5, "quarantined": 11, "suspended": 9, "paused": 6
}  # fmt: skip
_WIDEST: Final = 100
_HELD_BACK: Final = ("referred", "withheld", "forbidden", "undeliverable")


def screen(report: Report, most_processes: int | None = None) -> RenderableType:
    """The whole report; at most so many processes, those in trouble first."""
    return Group(*_parts(report, most_processes))


def _parts(report: Report, most_processes: int | None) -> Iterator[RenderableType]:
    at = datetime.fromtimestamp(report.at).astimezone()
    ready = sum(process.is_ready for process in report.processes)
    head = Text(verdict(report), style="bold red" if not report.is_flowing or not report.is_answered else "bold")
    yield head.append(f"   {at:%H:%M:%S}, {ready} of {len(report.processes)} processes ready", style="not bold default")
    for fault in report.faults:
        yield Padding(Text(sentence(fault, report), style="red" if fault.is_grave else "yellow"), (0, 0, 0, 2))
    if report.members:
        yield Text("")
        yield Constrain(_members(report), _WIDEST)
        yield Text(_caption(report), style="dim")
        if any(map(_is_held_up, report.members)):
            yield Text("")
            yield Constrain(_held_up(report.members), _WIDEST)
    if report.processes:
        yield Text("")
        yield _processes(report, most_processes)


def _members(report: Report) -> Table:
    table = _table("member", _COLUMNS)
    for one in report.members:
        counts = bool(report.window_s)
        table.add_row(
            one.name,
            _count(one.published, *one.published.lately, known=counts),
            _ago(report.at, one.last_published_at),
            _count(one.decided, "shared", known=counts),
            _count(one.decided, "shared-in-part", known=counts),
            _count(one.decided, *_HELD_BACK, known=counts),
            _count(one.delivered, "written", known=counts),
            _ago(report.at, one.last_delivered_at),
            short(one.delivery_lag_s),
            short(one.p50_s),
            short(one.p99_s),
        )
    return table


def _caption(report: Report) -> str:
    window = f"the last {report.window_s:.0f} s" if report.window_s else "with the next look"
    return _CAPTION.format(window=window)


def _is_held_up(one: MemberFigures) -> bool:
    return bool(one.spool_events or one.set_aside or one.quarantined.total or one.is_suspended or one.is_paused)


def _held_up(members: Sequence[MemberFigures]) -> Table:
    table = _table("held up at", _HELD_UP)
    for one in filter(_is_held_up, members):
        table.add_row(
            one.name,
            str(one.spool_events),
            short(one.spool_oldest_s) if one.spool_events else "-",
            str(one.set_aside),
            str(one.quarantined.total),
            "yes" if one.is_suspended else "-",
            "yes" if one.is_paused else "-",
        )
    return table


def _processes(report: Report, most: int | None) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0), show_edge=False)
    table.add_column("process", no_wrap=True)
    table.add_column("address", no_wrap=True)
    table.add_column("up", no_wrap=True, justify="right")
    table.add_column("state", ratio=1)
    by_state = sorted(report.processes, key=lambda process: (process.is_up, process.is_ready))
    shown = by_state if most is None else by_state[: max(most, 1)]
    for process in shown:
        table.add_row(whose_process(process), process.address, _ago(report.at, process.started_at), _state(process))
    if len(shown) < len(by_state):
        table.add_row(f"and {len(by_state) - len(shown)} more", "", "", "")
    return table


def _state(process: Process) -> Text:
    if not process.is_up:
        return Text(process.trouble, style="red")
    return Text("ready") if process.is_ready else Text(reasons(process.reasons), style="red")


def _table(first: str, widths: Mapping[str, int]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0), show_edge=False, expand=True)
    table.add_column(first, no_wrap=True, vertical="bottom", ratio=1)
    for name, width in widths.items():
        table.add_column(name.replace(" ", "\n"), justify="right", vertical="bottom", no_wrap=True, min_width=width)
    return table


def _count(counted: Counted, *outcomes: str, known: bool) -> str:
    """Of these outcomes in the window; - where nobody tells."""
    return str(sum(counted.lately.get(outcome, 0) for outcome in outcomes)) if known and counted.is_told else "-"


def _ago(now: float, at: float | None) -> str:
    return short(None if at is None else max(0.0, now - at))
