"""``huecry replay``: read what a member received again, and write what is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from consumers.replaying import Replayed
from consumers.replaying import replay as replay_deliveries
from consumers.settings import ConsumerSettings
from consumers.sinks.places import Place
from deploy.cli.consumer_screen import schema_lookup
from deploy.cli.database import DATABASE
from deploy.cli.options import bootstrap_option, client_properties_option, exchange_option, registry_option
from deploy.cli.process import stop_on_signals
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties
from schemas.ops.logs import configure_logs

BEGINNING: Final = "beginning"
"""In place of a time: from the first record that Kafka still has."""


class _Since(click.ParamType[datetime | str]):
    """A time with its zone, or the beginning."""

    name = "since"

    def convert(
        self, value: datetime | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | str:
        """The time that a person names; `BEGINNING` as it is."""
        if isinstance(value, datetime) or value.lower() == BEGINNING:
            return value if isinstance(value, datetime) else BEGINNING
        try:
            since = datetime.fromisoformat(value)
        except ValueError:
            self.fail("expected a time as in 2026-01-31T08:00Z, or BEGINNING", param, ctx)
        return since.replace(tzinfo=UTC) if since.tzinfo is None else since


SINCE: Final = _Since()
"""What ``--since`` and ``--replay`` take."""


def since_when(since: datetime | str) -> datetime | None:
    """The time to read from; None: from the beginning."""
    return since if isinstance(since, datetime) else None


def told(replayed: Replayed) -> str:
    """What a replay found, in one line."""
    return (
        f"{replayed.read} read again: {replayed.written} were missing and are written, {replayed.here} were here, "
        f"{replayed.set_aside} set aside; {replayed.still_missing} still missing"
    )


@click.command()
@exchange_option
@click.option("--member", required=True, metavar="MEMBER", help="Whose deliveries: a member that receives.")
@click.option(
    "--into", type=DATABASE, required=True, metavar="DATABASE", help="The database that huecry consume keeps."
)
@click.option(
    "--since",
    type=SINCE,
    required=True,
    metavar="TIME|BEGINNING",
    help="From when on, by arrival in Kafka (UTC unless it says otherwise); BEGINNING: all that Kafka still has.",
)
@bootstrap_option
@client_properties_option
@registry_option
def replay(
    exchange: Path,
    member: str,
    into: Place,
    since: datetime | str,
    bootstrap: str,
    properties_file: Path | None,
    registry: str | None,
) -> None:
    """Read a member's deliveries again, and write what is missing in its place.

    What is here already changes nothing, and nothing older goes over anything newer; what was taken back stays so.
    What was set aside and can be taken now, after an upgrade, is taken. May run beside huecry consume, and be killed
    and started again.
    """
    configure_logs("replay")
    settings = ConsumerSettings(
        exchange=load_exchange(exchange),
        member=member,
        clients=ClientSettings(bootstrap, client_properties(properties_file)),
        into=into,
        lookup=schema_lookup(registry),
    )
    click.echo(told(replay_deliveries(settings, since_when(since), stop_on_signals())), err=True)
