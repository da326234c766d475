"""``huecry demo``: show the whole path working, with real police records."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from deploy.broker import EmbeddedBroker
from deploy.demo import run, screen
from deploy.demo.figures import Figures
from deploy.demo.story import closing_words


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end, and nothing else on stdout.")
@click.option("--keep", is_flag=True, help="Leave all running until Ctrl-C, to query and to try commands on.")
@click.option("--records", type=click.IntRange(1, 600), default=400, show_default=True, help="Real records to replay.")
@click.option("--incidents", type=click.IntRange(1), default=60, show_default=True, help="Synthetic incidents to play.")
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
    invented. Takes half a minute; the first time longer, since Kafka is downloaded.
    """
    console = Console(stderr=as_json)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    folder = folder.absolute()
    run.prepare(folder)
    plan = run.Plan(folder=folder, records=records, incidents=incidents)
    started = time.monotonic()
    console.print("starting a real Kafka broker")
    with EmbeddedBroker(folder / "kafka") as broker:
        running = run.start(plan, broker, console.print)
        try:
            run.wait_until_ready(running)
            run.publish(running)
            with _screen(console, running) as show:
                run.watch(running, show, stop)
            if stop.is_set():
                return
            _conclude(running, console, as_json=as_json, took_s=time.monotonic() - started)
            if keep:
                console.print(f"\nAll is left running (broker at {broker.bootstrap}); Ctrl-C ends it.")
                stop.wait()
        finally:
            running.crew.stop()


@contextmanager
def _screen(console: Console, running: run.Demo) -> Iterator[Callable[[Figures, Mapping[str, int]], None]]:
    """A live table on a terminal; elsewhere a line every few seconds."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4) as live:
            yield lambda figures, published: live.update(
                screen.live(figures, published, running.exchange, "records flow")
            )
        return
    said = [0.0]

    def plain(figures: Figures, published: Mapping[str, int]) -> None:
        if time.monotonic() - said[0] > 2:
            said[0] = time.monotonic()
            console.print(f"published {sum(published.values())}, delivered {sum(figures.delivered.values())}")

    yield plain


def _conclude(running: run.Demo, console: Console, *, as_json: bool, took_s: float) -> None:
    figures, published = running.figures, running.published()
    if as_json:
        click.echo(json.dumps(_as_json(running, figures, published)))
        return
    console.print(screen.live(figures, published, running.exchange, f"\nAll arrived, {took_s:.0f} s after the start"))
    for part in closing_words(running):
        console.print(part)


def _as_json(running: run.Demo, figures: Figures, published: Mapping[str, int]) -> dict[str, object]:
    return {
        "published": sum(published.values()),
        "published_by": dict(published),
        "decisions": figures.decisions,
        "delivered": figures.delivered,
        "quarantined": figures.quarantined,
        "latency_ms": figures.latency_ms,
        "databases": {member: str(path) for member, path in running.receiving.items()},
        "ledgers": {force: str(path) for force, path in running.ledgers.items()},
        "bootstrap": running.broker.bootstrap,
    }
