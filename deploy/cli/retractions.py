"""``huecry retractions``: what was taken back, from whom, and who has confirmed it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click

from consumers.ledger_taken_back import Beyond
from consumers.sinks.places import Place
from deploy.cli.desk_options import for_who_looks, json_option
from deploy.desk.callers import Caller
from deploy.retracting.retraction_words import as_json, as_lines
from deploy.retracting.retractions import only_member, retractions_of


@click.command()
@for_who_looks
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="How far back.")
@click.option("--open", "only_open", is_flag=True, help="Only those that no person has confirmed.")
@click.option("--overdue", "only_overdue", is_flag=True, help="Only those whose limit has passed; exit code 3 if any.")
@click.option("--member", metavar="MEMBER", help="Only those of this member.")
@json_option
def retractions(
    ledger: Place,
    who: Caller,
    *,
    days: int,
    only_open: bool,
    only_overdue: bool,
    member: str | None,
    show_json: bool,
) -> None:
    """Show what was taken back, from whom, why, and what became of it: confirmed by whom, passed on to whom.

    One that a person at the member has not confirmed is open; one whose limit has passed is overdue. One made because
    somebody had what they must not have had is a breach record, and tells the hours since.
    """
    now = datetime.now(UTC)
    with Beyond(ledger, who=who.reader) as opened:
        taken_back = opened.taken_back(now - timedelta(days=days))
    found = only_member(retractions_of(taken_back.feedback, taken_back.rulings), member)
    found = tuple(each for each in found if each.is_open) if only_open else found
    found = tuple(each for each in found if each.is_overdue(now)) if only_overdue else found
    click.echo(json.dumps(as_json(found, now)) if show_json else "\n".join(as_lines(found, now)))
    if only_overdue and found:
        click.get_current_context().exit(3)
