"""``huecry agreements mutants``: whether anybody would notice a slip in the rules."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from deploy.cli.agreement_examine import json_option, need_solver, on_option, progress
from routing.agreements import read_bundle, run_examples
from routing.agreements.load import BundleRejected
from schemas.errors import Rejected


@click.command(short_help="Which slips in the rules the examples would notice, and which examples are missing.")
@click.argument("directory", metavar="BUNDLE", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--agreement", metavar="ID", help="Change this agreement alone: quicker, in a large bundle.")
@on_option
@json_option
def mutants(*, directory: Path, agreement: str | None, day: date, show_json: bool) -> None:
    """Change the rules of BUNDLE a little, one change at a time, and see whether an example of theirs fails.

    A rule left out, a condition dropped or turned round, a value more or less, a section, a member, a day: what a
    slip of the hand could do. Of each change that makes a difference and that no example notices, an example is
    written that would: add it if it says what you mean, and correct the rule if it does not.

    Whether a change makes a difference is found exactly, for every event that could come. Not changed: what only a
    ruling or an earlier delivery brings to light (`override`, `follow`).
    """
    need_solver()
    from deploy.agreement_tools.mutants.report import report, report_as_json, report_in_words  # noqa: PLC0415
    from deploy.agreement_tools.mutants.trial import Trial  # noqa: PLC0415  the solver is an extra

    reading = read_bundle(directory)
    if reading.bundle is None:
        raise BundleRejected(directory, reading.faults)
    if any(result.failures for result in run_examples(reading.bundle, reading.examples)):
        raise Rejected("bad-bundle", f"{directory}: an example fails", remedy="see `huecry agreements test`")
    if agreement is not None and reading.bundle.agreement(agreement) is None:
        known = ", ".join(each.id for each in reading.bundle.agreements)
        raise Rejected("no-such-agreement", f"{agreement} is not in the bundle; expected one of {known}")
    with progress("changing rules") as told:
        trial = Trial(reading.bundle, reading.examples, day, agreement)
        found = report(trial, told)
    if show_json:
        click.echo(json.dumps(report_as_json(found, day)))
    else:
        click.echo("\n".join(report_in_words(found, day)))
