"""``huecry broker``: a real Kafka on this machine."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import click

from deploy.broker import EmbeddedBroker
from deploy.cli.options import metrics_port_option
from deploy.cli.process import ops
from schemas.errors import Fatal
from schemas.ops.health import Health


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM: ends whatever runs, the start of Kafka included."""


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where its data stays between runs.  [default: a temporary folder, removed at the end]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9092,
    show_default=True,
    help="Port on 127.0.0.1; 0 for any that is free.",
)
@metrics_port_option
def broker(data: Path | None, port: int, metrics_port: int | None) -> None:
    """Run a real Apache Kafka, one node, on 127.0.0.1, until Ctrl-C or SIGTERM.

    Needs nothing but the `embedded` extra: its jars are fetched once (43 MB), and verified before every start. When it
    is ready, its address is printed on the first line of stdout.

    One node keeps one copy, without passwords: for trying, testing and small installations on one machine. For more,
    use a cluster of your own; every command takes its address as --bootstrap.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        with ops(metrics_port, "broker") as health:
            health.unready("Kafka is starting")
            _run(EmbeddedBroker(data, port), health)
    except _Stopped:
        click.echo("Kafka has stopped", err=True)


def _run(kafka: EmbeddedBroker, health: Health) -> None:
    with kafka as running:
        health.ready()
        click.echo(running.bootstrap)
        click.echo(f"Kafka is ready, its data in {running.data_dir}; Ctrl-C stops it", err=True)
        running.wait()
        raise Fatal(f"Kafka ended by itself; its last words:\n{running.last_words()}")


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # Once: a second Ctrl-C must not cut the clean stop short.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise _Stopped
