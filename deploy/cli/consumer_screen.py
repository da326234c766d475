"""What ``huecry consume`` and ``huecry ledger`` show: a status line where a person looks, and a summary at the end."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

import click
from rich.console import Console

from consumers.runner import Progress
from schemas.codec import SchemaLookup
from schemas.ops.health import Health, serve_ops

_REFRESH_S = 0.25


def stop_on_signals() -> Event:
    """Set by SIGTERM and SIGINT: the batch in hand is finished, then the process ends."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def ops(metrics_port: int | None) -> Iterator[Health]:
    """Health, served with the metrics if a port is named."""
    health = Health()
    server = serve_ops(metrics_port, health) if metrics_port else None
    try:
        yield health
    finally:
        if server is not None:
            server.close()


@contextmanager
def status_line(title: str) -> Iterator[Callable[[Progress], None]]:
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
                    status.update(f"{title}: {_figures(progress)}")

            threading.Thread(target=refresh, daemon=True).start()

        try:
            yield show
        finally:
            ended.set()


def _figures(progress: Progress) -> str:
    waiting = "; waiting, see the log" if progress.waiting else ""
    return (
        f"{progress.received} received, {progress.written} written, {progress.repeated} repeated, "
        f"{progress.set_aside} set aside, {progress.lag_s:.1f} s behind{waiting}"
    )


def summary(progress: Progress, what: str, query: str) -> None:
    """The closing lines."""
    click.echo(
        f"{progress.received} {what} received: {progress.written} written, {progress.repeated} repeated, "
        f"{progress.set_aside} set aside",
        err=True,
    )
    click.echo(f"to read them: {query}", err=True)


def schema_lookup(registry: str | None) -> SchemaLookup | None:
    """Where to find newer schemas; None without a registry."""
    if registry is None:
        return None
    from schemas.registry import RegistryLookup  # noqa: PLC0415  its client is slow to import and seldom asked for

    return RegistryLookup(registry)
