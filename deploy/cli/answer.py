"""``huecry answer``: a member answers what it is asked, or sees what waits."""

from __future__ import annotations

import json
from typing import Final

import click

from consumers.answers.saying import WHATS
from consumers.answers.taking import AnswerTaker, Taken
from consumers.sinks.database import Database
from consumers.sinks.places import Place, open_database
from consumers.sinks.sql import KIND
from deploy.cli.answer_list import show_answers
from deploy.cli.database import DATABASE
from schemas.codes import codes
from schemas.errors import Rejected

_SAYS: Final = {"accept": "accepted", "erased": "erased", "restricted": "restricted", "acted_upon": "acted-upon"}


@click.command()
@click.argument("incident", required=False)
@click.option(
    "--into", type=DATABASE, required=True, metavar="DATABASE", help="The database that huecry consume keeps."
)
@click.option("--list", "to_list", is_flag=True, help="Show what waits for an answer, and what was answered lately.")
@click.option("--json", "as_json", is_flag=True, help="With --list: one JSON object.")
@click.option("--accept", is_flag=True, help="A transfer, a request for assistance, or a correction.")
@click.option("--reference", metavar="TEXT", help="Your own log number: the origin is told it.")
@click.option("--reject", metavar="CAUSE", type=click.Choice(codes("rejection")), help="Instead of --accept, and why.")
@click.option("--erased", is_flag=True, help="What was taken back is erased here; deletes what was sealed.")
@click.option("--restricted", is_flag=True, help="What was taken back is kept as evidence, and not used.")
@click.option("--acted-upon", is_flag=True, help="What was taken back had been acted upon.")
@click.option("--passed-on", multiple=True, metavar="TO", help="What was taken back had been passed on; to whom.")
@click.option("--role", metavar="ROLE", help="In which role you say so, as in duty-inspector.")
@click.option("--origin", metavar="MEMBER", help="Whose incident it is, where two have the same name.")
@click.option("--what", type=click.Choice(WHATS), help="What is answered, where several wait; else the latest.")
def answer(  # noqa: PLR0913, PLR0917  one parameter for each option
    incident: str | None,
    into: Place,
    to_list: bool,  # noqa: FBT001  click's way of a flag
    as_json: bool,  # noqa: FBT001
    reference: str | None,
    reject: str | None,
    passed_on: tuple[str, ...],
    role: str | None,
    origin: str | None,
    what: str | None,
    **flags: bool,
) -> None:
    """Answer what this member is asked about INCIDENT: its incident_id at the origin, or its log number.

    The answer is durable when this returns, and goes to the origin with the next receipts of huecry consume: exactly
    once, however often the same is said. --erased, --restricted, --acted-upon, --passed-on, and --accept of a
    correction, need --role: a person must say so.
    """
    if as_json and not to_list:
        raise click.UsageError("--json belongs to --list")
    said = _said(flags, reject, passed_on)
    database = open_database(into, KIND, None, None)
    try:
        if to_list or not said:
            if incident or said or not to_list:
                raise click.UsageError("name INCIDENT and what to say of it, or --list alone")
            show_answers(database, as_json=as_json)
            return
        if incident is None:
            raise click.UsageError("name INCIDENT: its incident_id, or its log number")
        of_all = {"incident_id": incident, "origin": origin, "what": what, "by_role": role}
        for one in said:
            one.update(of_all)
            if one["kind"] == "accepted":
                one["reference"] = reference
        if reference is not None and not any(one["kind"] == "accepted" for one in said):
            raise click.UsageError("--reference belongs to --accept")
        for taken in AnswerTaker(database, _member(database)).say(said, "command"):
            click.echo(_told(taken))
    finally:
        database.close()


def _said(flags: dict[str, bool], reject: str | None, passed_on: tuple[str, ...]) -> list[dict[str, str | None]]:
    """What the options say, one answer each; what adds to a confirmation first, so that one call says all of it."""
    said: list[dict[str, str | None]] = [{"kind": "passed-on", "passed_to": to} for to in passed_on]
    said += [{"kind": _SAYS[name]} for name in ("acted_upon", "accept", "erased", "restricted") if flags[name]]
    if reject is not None:
        said.append({"kind": "rejected", "cause": reject})
    closing = [one["kind"] for one in said if one["kind"] in ("accepted", "rejected", "erased", "restricted")]
    if len(closing) > 1:
        raise click.UsageError(f"one of these at a time: {' and '.join(str(kind) for kind in closing)}")
    return said


def _member(database: Database) -> str:
    found = dict(database.query("SELECT name, value FROM meta")).get("member")
    if found is None:
        raise Rejected("bad-database", f"{database.name}: expected a receiving database, and it says nobody's name")
    return str(found)


def _told(taken: Taken) -> str:
    again = ", as was said before: it is told once" if taken.is_repeat else ""
    return f"{taken.incident_id} of {taken.origin}: {taken.kind}{again} ({json.dumps(list(taken.answers))[1:-1]})"
