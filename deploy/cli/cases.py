"""``huecry cases``: what people of a force are asked about its incidents, and how they rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from consumers.ledger_cases import CaseBook
from consumers.sinks.places import Place
from deploy.cli.desk_options import (
    Moment,
    because_option,
    for_who_looks,
    for_who_rules,
    json_option,
    sections_option,
    seen_option,
    tell,
)
from deploy.desk import case_list, case_screen
from deploy.desk.callers import Caller
from deploy.desk.case_rulings import Words, case_ruling
from deploy.desk.desk import Desk
from deploy.desk.looking import Seen, look
from deploy.desk.rulings import LOCATES
from schemas.errors import Rejected

_to_option: Final = click.option(
    "--to", "to", multiple=True, required=True, metavar="MEMBER", help="For whom; may be given again."
)
_yes_option: Final = click.option(
    "--yes",
    is_flag=True,
    help="Ask nothing: if the incident has changed since event --seen, which must be given, nothing is ruled.",
)
_locate_option: Final = click.option(
    "--locate",
    type=click.Choice(LOCATES),
    default="exact",
    show_default=True,
    help="How finely places may be told, at most.",
)


@click.group()
def cases() -> None:
    """See what people of a force are asked about its incidents, and rule.

    A case is opened where an agreement says that a person decides first. It shows who would be sent what, why somebody
    is asked, and until when; what nobody rules on in time is not sent.

    list and show need the force's ledger alone. To rule, the exchange and its cluster are needed too: the router says
    whether a ruling counts. Exit codes: 0 it counts; 1 nothing was ruled; 3 the router did not take it; 4 it is sent
    for good, and the router has not said yet.
    """


@cases.command("list")
@for_who_looks
@click.option("--closed", is_flag=True, help="Those that were closed in the last seven days instead.")
@json_option
def list_(ledger: Place, who: Caller, *, closed: bool, show_json: bool) -> None:
    """List the open cases, the next deadline first: who is asked about what, until when, and what happens then."""
    now = datetime.now(UTC)
    with CaseBook(ledger, who=who.reader) as book:
        found = book.closed_cases(now - timedelta(days=7)) if closed else book.open_cases()
    if show_json:
        click.echo(json.dumps(case_list.as_json(found, now)))
        return
    click.echo("\n".join(case_list.closed_lines(found, now) if closed else case_list.as_lines(found, now)))


@cases.command()
@click.argument("incident", metavar="INCIDENT")
@for_who_looks
@json_option
def show(incident: str, ledger: Place, who: Caller, *, show_json: bool) -> None:
    """Show one case: who would be sent what and why, all that is known, and what has happened.

    Marked is what came since you last looked, or since the case opened. INCIDENT is the log number, the incident_id or
    the case. The ledger notes who looked (DPA 2018 s.62), and what you have seen.
    """
    now = datetime.now(UTC)
    with CaseBook(ledger, who=who.reader) as book:
        case = book.whole_case(book.incident_of(incident))
        seen = look(case, book.last_view(who.reader, case.now["incident_id"]))
        if show_json:
            click.echo(json.dumps(case_screen.as_json(seen)))
        else:
            click.echo("\n".join(case_screen.as_lines(seen, now)))
        book.has_looked(who.reader, seen.latest, now)


@cases.command()
@click.argument("incident", metavar="INCIDENT")
@for_who_rules
@_to_option
@sections_option
@_locate_option
@seen_option
@because_option
@click.option("--until", type=Moment(), metavar="TIME", help="Until when it counts: 2h, 03:45; else without limit.")
@_yes_option
def release(desk: Desk, incident: str, *, yes: bool, wait_s: float, show_json: bool, **said: Any) -> None:  # noqa: ANN401
    """Let what is asked about flow to members, the latest event and later ones.

    If the incident has changed since you looked, you are shown what came, and asked.
    """
    _rule(
        desk, Words(asked=incident, kind="release", **said), wait_s, _asking(said["seen"], yes=yes), show_json=show_json
    )


@cases.command()
@click.argument("incident", metavar="INCIDENT")
@for_who_rules
@_to_option
@sections_option
@seen_option
@because_option
@_yes_option
def refuse(desk: Desk, incident: str, *, yes: bool, wait_s: float, show_json: bool, **said: Any) -> None:  # noqa: ANN401
    """Withhold what is asked about, until the grade rises, a hazard or flag is added, or somebody asks again."""
    _rule(
        desk, Words(asked=incident, kind="refuse", **said), wait_s, _asking(said["seen"], yes=yes), show_json=show_json
    )


@cases.command()
@click.argument("incident", metavar="INCIDENT")
@for_who_rules
@_to_option
@because_option
@click.option("--until", type=Moment(), required=True, metavar="TIME", help="The new deadline: 30m, 03:45.")
def extend(desk: Desk, incident: str, *, wait_s: float, show_json: bool, **said: Any) -> None:  # noqa: ANN401
    """Move the deadline of whoever is asked now; at most 24 hours from now."""
    _rule(desk, Words(asked=incident, kind="extend", **said), wait_s, _never, show_json=show_json)


@cases.command("ask-again")
@click.argument("incident", metavar="INCIDENT")
@for_who_rules
@_to_option
@sections_option
@because_option
def ask_again(desk: Desk, incident: str, *, wait_s: float, show_json: bool, **said: Any) -> None:  # noqa: ANN401
    """Have people asked once more about what was refused or has lapsed."""
    _rule(desk, Words(asked=incident, kind="ask-again", **said), wait_s, _never, show_json=show_json)


def _rule(desk: Desk, words: Words, wait_s: float, agrees: Callable[[Seen], bool], *, show_json: bool) -> None:
    force, ruling = case_ruling(desk, words, datetime.now(UTC), agrees)
    tell(desk.rule(force, [ruling], wait_s), wait_s, show_json=show_json)


def _asking(stated: int | None, *, yes: bool) -> Callable[[Seen], bool]:
    """What is done where the incident has changed since the person looked."""
    if yes and stated is None:
        raise Rejected("no-seen", "--yes asks nothing, so --seen must say which event you have seen")
    return _refusing if yes else _asked


def _refusing(known: Seen) -> bool:
    _show_changes(known)
    return False


def _asked(known: Seen) -> bool:
    _show_changes(known)
    return click.confirm("Rule on what is known now?", err=True)


def _never(_: Seen) -> bool:
    return False


def _show_changes(known: Seen) -> None:
    click.echo(
        f"The incident has changed: you have seen event {known.sequence}, the latest is {known.latest}", err=True
    )
    for line in case_screen.told_changes(known.changes):
        click.echo(line, err=True)
