"""``huecry consume``: write what a member receives into its own database."""

from __future__ import annotations

from pathlib import Path

import click

from consumers.receiving import receive
from consumers.settings import ConsumerSettings
from consumers.sinks.places import Place
from deploy.cli.consumer_screen import schema_lookup, status_line, summary
from deploy.cli.database import DATABASE
from deploy.cli.options import (
    bootstrap_option,
    client_properties_option,
    exchange_option,
    metrics_port_option,
    registry_option,
    until_idle_option,
)
from deploy.cli.process import ops, stop_on_signals
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties
from schemas.ops.logs import configure_logs

_SAMPLE = "SELECT origin, local_ref, category, grade, status, last_heard_at FROM incident ORDER BY last_heard_at"


@click.command()
@exchange_option
@click.option("--member", required=True, metavar="MEMBER", help="Whose deliveries: a member that receives.")
@click.option(
    "--into",
    type=DATABASE,
    required=True,
    metavar="DATABASE",
    help="A file (SQLite), or postgresql://user@host/database; made if not there. Any program may read it.",
)
@bootstrap_option
@client_properties_option
@registry_option
@metrics_port_option
@until_idle_option
def consume(  # noqa: PLR0913, PLR0917  one parameter for each option
    exchange: Path,
    member: str,
    into: Place,
    bootstrap: str,
    properties_file: Path | None,
    registry: str | None,
    metrics_port: int | None,
    until_idle: float | None,
) -> None:
    """Write what a member receives into its own database, once and in order, and send receipts.

    Deliveries, position and receipts are written in one transaction of the database, so that this may be killed and
    started again at any time. Tables: incident (one row each), section (current content as JSON), classification,
    location, person, casualty, vehicle, resource, hazard, log_entry (current content as columns), delivery (what came
    when, and why it may be told), set_aside, gap.

    Ends on Ctrl-C or SIGTERM, when the batch in hand is durable.
    """
    configure_logs("consume")
    settings = ConsumerSettings(
        exchange=load_exchange(exchange),
        member=member,
        clients=ClientSettings(bootstrap, client_properties(properties_file)),
        into=into,
        lookup=schema_lookup(registry),
    )
    stop = stop_on_signals()
    with ops(metrics_port, "consume", member) as health, status_line(member, health) as show:
        progress = receive(settings, stop, health, until_idle_s=until_idle, started=show)
    summary(progress, "deliveries", into, _SAMPLE)
