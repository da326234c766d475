"""``huecry retract``: take an incident back from those who hold it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click

from deploy.cli.desk_options import because_option, for_who_rules, tell
from deploy.desk.desk import Desk
from deploy.desk.rulings import a_ruling, recipients_of
from deploy.retracting.known import KnownIncident, known_incident
from schemas.codes import codes
from schemas.errors import Rejected

from_option: Final = click.option(
    "--from",
    "members",
    multiple=True,
    metavar="MEMBER",
    help="From whom; may be given again; none: from every member that holds it.",
)
reason_option: Final = click.option(
    "--reason",
    type=click.Choice(codes("change-reason")),
    required=True,
    help="Why, as a code: the members are told it.",
)


@click.command()
@click.argument("incident", metavar="INCIDENT")
@for_who_rules
@from_option
@reason_option
@click.option(
    "--ask",
    type=click.Choice(["erase", "restrict"]),
    required=True,
    help="What they are asked: to erase it, or to keep it sealed as evidence.",
)
@because_option
def retract(  # noqa: PLR0913  one parameter for each option
    desk: Desk,
    incident: str,
    *,
    members: tuple[str, ...],
    reason: str,
    ask: str,
    because: str,
    wait_s: float,
    show_json: bool,
) -> None:
    """Take an incident back from members that hold it, and bar it to them until somebody lifts the bar.

    They hide it at once; a person there confirms what became of it: huecry retractions shows who has. INCIDENT is an
    incident_id, one of its events, or the log number of its case.

    Exit codes: 0 it counts; 1 nothing was sent; 3 the router did not take it; 4 it is sent for good, and the router has
    not said yet.
    """
    now = datetime.now(UTC)
    known = known_incident(desk.ledger, desk.caller, incident, now)
    if not members and not known.held:
        raise Rejected(
            "nobody-holds",
            f"nobody holds anything of incident {known.incident_id}, as far as this ledger knows",
            remedy="to bar it to a member all the same, name that member: --from MEMBER",
        )
    ruling = a_ruling(
        known.force,
        known.incident_id,
        "retract",
        desk.ruler(known.force),
        now,
        recipients=recipients_of(desk.exchange, known.force, members),
        seen_sequence=known.sequence,
        reason=reason,
        ask=ask,
        because=because,
    )
    if not show_json:
        tell_what_it_is(known, now)
    tell(desk.rule(known.force, [ruling], wait_s), wait_s, show_json=show_json)


def tell_what_it_is(known: KnownIncident, now: datetime) -> None:
    """Which incident this is, and who holds what of it, so that whoever rules sees that it is the one that is meant."""
    click.echo(known.words(now))
    for held in known.held:
        click.echo(f"  held by {held.member}: {', '.join(held.names)}")
    if not known.held:
        click.echo("  held by nobody, as far as this ledger knows")
