"""``huecry desk``: tell people that somebody is asked."""

from __future__ import annotations

from pathlib import Path

import click

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
from deploy.notifying.notifiers import AUTHORIZATION_VARIABLE, notifier_of
from deploy.notifying.running import notify
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties
from schemas.ops.logs import configure_logs

_SAMPLE = "SELECT * FROM told ORDER BY told_at"


@click.command()
@exchange_option
@click.option("--force", required=True, metavar="MEMBER", help="Whose cases: one that publishes.")
@click.option(
    "--notify",
    "target",
    required=True,
    metavar="URL|COMMAND",
    help="A webhook (http, https) that takes each notice as JSON, or a command that reads it on its standard input. "
    f"{AUTHORIZATION_VARIABLE} may hold a webhook's Authorization header.",
)
@click.option(
    "--remember",
    type=DATABASE,
    required=True,
    metavar="DATABASE",
    help="Where it is kept what was told: a file (SQLite), or postgresql://user@host/database; made if not there.",
)
@bootstrap_option
@client_properties_option
@registry_option
@metrics_port_option
@until_idle_option
def desk(  # noqa: PLR0913, PLR0917  one parameter for each option
    exchange: Path,
    force: str,
    target: str,
    remember: Place,
    bootstrap: str,
    properties_file: Path | None,
    registry: str | None,
    metrics_port: int | None,
    until_idle: float | None,
) -> None:
    """Tell people for each case opened or escalated: which case, which role is asked, until when.

    Nothing else is told, and no personal data: whoever is told looks with huecry cases. A webhook or command that is
    away is tried again until it answers. Each is told at least once, under a notice_id that stays the same.

    May be killed and started again at any time. Ends on Ctrl-C or SIGTERM.
    """
    configure_logs("desk")
    notifier = notifier_of(target)
    settings = ConsumerSettings(
        exchange=load_exchange(exchange),
        member=force,
        clients=ClientSettings(bootstrap, client_properties(properties_file)),
        into=remember,
        lookup=schema_lookup(registry),
    )
    stop = stop_on_signals()
    with ops(metrics_port, "desk", force) as health, status_line(f"desk of {force}", health) as show:
        progress = notify(settings, notifier, stop, health, until_idle_s=until_idle, started=show)
    summary(progress, "case records", remember, _SAMPLE)
