"""``huecry discretions``: what people shared beyond the rules on a day, for review the next."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta

import click

from consumers.ledger_queries import LONDON
from consumers.ledger_taken_back import Beyond
from consumers.sinks.places import Place
from deploy.cli.desk_options import for_who_looks, json_option
from deploy.desk.callers import Caller
from deploy.desk.review import as_json, as_lines


@click.command()
@for_who_looks
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Which day, in Europe/London; yesterday where it is not given.",
)
@json_option
def discretions(ledger: Place, who: Caller, *, day: datetime | None, show_json: bool) -> None:
    """List what was shared at discretion and over forbids on a day, for review.

    Who shared what with whom, why, on what basis, and whether it counted.
    """
    chosen = day.date() if day else datetime.now(LONDON).date() - timedelta(days=1)
    with Beyond(ledger, who=who.reader) as opened:
        found = opened.shared_beyond(_start(chosen), _start(chosen + timedelta(days=1)))
    click.echo(json.dumps(as_json(found)) if show_json else "\n".join(as_lines(found, f"{chosen:%a} {chosen}")))


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON).astimezone(UTC)
