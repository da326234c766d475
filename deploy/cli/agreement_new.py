"""``huecry agreements new``: a commented file to start from."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import click

from deploy.agreement_tools.starting import Parties, start
from deploy.cli.options import exchange_option
from routing.agreements import read_bundle
from routing.agreements.force import LONDON
from schemas.exchange import load_exchange


def _reference(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", text):
        message = f"expected letters, digits and hyphens, like WPN-2026-01, got {text}"
        raise click.BadParameter(message)
    return text


@click.command(short_help="Start an agreement: a commented file to fill in.")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@exchange_option
@click.option(
    "--from", "origins", multiple=True, required=True, metavar="MEMBER", help="Whose incidents; may be repeated."
)
@click.option("--to", "recipients", multiple=True, required=True, metavar="MEMBER", help="To whom; may be repeated.")
@click.option(
    "--id",
    "name",
    default="NEW-1",
    show_default=True,
    callback=_reference,
    metavar="REFERENCE",
    help="What is printed on every disclosure; the file is named after it.",
)
def new(*, directory: Path, exchange: Path, origins: tuple[str, ...], recipients: tuple[str, ...], name: str) -> None:
    """Write a commented agreement into the bundle in DIR; start the bundle too, where there is none.

    Nothing that is there is touched. What is left to fill in is said at the end, as `check` would say it.
    """
    members = load_exchange(exchange).members
    today = datetime.now(LONDON).date()
    written = start(directory, exchange, members, Parties(origins, recipients), name, today)
    click.echo("\n".join(f"written: {path}" for path in written))
    click.echo("Fill it in (docs/agreements.md has patterns to copy). Still to do before it can be published:")
    for path in written:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if "FILL IN" in line:
                click.echo(f"  {path.relative_to(directory)}:{number}: `{line.split(':')[0]}` is still to be filled in")
    for fault in read_bundle(directory).faults:
        click.echo(f"  {fault}")
