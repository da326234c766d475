"""``huecry ledger``: keep a force's own record of its disclosures in a database."""

from __future__ import annotations

from pathlib import Path

import click

from consumers.ledger import keep_ledger
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

_SAMPLE = "SELECT member, outcome, count(*) FROM decision GROUP BY member, outcome"


@click.command()
@exchange_option
@click.option("--force", required=True, metavar="MEMBER", help="Whose disclosures and feedback: one that publishes.")
@click.option(
    "--into",
    type=DATABASE,
    required=True,
    metavar="DATABASE",
    help="A file (SQLite), or postgresql://user@host/database; made if not there.",
)
@bootstrap_option
@client_properties_option
@registry_option
@metrics_port_option
@until_idle_option
def ledger(  # noqa: PLR0913, PLR0917  one parameter for each option
    exchange: Path,
    force: str,
    into: Place,
    bootstrap: str,
    properties_file: Path | None,
    registry: str | None,
    metrics_port: int | None,
    until_idle: float | None,
) -> None:
    """Keep a force's own record of every disclosure of its events, and of what it was told about them.

    Tables: disclosure (one row for each event, with all that was considered), decision (for each member: outcome,
    sections, grounds, rules), feedback, access_log (who has asked what). huecry explain and
    huecry trace read it.

    May be killed and started again at any time. Ends on Ctrl-C or SIGTERM, when the batch in hand is durable.
    """
    configure_logs("ledger")
    settings = ConsumerSettings(
        exchange=load_exchange(exchange),
        member=force,
        clients=ClientSettings(bootstrap, client_properties(properties_file)),
        into=into,
        lookup=schema_lookup(registry),
    )
    stop = stop_on_signals()
    with ops(metrics_port, "ledger", force) as health, status_line(f"ledger of {force}", health) as show:
        progress = keep_ledger(settings, stop, health, until_idle_s=until_idle, started=show)
    summary(progress, "records", into, _SAMPLE)
