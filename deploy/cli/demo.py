"""``huecry demo``: show the whole path working, with real police records."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from deploy.broker import SHORT_LIVED, EmbeddedBroker
from deploy.demo import lives_words, run, screen
from deploy.demo.crew import huecry
from deploy.demo.figures import Figures
from deploy.demo.story import closing_words

_SAY_EVERY_S = 2.0


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM: ends whatever runs, a download and the start of Kafka included."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end, and nothing else on stdout.")
@click.option("--keep", is_flag=True, help="Leave all running until Ctrl-C, to query and to try commands on.")
@click.option("--records", type=click.IntRange(1, 600), default=300, show_default=True, help="Real records to replay.")
@click.option("--incidents", type=click.IntRange(1), default=45, show_default=True, help="Synthetic incidents to play.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/demo"),
    show_default=True,
    help="Where databases, spools and logs go; an earlier demonstration there is removed.",
)
def demo(*, as_json: bool, keep: bool, records: int, incidents: int, folder: Path) -> None:
    """Show the whole path working: real Kafka, real police records, and a database for each receiving member.

    West Yorkshire replays street-level records of July 2018 (data.police.uk); persons, vehicles and a second force are
    invented. People rule on five invented incidents, take one back, accept others. Takes half a minute; the first time
    longer, since Kafka is downloaded.
    """
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)  # a path or command must survive being copied
    plan = run.Plan(folder=folder.absolute(), records=records, incidents=incidents)
    run.prepare(plan.folder)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        _play(plan, console, as_json=as_json, keep=keep)
    except _Stopped:
        console.print(f"\nStopped. What had arrived by then is in {plan.folder}.")
        sys.exit(128 + signal.SIGINT)


def _play(plan: run.Plan, console: Console, *, as_json: bool, keep: bool) -> None:
    started = time.monotonic()
    console.print("starting a real Kafka broker")
    broker = EmbeddedBroker(plan.folder / "kafka", java_options=SHORT_LIVED)
    with broker, run.started(plan, broker, console.print) as running:
        run.wait_until_ready(running)
        run.publish(running)
        with _screen(console, running) as show:
            run.watch(running, show)
        _conclude(running, console, as_json=as_json, took_s=time.monotonic() - started)
        if keep:
            _keep(running, console)
        console.print("\nending all processes")


def _keep(running: run.Demo, console: Console) -> None:
    targets = run.write_targets(running)
    told = f"{' '.join(huecry())} status --targets {targets} --exchange {run.HERE / 'exchange.yaml'}"
    console.print(f"\nTo see how it is:\n{told}")
    console.print(f"All is left running, the broker at {running.broker.bootstrap}; Ctrl-C ends it.")
    try:
        while True:
            running.crew.check(may_finish=run.PRODUCERS)
            time.sleep(1)
    except _Stopped:
        return


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # Once: a second Ctrl-C must not cut the clean end short.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise _Stopped


@contextmanager
def _screen(console: Console, running: run.Demo) -> Iterator[Callable[[Figures, Mapping[str, int]], None]]:
    """A live table on a terminal; elsewhere a line every few seconds."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield lambda figures, published: live.update(_table(running, figures, published, "records flow"))
        return
    said_at = -_SAY_EVERY_S

    def plain(figures: Figures, published: Mapping[str, int]) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= _SAY_EVERY_S:
            said_at = time.monotonic()
            decided, delivered = sum(figures.decided.values()), sum(figures.delivered.values())
            console.print(f"{sum(published.values())} published, {decided} decided, {delivered} delivered")

    yield plain


def _conclude(running: run.Demo, console: Console, *, as_json: bool, took_s: float) -> None:
    figures, published = running.figures, running.published()
    if as_json:
        click.echo(json.dumps(_as_json(running, figures, published)))
        return
    console.print(_table(running, figures, published, f"\nAll arrived, {took_s:.0f} s after the start"))
    for part in closing_words(running, console.width):
        console.print(part, soft_wrap=isinstance(part, Text))


def _table(running: run.Demo, figures: Figures, published: Mapping[str, int], phase: str) -> RenderableType:
    return screen.live(figures, published, running.exchange, run.KINDS, phase)


def _as_json(running: run.Demo, figures: Figures, published: Mapping[str, int]) -> dict[str, object]:
    return {
        "published": sum(published.values()),
        "published_by": dict(published),
        "decisions": figures.decisions,
        "delivered": figures.delivered,
        "quarantined": figures.quarantined,
        "latency_ms": figures.latency_ms,
        "lives": lives_words.as_json(running.lives.lived()),
        "databases": {member: str(path) for member, path in running.receiving.items()},
        "ledgers": {force: str(path) for force, path in running.ledgers.items()},
        "bootstrap": running.broker.bootstrap,
    }
