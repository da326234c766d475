"""``huecry registry``: the schemas, for partners' deserialisers."""

from __future__ import annotations

from pathlib import Path

import click

from deploy.cli.options import metrics_port_option
from deploy.cli.process import ops, stop_on_signals
from schemas.catalogue import catalogue
from schemas.exchange import load_exchange
from schemas.ops.serving import LOOPBACK
from schemas.registry_api import serve_registry
from schemas.topics import topic_specs


@click.group()
def registry() -> None:
    """The schemas of every message, as a Confluent Schema Registry would serve them."""


@registry.command()
@click.option("--port", default=8081, show_default=True, metavar="N", help="Where to listen; 0: any free port.")
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="At which address: another than this machine's own only within a private network.",
)
@click.option(
    "--exchange",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="exchange.yaml: the list of subjects then names the topics of its members.",
)
@metrics_port_option
def serve(port: int, host: str, exchange: Path | None, metrics_port: int | None) -> None:
    """Serve the schemas of this release until stopped (Ctrl-C): read-only.

    Give its address to any client that speaks to a Confluent Schema Registry (`schema.registry.url`). Subjects are
    `<topic>-value`, as in partner.greater-manchester-value, for any member. To serve other machines, put it behind
    your own web server.
    """
    topics = [spec.name for spec in topic_specs(load_exchange(exchange))] if exchange else []
    stop = stop_on_signals()
    with ops(metrics_port, "registry") as health, serve_registry(port, catalogue(), topics, host=host) as server:
        health.ready()
        click.echo(f"{len(catalogue().entries)} schemas at {server.url} (Ctrl-C to stop)")
        stop.wait()
