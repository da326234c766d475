"""``huecry agreements``: what the owners of sharing agreements do with them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Final

import click

from consumers.sinks.places import Place
from deploy.cli import (
    agreement_examine,
    agreement_explain,
    agreement_mutants,
    agreement_new,
    agreement_replay,
    agreement_schema,
    agreement_simulate,
    policy_commands,
)
from deploy.cli.database import DATABASE
from routing.agreements import Bundle, ExampleResult, load_bundle, read_bundle, run_examples
from routing.agreements.load import BundleRejected
from routing.agreements.model import Agreement
from schemas.errors import Rejected

_DIRECTORY: Final = click.argument(
    "directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)


@click.group()
def agreements() -> None:
    """Read, check, test and publish sharing agreements.

    DIR is a bundle: bundle.yaml (version, publisher, members, roles, never-states, suspensions) and one file for each
    agreement in agreements/.
    """


for _command in (
    agreement_new.new,
    agreement_schema.schema,
    agreement_mutants.mutants,
    agreement_examine.diff,
    agreement_explain.explain,
    agreement_simulate.simulate,
    agreement_replay.replay_command,
    policy_commands.publish,
    policy_commands.history,
    policy_commands.suspend,
    policy_commands.resume,
    policy_commands.restore,
):
    agreements.add_command(_command)


@agreements.command(short_help="Every fault, and every dead, shadowed or overlapping rule.")
@_DIRECTORY
@agreement_examine.on_option
@click.option(
    "--ledger",
    type=DATABASE,
    metavar="DATABASE",
    help="A force's own ledger: also say how often each protection turned on something unknown in the last week.",
)
@click.option("--quick", is_flag=True, help="Faults only: do not examine what the rules can do.")
@agreement_examine.json_option
def check(*, directory: Path, day: date, ledger: Place | None, quick: bool, show_json: bool) -> None:
    """Load a bundle as the router would: say every fault with its file and line, or what the bundle holds.

    Then examine its rules against every event that could come: which rules none can match (dead), which never make
    a difference (shadowed), and which meet. Each finding comes with an example that the interpreter has confirmed;
    none of them keeps a bundle from being published.

    Exit code 0 if the router would take it, else 1. The examples are run too; `test` shows each.
    """
    bundle = load_bundle(directory)
    if show_json:
        findings = [] if quick else agreement_examine.examine_as_json(bundle, day)
        click.echo(json.dumps({"version": bundle.version, "hash": bundle.hash, "findings": findings}))
        return
    click.echo(f"{directory}: version {bundle.version}, published by {bundle.published_by}, hash {bundle.hash}")
    for agreement in bundle.agreements:
        click.echo(_summary(bundle, agreement, day))
    if not quick:
        click.echo("\n".join(agreement_examine.examine_in_words(bundle, day)))
    if ledger is not None:
        click.echo("\n".join(agreement_examine.unknowns_of_last_week(ledger)))


def _summary(bundle: Bundle, agreement: Agreement, day: date) -> str:
    towards = sorted({to for rule in agreement.rules for to in rule.recipients})
    lasts = f"from {agreement.starts}" + (f" to {agreement.ends}" if agreement.ends else "")
    review = f", review by {agreement.review}" if agreement.review else ""
    signed = sorted({signature.member for signature in agreement.signatures}.intersection(agreement.origins))
    counts = ", ".join(_count(agreement, outcome) for outcome in _outcomes(agreement))
    lines = [
        f"  {agreement.id}  {agreement.title}{' (standing)' if agreement.standing else ''}",
        f"    {', '.join(agreement.origins)} → {', '.join(towards)}; {lasts}{review}",
        f"    {counts}; signed by {', '.join(signed) or 'no origin'}",
    ]
    if agreement.review is not None and day > agreement.review:
        lines.append("    the review day has passed: its owners must look again")
    if suspension := bundle.suspension(agreement.id):
        lines.append(f"    suspended by {suspension.who}: {suspension.why}")
    return "\n".join(lines)


def _outcomes(agreement: Agreement) -> list[str]:
    found = {rule.outcome for rule in agreement.rules}
    return [outcome for outcome in ("share", "refer", "forbid", "limit") if outcome in found]


def _count(agreement: Agreement, outcome: str) -> str:
    number = sum(rule.outcome == outcome for rule in agreement.rules)
    return f"{number} {outcome} rule{'' if number == 1 else 's'}"


@agreements.command(short_help="Run the examples that agreements carry.")
@_DIRECTORY
def test(directory: Path) -> None:
    """Run the examples that the agreements of a bundle carry, and print each.

    An example runs with its own file and the standing files, at noon on the day the agreement starts unless it says
    `on`. Exit code 1 if one fails: the router would refuse such a bundle.
    """
    reading = read_bundle(directory)
    if reading.bundle is None:
        raise BundleRejected(directory, reading.faults)
    results = run_examples(reading.bundle, reading.examples)
    for result in results:
        click.echo(_told(result))
    failed = sum(bool(result.failures) for result in results)
    click.echo(f"{len(results)} examples, {failed} failed")
    if failed:
        raise Rejected("bad-bundle", f"{directory}: {failed} of {len(results)} examples fail")


def _told(result: ExampleResult) -> str:
    example = result.example
    lines = [f"{'FAILS' if result.failures else 'holds'}  {example.agreement}  {example.name}"]
    where = f"{example.file}:{example.place.line}:{example.place.column}"
    lines += [f"       {where}: {failure}" for failure in result.failures]
    return "\n".join(lines)
