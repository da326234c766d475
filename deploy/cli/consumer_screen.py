"""What ``huecry consume`` and ``huecry ledger`` show: a status line where a person looks, and a summary at the end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from threading import Event

import click
from rich.console import Console

from consumers.runner import Progress
from consumers.sinks.places import Place
from schemas.codec import SchemaLookup
from schemas.ops.health import Health

_REFRESH_S = 0.25


@contextmanager
def status_line(title: str, health: Health) -> Iterator[Callable[[Progress], None]]:
    """Give the progress to what this yields, and a terminal shows it; anything else than a terminal is left alone."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    ended = Event()
    with console.status(f"{title}: waiting for Kafka") as status:

        def show(progress: Progress) -> None:
            def refresh() -> None:
                while not ended.wait(_REFRESH_S):
                    status.update(f"{title}: {figures(progress, health)}")

            threading.Thread(target=refresh, daemon=True).start()

        try:
            yield show
        finally:
            ended.set()


def figures(progress: Progress, health: Health) -> str:
    """One line of figures, and what the consumer waits for."""
    reasons = list(health.reasons().values())
    waiting = f"; waiting: {', '.join(reasons)}" if reasons else ""
    missing = f", {progress.missing} MISSING: see huecry replay" if progress.missing else ""
    return (
        f"{progress.received} received, {progress.written} written, {progress.repeated} repeated, "
        f"{progress.set_aside} set aside, {progress.lag_s:.1f} s behind{missing}{waiting}"
    )


def summary(progress: Progress, what: str, into: Place, query: str) -> None:
    """The closing lines: what came, and how to read it."""
    click.echo(
        f"{progress.received} {what} received: {progress.written} written, {progress.repeated} repeated, "
        f"{progress.set_aside} set aside",
        err=True,
    )
    if progress.missing:
        click.echo(f"{progress.missing} deliveries are missing: read again with huecry replay", err=True)
    reader = "sqlite3 -box {} {}" if isinstance(into, Path) else "psql {} -c {}"
    click.echo(f"to read them: {reader.format(quote(str(into)), quote(query))}", err=True)


def schema_lookup(registry: str | None) -> SchemaLookup | None:
    """Where to find newer schemas; None without a registry."""
    if registry is None:
        return None
    from schemas.registry import RegistryLookup  # noqa: PLC0415  its client is slow to import and seldom asked for

    return RegistryLookup(registry)
