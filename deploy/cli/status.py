"""``huecry status``: is anything not flowing, for whom, since when, and why."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from deploy.cli.options import metrics_host, serves_metrics
from deploy.cli.process import stop_on_signals
from deploy.status.as_json import as_json
from deploy.status.looking import Looker
from deploy.status.screen import screen
from deploy.status.targets import Target, all_targets
from deploy.status.watch import Report, Watch
from schemas.errors import Rejected
from schemas.exchange import load_exchange

_ALL_FLOWS: Final = 0
_ATTENTION: Final = 1
_NOTHING_KNOWN: Final = 2
_ANYWHERE: Final = "0.0.0.0"  # noqa: S104  what a server binds to, and nobody can ask
_ROWS_BESIDE: Final = 9
"""Lines of the screen that are neither a fault, nor a member, nor a process."""


@click.command()
@click.option("--target", "named", multiple=True, metavar="HOST:PORT", help="A process to ask; may be repeated.")
@click.option(
    "--targets",
    "files",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    envvar="HUECRY_TARGETS",
    show_envvar=True,
    metavar="FILE",
    help="Processes to ask: a file that Prometheus discovers them by (file_sd, JSON or YAML); may be repeated.",
)
@click.option(
    "--exchange",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="exchange.yaml: members are shown by name, those too of whom no process speaks.",
)
@click.option("--once", is_flag=True, help="Look twice, --interval apart, print how things are, and end.")
@click.option("--json", "as_object", is_flag=True, help="The same as one JSON object on stdout; implies --once.")
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Time between two looks.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 60),
    default=3.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a process may take to answer before it counts as not reachable.",
)
@serves_metrics("Where neither --target nor --targets is given: the one process to ask.")
def status(  # noqa: PLR0913, PLR0917  one parameter for each option
    named: tuple[str, ...],
    files: tuple[Path, ...],
    exchange: Path | None,
    once: bool,  # noqa: FBT001
    as_object: bool,  # noqa: FBT001
    interval: float,
    timeout: float,
    metrics_port: int | None,
) -> None:
    """Show whether everything flows; and if not, what does not, for whom, since when, and why.

    Asks the processes of an exchange for their metrics and their readiness, all at once; one that does not answer is
    shown as that, and holds up nobody. Counts cover the last minute, or as much of it as was watched. Name every
    process, of a router its workers too: they serve on the ports after its own.

    \b
    Exit codes, with --once or --json:
      0  all flows, and nothing needs attention
      1  something does not flow, or needs attention
      2  no process answered, or wrong usage
    """  # noqa: D301  \b is click's mark for lines to keep
    if not (named or files) and metrics_port:
        named = (f"{'127.0.0.1' if metrics_host() == _ANYWHERE else metrics_host()}:{metrics_port}",)
    if not (named or files):
        raise click.UsageError("name the processes to ask: --targets FILE, or --target HOST:PORT for each")
    try:
        names = _names(exchange)
        targets = _Targets(named, files)
    except Rejected as rejected:
        raise click.UsageError(str(rejected)) from rejected  # exit code 2: 1 says that something needs attention
    looks = _Looks(targets, names, interval, timeout)
    if not (once or as_object):
        _live(looks, stop_on_signals())
        return
    looks.look()
    time.sleep(interval)
    report = looks.look()
    if as_object:
        click.echo(json.dumps(as_json(report)))
    else:
        Console(highlight=False).print(screen(report))
    sys.exit(_exit_code(report))


class _Targets:
    """The processes to ask, as the files say now; as they last said, while one cannot be read."""

    def __init__(self, named: tuple[str, ...], files: tuple[Path, ...]) -> None:
        self._read: Callable[[], tuple[Target, ...]] = lambda: all_targets(named, files)
        self._last = self._read()
        if not self._last:
            raise Rejected("bad-targets", f"{', '.join(map(str, files))}: names no process")

    def now(self) -> tuple[Target, ...]:
        try:
            self._last = self._read() or self._last
        except Rejected:
            return self._last  # it may be being written
        return self._last


def _names(exchange: Path | None) -> Mapping[str, str]:
    if exchange is None:
        return {}
    return {member: facts.name for member, facts in load_exchange(exchange).members.items()}


class _Looks:
    """How things are, look after look."""

    def __init__(self, targets: _Targets, names: Mapping[str, str], interval_s: float, timeout_s: float) -> None:
        self.interval_s = interval_s
        self._targets, self._names = targets, names
        self._looker, self._watch = Looker(timeout_s), Watch()

    def look(self) -> Report:
        self._watch, report = self._watch.look(self._looker.look(self._targets.now()), self._names)
        return report


def _live(looks: _Looks, stop: Event) -> None:
    console = Console(highlight=False)
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while not stop.is_set():
            started = time.monotonic()
            report = looks.look()
            rows = console.height - _ROWS_BESIDE - len(report.faults) - len(report.members)
            live.update(screen(report, max(3, rows)), refresh=True)
            stop.wait(max(0.0, started + looks.interval_s - time.monotonic()))


def _exit_code(report: Report) -> int:
    if not report.is_answered:
        return _NOTHING_KNOWN
    return _ATTENTION if report.faults else _ALL_FLOWS
