"""``huecry withdraw``: take back parts of an incident, or all that the policy in force no longer permits."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from consumers.ledger_queries import Ledger
from deploy.cli.desk_options import for_who_rules, sections_option, tell
from deploy.cli.retract import from_option, tell_what_it_is
from deploy.desk.desk import Desk
from deploy.desk.rulings import a_ruling, parts_of, recipients_of
from deploy.retracting.known import KnownIncident, known_incident
from deploy.retracting.permitted import Lost, no_longer_permitted
from deploy.retracting.permitted_words import as_lines
from schemas.casework import Ruling
from schemas.codes import codes
from schemas.errors import Rejected


@click.command()
@click.argument("incident", metavar="[INCIDENT]", required=False)
@for_who_rules
@from_option
@sections_option
@click.option("--reason", type=click.Choice(codes("change-reason")), help="Why, as a code: the members are told it.")
@click.option("--because", default="", metavar="TEXT", help="Why, in your own words: it is recorded.")
@click.option(
    "--no-longer-permitted",
    "by_policy",
    is_flag=True,
    help="Instead of one incident: all that members hold and the policy in force would not let them have.",
)
@click.option("--go", is_flag=True, help="With --no-longer-permitted: withdraw it; else it is only shown.")
def withdraw(  # noqa: PLR0913  one parameter for each option
    desk: Desk,
    incident: str | None,
    *,
    members: tuple[str, ...],
    sections: tuple[str, ...],
    reason: str | None,
    because: str,
    by_policy: bool,
    go: bool,
    wait_s: float,
    show_json: bool,
) -> None:
    """Take parts of an incident back from members; or, after a change of policy, all that it no longer permits.

    Withdrawn sections are removed at the members; the incident is not barred, and what rules grant flows with its next
    event. With --no-longer-permitted nothing is sent until --go is given: look first who would lose what.

    Exit codes: 0 it counts, or was shown; 1 nothing was sent; 3 the router did not take it; 4 it is sent for good, and
    the router has not said yet.
    """
    if by_policy == bool(incident):
        raise Rejected("which-incident", "name an incident, or say --no-longer-permitted, and not both")
    now = datetime.now(UTC)
    if incident:
        known = known_incident(desk.ledger, desk.caller, incident, now)
        rulings = [_of_one(desk, known, members, sections, reason, because, now)]
        if not show_json:
            tell_what_it_is(known, now)
    else:
        found = _lost(desk, members, now)
        if show_json and not go:
            click.echo(json.dumps([asdict(lost) for lost in found]))
        elif not show_json:
            click.echo("\n".join(as_lines(found, desk.bundle.version, is_dry_run=not go)))
        rulings = _of_policy(desk, found, reason or "superseded", because, now) if go else []
    if rulings or (go and show_json):
        outcomes = desk.rule(rulings[0].member, rulings, wait_s) if rulings else []
        tell(outcomes, wait_s, show_json=show_json)


def _of_one(
    desk: Desk,
    known: KnownIncident,
    members: tuple[str, ...],
    sections: tuple[str, ...],
    reason: str | None,
    because: str,
    now: datetime,
) -> Ruling:
    if not members or not sections or reason is None:
        raise Rejected(
            "nothing-named", "expected from whom, what and why: --from MEMBER --sections SECTION --reason CODE"
        )
    return a_ruling(
        known.force,
        known.incident_id,
        "withdraw",
        desk.ruler(known.force),
        now,
        recipients=recipients_of(desk.exchange, known.force, members),
        sections=parts_of(sections),
        seen_sequence=known.sequence,
        reason=reason,
        because=because,
    )


def _lost(desk: Desk, members: tuple[str, ...], now: datetime) -> list[Lost]:
    with Ledger(desk.ledger, who=desk.caller.reader) as ledger:
        wholes = ledger.every_incident("no_longer_permitted")
        lost = [each for whole in wholes for each in no_longer_permitted(whole, desk.bundle, now)]
    return [each for each in lost if not members or each.member in members]


def _of_policy(desk: Desk, found: list[Lost], reason: str, because: str, now: datetime) -> list[Ruling]:
    """One ruling for each incident and member, of what is certain."""
    with Ledger(desk.ledger, who=desk.caller.reader) as ledger:
        force = ledger.force
    ruler = desk.ruler(force)
    return [
        a_ruling(
            force,
            lost.incident_id,
            "withdraw",
            ruler,
            now,
            recipients=(lost.member,),
            sections=parts_of(lost.parts),
            seen_sequence=lost.sequence,
            reason=reason,
            because=because,
        )
        for lost in found
        if lost.parts
    ]
