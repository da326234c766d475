"""``huecry share``: a person shares what no rule grants, or over a forbid when life is at risk."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from deploy.cli.desk_options import Moment, because_option, for_who_rules, seen_option, tell
from deploy.cli.retract import tell_what_it_is
from deploy.desk.beyond_rules import BeyondKind, roles_beyond, terms_of
from deploy.desk.desk import Desk
from deploy.desk.rulings import LOCATES, a_ruling, parts_of, recipients_of
from deploy.retracting.known import known_incident
from routing.agreements.model import Locate
from schemas.errors import Rejected


@click.command()
@click.argument("incident", metavar="INCIDENT")
@for_who_rules
@click.option("--to", "to", multiple=True, required=True, metavar="MEMBER", help="With whom; may be given again.")
@click.option(
    "--sections",
    multiple=True,
    required=True,
    metavar="SECTION",
    help="What: head or sections, with commas or given again.",
)
@because_option
@click.option("--basis", required=True, metavar="TEXT", help="The legal basis, as you state it.")
@click.option("--agreement", metavar="ID", help="The agreement whose terms hold, where more than one fits.")
@click.option("--locate", type=click.Choice(LOCATES), default="exact", help="How finely places may be told, at most.")
@click.option("--until", type=Moment(), metavar="TIME", help="Until when it counts: 2h, 03:45.")
@click.option("--later-events", is_flag=True, help="Later events of the incident too, not only the latest.")
@click.option("--life-at-risk", is_flag=True, help="Over a forbid that lets your role override it; 4 hours at most.")
@seen_option
def share(  # noqa: PLR0913  one parameter for each option
    desk: Desk,
    incident: str,
    *,
    to: tuple[str, ...],
    sections: tuple[str, ...],
    because: str,
    basis: str,
    agreement: str | None,
    locate: Locate,
    until: datetime | None,
    later_events: bool,
    life_at_risk: bool,
    seen: int | None,
    wait_s: float,
    show_json: bool,
) -> None:
    """Share named sections of an incident with members to whom no rule grants them.

    For roles that the policy lets share at discretion; never what is referred: that is released through its case. With
    --life-at-risk, for roles that a forbid names, over that forbid. Both are listed for review the next day: huecry
    discretions. What you rule on is the latest event that the ledger has, unless --seen says otherwise.

    Exit codes: 0 it counts; 1 nothing was sent; 3 the router did not take it; 4 it is sent for good, and the router has
    not said yet.
    """
    if life_at_risk and later_events:
        raise Rejected("not-both", "--life-at-risk covers what comes until its limit: leave out --later-events")
    now = datetime.now(UTC)
    kind: BeyondKind = "override" if life_at_risk else "discretion"
    known = known_incident(desk.ledger, desk.caller, incident, now)
    members = recipients_of(desk.exchange, known.force, to)
    ruler = desk.ruler(known.force, roles_beyond(desk.bundle, kind))
    terms = terms_of(desk.bundle, known.force, kind, ruler, members, agreement, until, now)
    ruling = a_ruling(
        known.force,
        known.incident_id,
        kind,
        ruler,
        now,
        recipients=members,
        sections=parts_of(sections),
        seen_sequence=known.sequence if seen is None else seen,
        because=because,
        basis=basis,
        agreement=terms.agreement,
        locate=locate,
        until=terms.until,
        later_events=later_events,
    )
    if not show_json:
        tell_what_it_is(known, now)
        click.echo(f"shared as {ruler.role} on the terms of {terms.agreement}")
    tell(desk.rule(known.force, [ruling], wait_s), wait_s, show_json=show_json)
