"""``huecry bars``: to whom an incident is barred since it was taken back, and lifting that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click

from consumers.ledger_taken_back import Beyond
from consumers.sinks.places import Place
from deploy.cli.desk_options import because_option, for_who_looks, for_who_rules, json_option, tell
from deploy.desk.callers import Caller
from deploy.desk.desk import Desk
from deploy.desk.moments import clock, moment_of
from deploy.desk.rulings import a_ruling, recipients_of
from deploy.retracting.known import KnownIncident, known_incident
from deploy.retracting.retractions import bars_of
from schemas.errors import Rejected

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@click.group()
def bars() -> None:
    """See to whom an incident is barred since it was taken back, and lift a bar.

    What was retracted from a member flows to it no more, whatever rules say, until a person lifts the bar.
    """


@bars.command("list")
@for_who_looks
@json_option
def list_(ledger: Place, who: Caller, *, show_json: bool) -> None:
    """List the bars that stand, the oldest first."""
    now = datetime.now(UTC)
    with Beyond(ledger, who=who.reader) as opened:
        taken_back = opened.taken_back(_EVER)
    standing = bars_of(taken_back.feedback, taken_back.rulings)
    if show_json:
        click.echo(json.dumps([asdict(bar) for bar in standing]))
        return
    for bar in standing:
        reason = f" ({bar.reason})" if bar.reason else ""
        click.echo(f"{bar.member}  incident {bar.incident_id}  since {clock(moment_of(bar.since), now)}{reason}")
    if not standing:
        click.echo("No incident is barred to anybody.")


def _check_barred(known: KnownIncident, members: Sequence[str]) -> None:
    """See that there is something to lift: of what is not barred a router has nothing to say."""
    barred = {bar.member for bar in bars_of(known.whole.feedback, known.whole.rulings)}
    if free := [member for member in members if member not in barred]:
        raise Rejected(
            "not-barred",
            f"incident {known.incident_id} is not barred to {', '.join(free)}, as far as this ledger knows; it is "
            f"barred to {', '.join(sorted(barred)) or 'nobody'}",
        )


@bars.command()
@click.argument("incident", metavar="INCIDENT")
@for_who_rules
@click.option("--from", "members", multiple=True, required=True, metavar="MEMBER", help="For whom it is lifted.")
@because_option
def lift(desk: Desk, incident: str, *, members: tuple[str, ...], because: str, wait_s: float, show_json: bool) -> None:
    """Lift the bar of an incident for members: what rules grant flows to them again, from its next event on."""
    now = datetime.now(UTC)
    known = known_incident(desk.ledger, desk.caller, incident, now)
    _check_barred(known, members)
    ruling = a_ruling(
        known.force,
        known.incident_id,
        "lift-bar",
        desk.ruler(known.force),
        now,
        recipients=recipients_of(desk.exchange, known.force, members),
        seen_sequence=known.sequence,
        because=because,
    )
    tell(desk.rule(known.force, [ruling], wait_s), wait_s, show_json=show_json)
