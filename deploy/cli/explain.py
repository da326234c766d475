"""``huecry explain``: why a member got an event, or did not."""

from __future__ import annotations

import json
from pathlib import Path

import click

from consumers.ledger_queries import Ledger
from consumers.sinks.places import Place
from deploy.cli.database import DATABASE
from deploy.explaining import as_json, explain_event
from deploy.explaining_words import as_lines
from routing.agreements import load_bundle


@click.command()
@click.argument("event_id", metavar="EVENT")
@click.option("--to", "member", required=True, metavar="MEMBER", help="The member that got it, or did not.")
@click.option(
    "--ledger",
    type=DATABASE,
    required=True,
    metavar="DATABASE",
    help="The origin's own ledger, as huecry ledger keeps it: a file, or postgresql://user@host/database.",
)
@click.option(
    "--agreements",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The bundle that decided: then every rule is shown, and the decision is made again.",
)
@click.option("--json", "show_json", is_flag=True, help="One JSON object.")
def explain(event_id: str, member: str, ledger: Place, agreements: Path | None, *, show_json: bool) -> None:
    """Say why a member got an event, or did not, from the origin's ledger.

    For the origin only. The ledger notes who asked (DPA 2018 s.62).
    """
    bundle = load_bundle(agreements) if agreements else None
    with Ledger(ledger) as opened:
        *earlier, last = explain_event(opened, event_id, member, bundle)
    if show_json:
        before = {"earlier": [as_json(each) for each in earlier]} if earlier else {}
        click.echo(json.dumps(as_json(last) | before))
        return
    for number, each in enumerate(earlier, start=1):
        click.echo(f"Decided {len(earlier) + 1} times, because somebody ruled: this is decision {number}.")
        click.echo("\n".join((*as_lines(each), "")))
    if earlier:
        click.echo(f"Decision {len(earlier) + 1}, the last:")
    click.echo("\n".join(as_lines(last)))
