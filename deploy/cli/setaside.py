"""``huecry setaside``: see and retry records that could not be mapped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from deploy.cli.options import exchange_option
from producers.mapping_load import load_mapping
from producers.setaside import SetAside, listed, retry
from producers.settings import mapper
from producers.spool import Spool
from schemas.exchange import load_exchange

_spool = click.option(
    "--spool",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The spool of the producer: huecry produce names it at its end.",
)


@click.group()
def setaside() -> None:
    """See and retry records that could not be mapped.

    They lie in the producer's spool with the reason and the original. The producer may go on meanwhile.
    """


@setaside.command("list")
@_spool
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; without the records themselves.")
def list_(spool: Path, as_json: bool) -> None:  # noqa: FBT001
    """List the records that wait: number, where they came from, and why."""
    with Spool.existing(spool) as opened:
        waiting = listed(opened)
    for each in waiting:
        if as_json:
            click.echo(json.dumps(_without_data(each)))
        else:
            click.echo(f"{each.number:>6}  {each.at:%Y-%m-%d %H:%M}  {each.reason:20}  {each.message}")
    if not as_json:
        _next(len(waiting), spool)


@setaside.command()
@click.argument("number", type=int)
@_spool
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(number: int, spool: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show one record: why it was set aside, what to do, and the record as it came.

    The record may hold personal data: your own.
    """
    with Spool.existing(spool) as opened:
        (found,) = listed(opened, {number})
    if as_json:
        click.echo(json.dumps(_without_data(found) | {"record": found.columns}))
        return
    click.echo(f"number {found.number}, {found.where}, set aside {found.at:%Y-%m-%d %H:%M:%S} UTC")
    click.echo(f"reason  {found.reason}: {found.message}")
    if found.remedy:
        click.echo(f"remedy  {found.remedy}")
    click.echo(json.dumps(found.columns, indent=2, ensure_ascii=False))


@setaside.command("retry")
@click.argument("numbers", type=int, nargs=-1)
@_spool
@exchange_option
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The mapping file as it is now.",
)
def retry_(numbers: tuple[int, ...], spool: Path, exchange: Path, mapping: Path) -> None:
    """Map records again with the mapping as it is now: those with these NUMBERS, or all.

    What maps now is spooled: a producer that runs sends it at once, else the next one does.
    """
    described = load_exchange(exchange)
    with Spool.existing(spool, max_event_bytes=described.limits.max_event_bytes) as opened:
        make = mapper(load_mapping(mapping), described, opened.origin)
        result = retry(opened, make, datetime.now(UTC), set(numbers) or None)
    click.echo(
        f"{result.spooled} spooled, {result.repeated} repeated, {result.still_set_aside.total()} still set aside"
    )
    for reason, count in result.still_set_aside.most_common():
        click.echo(f"  {reason}: {count}")
    if result.spooled:
        click.echo("The producer that runs on this spool sends them; if none does, the next huecry produce.")


def _without_data(record: SetAside) -> dict[str, object]:
    return {
        "number": record.number,
        "at": record.at.isoformat(),
        "where": record.where,
        "reason": record.reason,
        "message": record.message,
        "remedy": record.remedy,
        "event_id": record.event_id,
    }


def _next(waiting: int, spool: Path) -> None:
    if not waiting:
        click.echo("No record waits.")
        return
    click.echo(f"\n{waiting} wait. One of them in full: huecry setaside show NUMBER --spool {spool}")
    click.echo("After mending the mapping: huecry setaside retry --spool ... --mapping ... --exchange ...")
