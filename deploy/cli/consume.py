"""``huecry consume``: write what a member receives into its own database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from consumers.receiving import receive
from consumers.replaying import replay
from consumers.settings import AnswersByCall, ConsumerSettings
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
from deploy.cli.replay import SINCE, since_when, told
from deploy.cli.secret import secret
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
@click.option(
    "--answers-port",
    type=int,
    envvar="HUECRY_ANSWERS_PORT",
    show_envvar=True,
    metavar="N",
    help="Take the receiving system's answers on this port too, at 127.0.0.1: POST /answers.",
)
@click.option(
    "--answers-token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="HUECRY_ANSWERS_TOKEN_FILE",
    show_envvar=True,
    metavar="FILE",
    help="Holds one line that a caller must show as a Bearer token. Without it whoever is on this machine may answer.",
)
@click.option(
    "--replay",
    "since",
    type=SINCE,
    metavar="TIME|BEGINNING",
    help="First read again from then on, and write what is missing: see huecry replay.",
)
@until_idle_option
def consume(  # noqa: PLR0913, PLR0917  one parameter for each option
    exchange: Path,
    member: str,
    into: Place,
    bootstrap: str,
    properties_file: Path | None,
    registry: str | None,
    metrics_port: int | None,
    answers_port: int | None,
    answers_token_file: Path | None,
    since: datetime | str | None,
    until_idle: float | None,
) -> None:
    """Write what a member receives into its own database, once and in order, and send receipts.

    Deliveries, position and receipts are written in one transaction of the database, so that this may be killed and
    started again at any time. Tables: incident (one row each), section (current content as JSON), classification,
    location, person, casualty, vehicle, resource, hazard, log_entry (current content as columns), delivery (what came
    when, and why it may be told), awaiting (what waits for an answer), set_aside, gap, stream_gap.

    The receiving system answers by inserting into table answer, by a call, or with huecry answer. What may be kept no
    longer (retain_until) is deleted, unless table hold names it.

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
    answers = None if answers_port is None else AnswersByCall(answers_port, secret(answers_token_file))
    stop = stop_on_signals()
    with ops(metrics_port, "consume", member) as health, status_line(member, health) as show:
        if since is not None:
            click.echo(told(replay(settings, since_when(since), stop)), err=True)
        progress = receive(settings, stop, health, until_idle_s=until_idle, answers=answers, started=show)
    summary(progress, "deliveries", into, _SAMPLE)
