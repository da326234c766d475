"""``huecry agreements replay``: whether a ledger's decisions are what the agreements say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from consumers.ledger_queries import Ledger
from consumers.sinks.places import Place
from deploy.agreement_tools.replaying import SAMPLED, Replay, Replaying
from deploy.cli.agreement_examine import json_option, progress
from deploy.cli.agreement_simulate import ledger_option, since_option, until_option
from routing.agreements import Bundle, load_bundle
from schemas.errors import Rejected


@click.command("replay", short_help="Make recorded decisions again under the bundle that made them.")
@click.argument("directory", metavar="BUNDLE", type=click.Path(exists=True, file_okay=False, path_type=Path))
@ledger_option
@since_option
@until_option
@click.option(
    "--interpret-every",
    type=click.IntRange(min=1),
    default=SAMPLED,
    show_default=True,
    metavar="N",
    help="The interpreter decides one event of N too; 1: each.",
)
@json_option
def replay_command(
    *, directory: Path, ledger: Place, since: datetime, until: datetime, interpret_every: int, show_json: bool
) -> None:
    """Decide every event that a ledger recorded under BUNDLE again, and compare all that was recorded of it.

    Outcome, state of every section, grounds, rules, retention and onward use, for every member. Events that another
    bundle decided are counted and left alone. Exit code 1 if anything comes out otherwise. The ledger notes who asked.

    The router's own engine decides all of them. The interpreter, which is written to be read beside the language, is
    slow: it decides one event of N as well, and whatever it decides otherwise than the engine is counted as
    ``interpreter``. `--interpret-every 1` proves each decision by both.
    """
    bundle = load_bundle(directory)
    with Ledger(ledger) as opened, progress("deciding again") as told:
        total = opened.count_events_between(since, until)
        recorded = opened.whole_between(since, until)
        found = Replaying(bundle, interpret_every).run(recorded, lambda done: told(done, total))
    click.echo(json.dumps(_as_json(found)) if show_json else "\n".join(_in_words(bundle, found)))
    if found.differing:
        raise Rejected("differs", f"{sum(found.differing.values())} recorded decisions came out otherwise")


def _in_words(bundle: Bundle, found: Replay) -> Iterator[str]:
    same = "none came out otherwise" if not found.differing else "NOT ALL THE SAME"
    yield f"{found.events} events, {found.decisions} decisions made again under version {bundle.version}: {same}"
    yield f"  {found.interpreted} of them by the interpreter too"
    for what, count in found.differing.most_common():
        yield f"  {count} differ in {what}"
    for event_id, member, what in found.examples:
        yield f"  for example event {event_id} to {member}: {what}"
    for (version, digest), count in sorted(found.other_bundles.items()):
        yield f"  left alone: {count} events that version {version} ({digest[:12]}) decided"


def _as_json(found: Replay) -> dict[str, object]:
    return {
        "events": found.events,
        "decisions": found.decisions,
        "interpreted": found.interpreted,
        "differing": dict(found.differing),
        "examples": [dict(zip(("event_id", "member", "what"), each, strict=True)) for each in found.examples],
        "other_bundles": [
            {"version": version, "hash": digest, "events": count}
            for (version, digest), count in sorted(found.other_bundles.items())
        ],
    }
