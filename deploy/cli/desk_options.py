"""Options of the commands of a force's desk: whose ledger, who looks, who rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from consumers.sinks.places import Place
from deploy.cli.database import DATABASE
from deploy.cli.options import bootstrap_option, client_properties_option
from deploy.desk.callers import TOKEN_VARIABLE, caller
from deploy.desk.desk import Desk
from deploy.desk.moments import moment_said
from deploy.desk.outcomes import as_json, as_lines, exit_code
from deploy.desk.sending import Outcome
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties

Command = Callable[..., None]

ledger_option: Final = click.option(
    "--ledger",
    type=DATABASE,
    required=True,
    envvar="HUECRY_LEDGER",
    show_envvar=True,
    metavar="DATABASE",
    help="The force's own ledger, as huecry ledger keeps it: a file, or postgresql://user@host/database.",
)
_exchange_option: Final = click.option(
    "--exchange",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    envvar="HUECRY_EXCHANGE",
    show_envvar=True,
    metavar="FILE",
    help="exchange.yaml: the members, partitions and limits.",
)
_token_option: Final = click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"Holds the token that you are known by, in place of {TOKEN_VARIABLE}; else your user of the operating system "
    "counts.",
)
_role_option: Final = click.option("--role", metavar="ROLE", help="In which role you rule, if you hold several.")
_wait_option: Final = click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the router to say whether the ruling counts.",
)
json_option: Final = click.option("--json", "show_json", is_flag=True, help="One JSON object; times in UTC.")
because_option: Final = click.option(
    "--because", required=True, metavar="TEXT", help="Why, in your own words: it is recorded."
)
sections_option: Final = click.option(
    "--sections",
    multiple=True,
    metavar="SECTION",
    help="Head or sections, with commas or given again; none: all that is asked about.",
)
seen_option: Final = click.option(
    "--seen",
    type=click.IntRange(0),
    metavar="N",
    help="The number of the latest event that you have seen; else what huecry cases show last showed you.",
)


class Moment(click.ParamType[datetime]):
    """A time as a person says it: 2h30m, 03:45, or a day and a time."""

    name = "time"

    def convert(
        self,
        value: str | datetime,
        param: click.Parameter | None,  # noqa: ARG002  click's signature
        ctx: click.Context | None,  # noqa: ARG002
    ) -> datetime:
        """The moment that is meant, from now."""
        return value if isinstance(value, datetime) else moment_said(value, datetime.now(UTC))


def for_who_looks(command: Command) -> Command:
    """The options of a command that reads a ledger; it gets `ledger` and `who`, the `Caller`."""

    @wraps(command)
    def looking(token_file: Path | None, **others: Any) -> None:  # noqa: ANN401
        command(who=caller(token_file), **others)

    return ledger_option(_token_option(looking))


def for_who_rules(command: Command) -> Command:
    """The options of a command by which a person rules; it gets the `Desk`, first, and `wait_s`."""

    @wraps(command)
    def ruling(
        ledger: Place,
        exchange: Path,
        bootstrap: str,
        properties_file: Path | None,
        token_file: Path | None,
        role: str | None,
        **others: Any,  # noqa: ANN401
    ) -> None:
        clients = ClientSettings(bootstrap, client_properties(properties_file))
        command(Desk(ledger, load_exchange(exchange), clients, caller(token_file), role), **others)

    options = (ledger_option, _exchange_option, bootstrap_option, client_properties_option, _token_option)
    made: Command = _wait_option(_role_option(json_option(ruling)))
    for option in reversed(options):
        made = option(made)
    return made


def tell(outcomes: list[Outcome], wait_s: float, *, show_json: bool) -> None:
    """What became of rulings, on the screen; then the command ends with the exit code that says so."""
    if show_json:
        click.echo(json.dumps([as_json(outcome) for outcome in outcomes], default=str))
    else:
        for outcome in outcomes:
            click.echo("\n".join(as_lines(outcome, wait_s, datetime.now(UTC))))
    click.get_current_context().exit(exit_code(outcomes))
