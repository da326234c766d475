"""What ``huecry produce`` shows: a status line on a terminal, plain lines elsewhere, and a summary at the end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import Final

import click
from rich.console import Console

from producers.rehearsal import Rehearsal, stated
from producers.runner import Progress

_PLAIN_EVERY_S: Final = 10.0


@contextmanager
def progress_line(force: str) -> Iterator[Callable[[Progress], None]]:
    """What this yields shows the progress: live on a terminal, else a plain line now and then while there is news."""
    if sys.stderr.isatty():
        with Console(stderr=True).status(f"{force}: starting") as status:
            yield lambda progress: status.update(f"{force}: {figures(progress)}")
        return
    said_at, said = time.monotonic(), ""

    def say(progress: Progress) -> None:
        nonlocal said_at, said
        text = figures(progress)
        if text != said and time.monotonic() - said_at >= _PLAIN_EVERY_S:
            said_at, said = time.monotonic(), text
            click.echo(f"{force}: {text}", err=True)

    yield say


def figures(progress: Progress) -> str:
    """One line of figures."""
    rate = progress.acknowledged / progress.seconds if progress.seconds else 0.0
    parts = [
        f"{progress.read:,} read",
        f"{progress.acknowledged:,} published ({rate:,.0f}/s)",
        f"{progress.unfinished:,} waiting for Kafka",
        f"{progress.set_aside.total() + progress.refused:,} set aside",
        f"{progress.repeated:,} repeated",
    ]
    return ", ".join(parts)


def summary(progress: Progress, force: str, spool: Path, mapping: Path | None) -> None:
    """The closing lines: what became of the records, and what to type next."""
    click.echo(f"{force}: {figures(progress)} in {progress.seconds:.1f} s", err=True)
    for reason, count in progress.set_aside.most_common():
        click.echo(f"  set aside, {reason}: {count:,}", err=True)
    if progress.refused:
        click.echo(f"  refused by Kafka for good: {progress.refused:,}", err=True)
    where = f"--spool {quote(str(spool))}"
    if progress.set_aside or progress.refused:
        click.echo(f"to see why: huecry setaside list {where}", err=True)
        if mapping is not None:
            click.echo("after mending the mapping: huecry setaside retry --help", err=True)
    if progress.unfinished:
        click.echo(f"{progress.unfinished:,} events wait in {spool}: the same command sends them", err=True)


def summary_json(progress: Progress, force: str, spool: Path) -> None:
    """The same as one JSON object on stdout."""
    told = asdict(progress) | {"force": force, "spool": str(spool), "seconds": round(progress.seconds, 3)}
    told["published"] = told.pop("acknowledged")
    click.echo(json.dumps(told))


def show_rehearsal(result: Rehearsal, *, as_json: bool) -> None:
    """What a mapping makes of the first records. Shows an event, personal data and all, to its owner."""
    first = stated(result.first) if result.first else None
    if as_json:
        told = asdict(result) | {"first": first, "filled": dict(sorted(result.filled.items()))}
        click.echo(json.dumps(told))
        return
    if first is not None:
        click.echo("The first event as it would be sent (the spool adds event_id and sequence):\n")
        click.echo(json.dumps(first, indent=2, ensure_ascii=False))
        click.echo("\nFields, and in how many of the events:\n")
        for path, count in sorted(result.filled.items()):
            click.echo(f"  {count:>7,}  {path}")
    click.echo(
        f"\n{result.records:,} records: {result.events:,} events of {result.incidents:,} incidents, "
        f"{result.repeated:,} repeated, {result.set_aside.total():,} would be set aside"
    )
    for reason, count in result.set_aside.most_common():
        click.echo(f"\n  {reason}: {count:,}")
        for message in result.messages[reason]:
            click.echo(f"    {message}")
    click.echo("\nNothing was published. Without --check the same command publishes.")
