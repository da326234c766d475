"""``huecry quarantine``: see and repair events the router refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from deploy.cli.options import bootstrap_option, client_properties_option, exchange_option
from deploy.quarantine_topic import Quarantine, payload_text, without_payload
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties

_SHORT = 12


def _of_a_member(command: Callable[..., None]) -> Callable[..., None]:
    """The options that name a member's quarantine; the command gets the `Quarantine` itself, first."""

    @wraps(command)
    def reaching(
        exchange: Path,
        member: str,
        bootstrap: str,
        properties_file: Path | None,
        **others: Any,  # noqa: ANN401
    ) -> None:
        clients = ClientSettings(bootstrap, client_properties(properties_file))
        command(Quarantine(load_exchange(exchange), member, clients), **others)

    member = click.option("--member", required=True, metavar="MEMBER", help="Whose quarantine: your own.")
    return exchange_option(member(bootstrap_option(client_properties_option(reaching))))


@click.group()
def quarantine() -> None:
    """See and repair events the router refused.

    A refused event goes to nobody. It is kept on the quarantine topic of its own force, with the reason and what to do,
    for 30 days; nobody else can read it there. It is repaired by a new event: resubmit makes one from the same record.
    """


@quarantine.command("list")
@_of_a_member
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each refused record, without its content.")
def list_(found: Quarantine, *, as_json: bool) -> None:
    """List refused records, oldest first: what, when, why. Nothing of their content."""
    refused = list(found.refused())
    if as_json:
        for each in refused:
            click.echo(json.dumps(without_payload(each), default=str))
        return
    if not refused:
        click.echo(f"Nothing of {found.member} is in quarantine.")
        return
    width = max(len("reason"), *(len(each["reason"]) for each in refused))
    click.echo(f"{'id':{_SHORT}}  {'refused at (UTC)':19}  {'reason':{width}}  {'event':{_SHORT}}  stands at")
    for each in refused:
        at, event = f"{each['at']:%Y-%m-%d %H:%M:%S}", each["event_id"][:_SHORT] or "not known"
        where = _where(each["source"])
        click.echo(f"{each['quarantine_id'][:_SHORT]}  {at}  {each['reason']:{width}}  {event:{_SHORT}}  {where}")
    click.echo(f"\n{len(refused)} refused. More about one: huecry quarantine show ID (the same options)")
    click.echo("To map its record again, when the mapping is mended: huecry quarantine resubmit ID --help")


@quarantine.command()
@click.argument("quarantine_id", metavar="ID")
@_of_a_member
def show(found: Quarantine, quarantine_id: str) -> None:
    """Show one refused record: why, what to do, and what was sent. The start of its ID is enough.

    What was sent may hold personal data: your own.
    """
    refused = found.find(quarantine_id)
    facts = {
        "id": refused["quarantine_id"],
        "reason": f"{refused['reason']}: {refused['detail']}",
        "what to do": refused["remedy"],
        "refused at": f"{refused['at']:%Y-%m-%d %H:%M:%S} UTC",
        "event": refused["event_id"] or "not known: it could not be read",
        "incident": refused["incident_id"] or "not known: it could not be read",
        "stands at": _where(refused["source"]),
        "bytes": f"{refused['value_bytes']:,}, SHA-256 {refused['value_sha256']}",
    }
    for name, value in facts.items():
        if value:
            click.echo(f"{name:12}{value}")
    click.echo()
    click.echo(payload_text(refused))


@quarantine.command()
@click.argument("quarantine_id", metavar="ID")
@_of_a_member
@click.option(
    "--spool",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The spool of the producer that made the event: huecry produce names it at its end.",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The mapping file as it is now.",
)
def resubmit(found: Quarantine, quarantine_id: str, *, spool: Path, mapping: Path) -> None:
    """Map the record of a refused event again, and send it as a new event of its incident.

    The start of its ID is enough. The original comes from the producer's spool, which remembers it for 30 days after
    delivery; a producer may go on meanwhile, and then it sends the new event.
    """
    from deploy.resubmitting import resubmitted  # noqa: PLC0415  what maps and publishes is slow to import

    done = resubmitted(found, quarantine_id, spool, mapping, datetime.now(UTC))
    click.echo(f"mapped again: event {done.event_id} takes the place of {done.refused_event_id}")
    if done.published:
        click.echo("published: the router decides it now")
    else:
        click.echo(f"it waits in {spool}: {done.waits_for}")


def _where(source: dict[str, Any]) -> str:
    return f"{source['topic']}, partition {source['partition']}, offset {source['offset']}"
