"""``huecry agreements simulate``: what would have been shared under another bundle."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import click

from consumers.ledger_queries import Ledger
from consumers.sinks.places import Place
from deploy.agreement_tools.simulating import CHANGES, Simulation, Tally
from deploy.cli.agreement_examine import json_option, on_option, progress
from deploy.cli.database import DATABASE
from routing.agreements import load_bundle
from routing.agreements.force import LONDON

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _moment(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime:
    """``7d`` ago, a day in London, or a time; now where none is given."""
    now = datetime.now(UTC)
    if text is None:
        return now
    if ago := re.fullmatch(r"(\d{1,5})([mhd])", text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return datetime.combine(date.fromisoformat(text), time(), LONDON)
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = (
            f"expected how long ago (7d, 12h, 30m), a day (2026-03-01) or a time (2026-03-01T03:10:00Z), got {text}"
        )
        raise click.BadParameter(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=LONDON)


ledger_option: Final = click.option(
    "--ledger",
    type=DATABASE,
    required=True,
    metavar="DATABASE",
    help="The origin's own ledger, as huecry ledger keeps it: a file, or postgresql://user@host/database.",
)
since_option: Final = click.option(
    "--since", required=True, callback=_moment, metavar="WHEN", help="7d, 12h, 2026-03-01 or 2026-03-01T03:10:00Z."
)
until_option: Final = click.option(
    "--until", callback=_moment, metavar="WHEN", help="Likewise; until now where it is not given."
)


@click.command(short_help="Decide recorded events again: who would have received what.")
@click.argument("directory", metavar="BUNDLE", type=click.Path(exists=True, file_okay=False, path_type=Path))
@ledger_option
@since_option
@until_option
@on_option
@json_option
def simulate(*, directory: Path, ledger: Place, since: datetime, until: datetime, day: date, show_json: bool) -> None:
    """Decide the events that a ledger recorded again under BUNDLE, as in force on one day, and say what changes.

    By recipient: of how many events it would have gained, lost or waited for a ruling on what part, with the first
    examples. An area, or a distance from one, that the recorded bundle did not have is unknown: a decision that turns
    on it cannot be told, and is counted apart. An area that was drawn anew under its old name is taken as it lay.
    Rulings, and what members hold of an incident, are not taken into account.

    The ledger notes who asked (DPA 2018 s.62). `huecry agreements explain` tells more of one event.
    """
    bundle = load_bundle(directory)
    simulation = Simulation(bundle, day)
    with Ledger(ledger) as opened, progress("deciding again") as told:
        total = opened.count_between(since, until)
        simulation.run(opened.recorded_between(since, until), lambda done: told(done, total))
    if show_json:
        click.echo(json.dumps(_as_json(bundle.version, day, simulation)))
        return
    click.echo(f"{total} recorded decisions, made again under version {bundle.version} as in force on {day}:")
    for recipient, tally in sorted(simulation.tallies.items()):
        click.echo("\n".join(_in_words(recipient, tally)))


def _in_words(recipient: str, tally: Tally) -> Iterator[str]:
    if not tally.events and not tally.cannot_be_told:
        yield f"  {recipient}: all {tally.decisions} alike"
        return
    yield f"  {recipient}: {tally.decisions} decisions"
    words = {"gained": "would have gained", "lost": "would have lost", "referred": "would have waited for a ruling on"}
    for change in CHANGES:
        if tally.events[change]:
            parts = ", ".join(f"{part} {count}" for part, count in tally.parts[change].most_common())
            yield f"    {words[change]} something of {tally.events[change]}: {parts}"
            yield f"      for example {', '.join(tally.examples[change])}"
    if tally.cannot_be_told:
        yield f"    cannot be told of {tally.cannot_be_told}: they turn on an area that was not measured"


def _as_json(version: int, day: date, simulation: Simulation) -> dict[str, Any]:
    return {
        "version": version,
        "day": day.isoformat(),
        "recipients": {
            recipient: {
                "decisions": tally.decisions,
                "cannot_be_told": tally.cannot_be_told,
                **{
                    change: {
                        "events": tally.events[change],
                        "parts": dict(tally.parts[change]),
                        "examples": tally.examples[change],
                    }
                    for change in CHANGES
                },
            }
            for recipient, tally in sorted(simulation.tallies.items())
        },
    }
