"""The part of ``huecry agreements`` that changes what is in force: publish, history, suspend, resume, restore."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from deploy.cli.options import bootstrap_option, client_properties_option, exchange_option
from deploy.policy_publishing import PolicyDesk, Published
from routing.agreements import load_bundle
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties

_WHO: Final = click.option(
    "--by", "who", required=True, metavar="NAME", help="Who decides this: stands in the bundle as its publisher."
)


def _desk(exchange: Path, bootstrap: str, properties_file: Path | None) -> PolicyDesk:
    return PolicyDesk(load_exchange(exchange), ClientSettings(bootstrap, client_properties(properties_file)))


def _told(published: Published, what: str) -> str:
    return (
        f"{what}: policy version {published.version}, hash {published.bundle().hash[:12]}, at "
        f"{published.at:%Y-%m-%d %H:%M:%S} UTC. Routers that follow the policy topic change within a second."
    )


@click.command(short_help="Put a bundle in force: routers change within a second.")
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@exchange_option
@bootstrap_option
@client_properties_option
@click.option(
    "--lift", multiple=True, metavar="AGREEMENT", help="End the suspension of this agreement; may be given again."
)
@click.option(
    "--once",
    is_flag=True,
    help="Change nothing if this very bundle was published before: for what runs at every start.",
)
def publish(
    *, directory: Path, exchange: Path, bootstrap: str, properties_file: Path | None, lift: tuple[str, ...], once: bool
) -> None:
    """Put the bundle in DIR in force for every router of the exchange that follows the policy topic.

    It is checked as `check` does, examples and all; its version must be above the one in force, and a suspension does
    not end by being forgotten. Undo with `restore`.
    """
    desk = _desk(exchange, bootstrap, properties_file)
    bundle = load_bundle(directory)
    if once and (earlier := desk.earlier(bundle)):
        click.echo(f"version {earlier.version} was published at {earlier.at:%Y-%m-%d %H:%M:%S} UTC: nothing is changed")
        return
    published = desk.publish(bundle, lifting=frozenset(lift))
    click.echo(_told(published, "published"))


@click.command(short_help="Stop one agreement at once.")
@click.argument("agreement")
@click.option("--why", required=True, metavar="TEXT", help="The reason, for all who ask later.")
@_WHO
@exchange_option
@bootstrap_option
@client_properties_option
def suspend(
    *, agreement: str, why: str, who: str, exchange: Path, bootstrap: str, properties_file: Path | None
) -> None:
    """Stop AGREEMENT at once: nothing more is shared under it, and following under it ends.

    What it refers is withheld instead; its forbids and limits go on. Undo with `resume`.
    """
    published = _desk(exchange, bootstrap, properties_file).suspend(agreement, who=who, why=why)
    click.echo(_told(published, f"{agreement} is suspended"))


@click.command(short_help="Lift the suspension of one agreement.")
@click.argument("agreement")
@_WHO
@exchange_option
@bootstrap_option
@client_properties_option
def resume(*, agreement: str, who: str, exchange: Path, bootstrap: str, properties_file: Path | None) -> None:
    """Lift the suspension of AGREEMENT: what happens from now on is shared under it again."""
    published = _desk(exchange, bootstrap, properties_file).resume(agreement, who=who)
    click.echo(_told(published, f"{agreement} is in force again"))


@click.command(short_help="Put an earlier version in force again, under a new number.")
@click.argument("version", type=click.IntRange(1))
@_WHO
@exchange_option
@bootstrap_option
@client_properties_option
def restore(*, version: int, who: str, exchange: Path, bootstrap: str, properties_file: Path | None) -> None:
    """Put the bundle of an earlier VERSION in force again, under a new number.

    Agreements that are suspended now stay so: `resume` lifts that.
    """
    published = _desk(exchange, bootstrap, properties_file).restore(version, who=who)
    click.echo(_told(published, f"version {version} is restored"))


@click.command(short_help="List what was published, when and by whom.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each version.")
@exchange_option
@bootstrap_option
@client_properties_option
def history(*, as_json: bool, exchange: Path, bootstrap: str, properties_file: Path | None) -> None:
    """List every version published, oldest first; the last one is in force."""
    versions = [_described(each) for each in _desk(exchange, bootstrap, properties_file).history()]
    for each in versions:
        click.echo(json.dumps(each) if as_json else _line(each))
    if not versions and not as_json:
        click.echo("nothing has been published: huecry agreements publish DIR does")


def _described(published: Published) -> dict[str, Any]:
    """A version for a program; of one that this release cannot read, only where it stands."""
    told: dict[str, Any] = {"version": published.version, "at": published.at.isoformat(), "readable": False}
    bundle = published.loadable()
    if bundle is None:
        return told
    return told | {
        "readable": True,
        "published_by": bundle.published_by,
        "hash": bundle.hash,
        "agreements": [agreement.id for agreement in bundle.agreements],
        "suspended": {each.agreement: {"who": each.who, "why": each.why} for each in bundle.suspended},
    }


def _line(told: dict[str, Any]) -> str:
    start = f"{told['version']:>6}  {told['at'][:19].replace('T', ' ')}"
    if not told["readable"]:
        return f"{start}  cannot be read by this release"
    suspended = f"; suspended: {', '.join(told['suspended'])}" if told["suspended"] else ""
    return f"{start}  {told['published_by']}  {len(told['agreements'])} agreements{suspended}  {told['hash'][:12]}"
