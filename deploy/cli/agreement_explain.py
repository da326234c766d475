"""``huecry agreements explain``: what a bundle makes of an event, without a broker."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from deploy.agreement_tools.asking import answer_as_json, ask
from deploy.agreement_tools.event_files import read_events, read_states
from deploy.agreement_tools.telling import answer_as_tree
from routing.agreements import load_bundle
from routing.agreements.measured import geography_of

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


def _moment(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime:
    """A time with its zone: decisions turn on the day in London. Now, where none is given."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"expected a time like 2026-03-01T03:10:00Z, got {text}"
        raise click.BadParameter(message) from None
    if moment.utcoffset() is None:
        message = f"expected a time with its zone, as 2026-03-01T03:10:00Z or 2026-06-01T03:10:00+01:00, got {text}"
        raise click.BadParameter(message)
    return moment


@click.command(short_help="What a bundle makes of events for a member, rule by rule; needs no broker.")
@click.option(
    "--bundle",
    "directory",
    required=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The bundle that decides.",
)
@click.option(
    "--event",
    "event_file",
    required=True,
    metavar="FILE",
    type=_FILE,
    help="An IncidentEvent as JSON, as in schemas/examples; several in a list, or one to a line (JSONL).",
)
@click.option("--to", "to", required=True, metavar="MEMBER", help="The member, or `all`: each that receives.")
@click.option(
    "--at", callback=_moment, metavar="TIME", help="When it is decided, as 2026-03-01T03:10:00Z. Default: now."
)
@click.option(
    "--state",
    "state_file",
    metavar="FILE",
    type=_FILE,
    help="What came before in the incident, as JSON: one for all events, or one for each. Default: nothing.",
)
@click.option("--json", "show_json", is_flag=True, help="One JSON object for each event and member, one to a line.")
def explain(
    *, directory: Path, event_file: Path, to: str, at: datetime, state_file: Path | None, show_json: bool
) -> None:
    """Say what the bundle in DIR makes of an event for a member, and what became of each rule.

    For each rule: whether it matched, and the first condition that failed or was unknown. Shown to the origin only: a
    rule named to the refused tells what it hides. `huecry explain` asks a ledger about an event that was decided.
    """
    bundle = load_bundle(directory)
    events = read_events(event_file, geography_of(bundle))
    states = read_states(state_file, len(events))
    console = Console(highlight=False)
    for event, state in zip(events, states, strict=True):
        for answer in ask(bundle, event, to, at, state):
            if show_json:
                click.echo(json.dumps(answer_as_json(bundle, answer), ensure_ascii=False))
            else:
                console.print(answer_as_tree(bundle, answer))
