"""``huecry provision``: the topics of an exchange."""

from __future__ import annotations

import json
from pathlib import Path

import click

from deploy.cli.options import bootstrap_option, client_properties_option, exchange_option
from deploy.provision import plan_topics
from deploy.provision import provision as apply_exchange
from deploy.topic_plan import Plan
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")


@click.group()
def provision() -> None:
    """Make the topics of an exchange what exchange.yaml says; nothing is ever deleted.

    Run `plan` to see what would be done, `apply` to do it, as often as you like. A different partition count is refused
    with exit code 1, and then nothing is changed: partition counts are fixed for the life of an exchange.
    """


@provision.command()
@exchange_option
@bootstrap_option
@client_properties_option
@json_option
def plan(exchange: Path, bootstrap: str, properties_file: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Show what `apply` would do, topic by topic, and change nothing."""
    settings = ClientSettings(bootstrap, client_properties(properties_file))
    found = plan_topics(settings, load_exchange(exchange))
    _show(found, settings.bootstrap, as_json=as_json)
    found.check()


@provision.command()
@exchange_option
@bootstrap_option
@client_properties_option
@json_option
def apply(exchange: Path, bootstrap: str, properties_file: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Create what is missing and set right what differs."""
    settings = ClientSettings(bootstrap, client_properties(properties_file))
    _show(apply_exchange(settings, load_exchange(exchange)), settings.bootstrap, as_json=as_json)


def _show(found: Plan, bootstrap: str, *, as_json: bool) -> None:
    if as_json:
        topics = [topic.as_json() for topic in found.topics]
        click.echo(json.dumps({"bootstrap": bootstrap, "topics": topics}, indent=2))
        return
    width = max(len(topic.spec.name) for topic in found.topics)
    for topic in found.topics:
        click.echo(f"{topic.action:<9}  {topic.spec.name:<{width}}  {topic.reason}".rstrip())
