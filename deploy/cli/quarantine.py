"""``huecry quarantine``: see and repair events the router refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from deploy.cli.options import bootstrap_option, client_properties_option, exchange_option
from deploy.topic_reader import records_of
from schemas.codec import EventCodec, decode
from schemas.errors import Rejected
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties
from schemas.topics import OUTPUT_EXTRA_BYTES, quarantine_topic

_MOST_EVENT_BYTES: Final = 8 * 1024 * 1024


def _reaching(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command here that reads a member's quarantine."""
    member = click.option("--member", required=True, metavar="MEMBER", help="Whose quarantine: your own force.")
    return exchange_option(member(bootstrap_option(client_properties_option(command))))


@click.group()
def quarantine() -> None:
    """See and repair events the router refused.

    A refused event is kept on the quarantine topic of its own force, with the reason and what to do, for 30 days.
    """


@quarantine.command("list")
@_reaching
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each refused record.")
def list_(exchange: Path, member: str, bootstrap: str, properties_file: Path | None, *, as_json: bool) -> None:
    """List refused records, oldest first."""
    refused = list(_refused(exchange, member, bootstrap, properties_file))
    if as_json:
        for each in refused:
            click.echo(json.dumps(_plain(each), default=str))
        return
    if not refused:
        click.echo(f"Nothing of {member} is in quarantine.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("id", "refused at", "reason", "incident", "event", "where"):
        table.add_column(column, no_wrap=True)
    for each in refused:
        source = each["source"]
        where = f"{source['topic']}/{source['partition']}@{source['offset']}"
        at = each["at"].strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(each["quarantine_id"], at, each["reason"], each["incident_id"], each["event_id"], where)
    Console(width=200, soft_wrap=True).print(table)
    click.echo("\nhuecry quarantine show ID tells more; huecry quarantine resubmit ID maps the record again.")


@quarantine.command()
@click.argument("quarantine_id", metavar="ID")
@_reaching
def show(quarantine_id: str, exchange: Path, member: str, bootstrap: str, properties_file: Path | None) -> None:
    """Show one refused record: why, what to do, and the event itself if it can be read.

    The event may hold personal data: your own.
    """
    found = _find(quarantine_id, exchange, member, bootstrap, properties_file)
    for name in ("quarantine_id", "reason", "detail", "remedy", "at", "incident_id", "event_id", "value_bytes"):
        click.echo(f"{name + ':':15}{found[name]}")
    source = found["source"]
    click.echo(f"{'stands at:':15}{source['topic']}, partition {source['partition']}, offset {source['offset']}")
    click.echo()
    click.echo(_as_text(found["value"]))


def _as_text(value: bytes | None) -> str:
    if value is None:
        return (
            "There was no value, or it was too large to keep here: it stands at its source for as long as that is kept."
        )
    try:
        _, event = EventCodec().open(value, _MOST_EVENT_BYTES)
        return json.dumps(event.form.decode(event.body), indent=1, default=str, ensure_ascii=False)
    except Rejected as why:
        return f"It cannot be read as an event: {why}. Its first bytes: {value[:48].hex(' ')}"


def _find(
    quarantine_id: str, exchange: Path, member: str, bootstrap: str, properties_file: Path | None
) -> dict[str, Any]:
    """The refused record of an id, or of the start of one."""
    found = {
        each["quarantine_id"]: each
        for each in _refused(exchange, member, bootstrap, properties_file)
        if each["quarantine_id"].startswith(quarantine_id)
    }
    if len(found) != 1:
        raise Rejected(
            "no-such-record",
            f"expected one record of {member} in quarantine whose id starts with {quarantine_id}, found {len(found)}: "
            "huecry quarantine list shows them",
        )
    return next(iter(found.values()))


def _refused(exchange: Path, member: str, bootstrap: str, properties_file: Path | None) -> Iterator[dict[str, Any]]:
    described = load_exchange(exchange)
    if member not in described.members:
        known = ", ".join(sorted(described.members))
        raise Rejected("no-such-member", f"there is no member {member} in {exchange}; it names {known}")
    clients = ClientSettings(bootstrap, client_properties(properties_file))
    most = described.limits.max_event_bytes + OUTPUT_EXTRA_BYTES
    seen: set[str] = set()
    for message in records_of(clients, quarantine_topic(member)):
        each = decode("Quarantined", message.value(), most)
        if each["quarantine_id"] not in seen:
            seen.add(each["quarantine_id"])
            yield each


def _plain(refused: dict[str, Any]) -> dict[str, Any]:
    """What `list` tells: everything but the payload."""
    return {name: value for name, value in refused.items() if name not in ("key", "value")}
