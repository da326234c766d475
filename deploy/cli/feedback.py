"""``huecry feedback``: write what became of a force's events where its people see it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from consumers.feedback.carrying import FeedbackSettings, Way, carry_feedback
from consumers.feedback.database_sink import FeedbackDatabase
from consumers.feedback.file_sink import FeedbackFile
from consumers.feedback.posting import Webhook
from consumers.feedback.webhook_sink import FeedbackWebhook
from consumers.sinks.places import Place
from deploy.cli.consumer_screen import schema_lookup, status_line
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
from deploy.cli.secret import secret
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties
from schemas.ops.logs import configure_logs


@click.command()
@exchange_option
@click.option("--force", required=True, metavar="MEMBER", help="Whose feedback: a member that publishes.")
@click.option(
    "--into",
    type=DATABASE,
    metavar="DATABASE",
    help="A file (SQLite), or postgresql://user@host/database; made if not there.",
)
@click.option("--webhook", metavar="URL", help="Where each record is posted as JSON.")
@click.option(
    "--webhook-state",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keeps how far the webhook is, and what it can never take.  [default: feedback-webhook-MEMBER.db]",
)
@click.option(
    "--webhook-secret-file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="HUECRY_WEBHOOK_SECRET_FILE",
    show_envvar=True,
    metavar="FILE",
    help="Holds one line with which each request is signed (HMAC-SHA256).",
)
@click.option(
    "--file",
    "lines",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Each record becomes a line of JSON at its end; its position stands beside it.",
)
@bootstrap_option
@client_properties_option
@registry_option
@metrics_port_option
@until_idle_option
def feedback(  # noqa: PLR0913, PLR0917  one parameter for each option
    exchange: Path,
    force: str,
    into: Place | None,
    webhook: str | None,
    webhook_state: Path | None,
    webhook_secret_file: Path | None,
    lines: Path | None,
    bootstrap: str,
    properties_file: Path | None,
    registry: str | None,
    metrics_port: int | None,
    until_idle: float | None,
) -> None:
    """Write what became of a force's events into a database, to a webhook, into a file, or several of these.

    In the database, table status_of_incident has a line for each incident and member, as a dispatcher reads it, and
    table feedback every record. Each record is written once; one place that is away holds up none of the others. May be
    killed and started again at any time.
    """
    configure_logs("feedback")
    settings = FeedbackSettings(
        exchange=load_exchange(exchange),
        force=force,
        clients=ClientSettings(bootstrap, client_properties(properties_file)),
        lookup=schema_lookup(registry),
    )
    ways: list[Way] = []
    if into is not None:
        ways.append(Way("feedback", partial(FeedbackDatabase, into, force, settings.names())))
    if webhook is not None:
        state = webhook_state or Path(f"feedback-webhook-{force}.db")
        to = Webhook(webhook, secret(webhook_secret_file))
        ways.append(Way("feedback-webhook", partial(FeedbackWebhook, state, force, to)))
    if lines is not None:
        ways.append(Way("feedback-file", partial(FeedbackFile, lines, force)))
    if not ways:
        raise click.UsageError("name where it goes: --into, --webhook, --file, or several")
    stop = stop_on_signals()
    with ops(metrics_port, "feedback", force) as health, status_line(f"feedback of {force}", health) as show:
        done = carry_feedback(settings, ways, stop, health, until_idle_s=until_idle, started=show)
    for way, progress in zip(ways, done, strict=True):
        click.echo(
            f"{way.store}: {progress.received} received: {progress.written} written, {progress.repeated} repeated, "
            f"{progress.set_aside} set aside",
            err=True,
        )
