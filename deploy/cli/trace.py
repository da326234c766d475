"""``huecry trace``: one incident's whole life on one screen."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from consumers.ledger_queries import Ledger
from consumers.sinks.places import Place
from deploy.cli.database import DATABASE
from deploy.tracing import trace_incident
from deploy.tracing_words import as_lines


@click.command()
@click.argument("incident", metavar="INCIDENT")
@click.option(
    "--ledger",
    type=DATABASE,
    required=True,
    metavar="DATABASE",
    help="The origin's own ledger, as huecry ledger keeps it: a file, or postgresql://user@host/database.",
)
@click.option("--json", "show_json", is_flag=True, help="One JSON object; times in UTC.")
def trace(incident: str, ledger: Place, *, show_json: bool) -> None:
    """Show one incident's whole life, from the origin's ledger, and what each member has now.

    Every event: who was sent what of it, under which rule, what they said of it and how long each step took.

    INCIDENT is an incident_id, the event_id of one of its events, or the reference that a member gave when it accepted
    it. For the origin only. The ledger notes who asked (DPA 2018 s.62).
    """
    with Ledger(ledger) as opened:
        traced = trace_incident(opened, incident)
    if show_json:
        click.echo(json.dumps(asdict(traced)))
    else:
        click.echo("\n".join(as_lines(traced)))
