"""``huecry registry``: the schemas, for partners' deserialisers."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from schemas.catalogue import catalogue
from schemas.exchange import load_exchange
from schemas.registry_api import serve_registry
from schemas.topics import topic_specs


@click.group()
def registry() -> None:
    """The schemas of every message, as a Confluent Schema Registry would serve them."""


@registry.command()
@click.option("--port", default=8081, show_default=True, metavar="N", help="Where on 127.0.0.1 to listen; 0: any.")
@click.option(
    "--exchange",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="exchange.yaml: the list of subjects then names the topics of its members.",
)
def serve(port: int, exchange: Path | None) -> None:
    """Serve the schemas of this release until stopped (Ctrl-C): read-only, on 127.0.0.1.

    Give its address to any client that speaks to a Confluent Schema Registry (`schema.registry.url`). Subjects are
    `<topic>-value`, as in partner.greater-manchester-value, for any member. To serve other machines, put it behind
    your own web server.
    """
    topics = [spec.name for spec in topic_specs(load_exchange(exchange))] if exchange else []
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    with serve_registry(port, catalogue(), topics) as server:
        click.echo(f"{len(catalogue().entries)} schemas at {server.url} (Ctrl-C to stop)")
        stop.wait()
