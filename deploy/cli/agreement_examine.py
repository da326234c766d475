"""``huecry agreements check`` and ``diff``: what agreements say, and what a change of them changes, found exactly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress

from consumers.ledger_queries import Ledger
from consumers.sinks.places import Place
from deploy.agreement_tools.unknowns import turned_on_unknown, unknowns_in_words
from routing.agreements import Bundle, load_bundle
from routing.agreements.force import LONDON
from schemas.errors import Rejected

_BUNDLE: Final = click.Path(exists=True, file_okay=False, path_type=Path)
_Told = Callable[[int, int], None]


def _day(_context: click.Context, _parameter: click.Parameter, text: str | None) -> date:
    if text is None:
        return datetime.now(LONDON).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"expected a day like 2026-03-01, got {text}"
        raise click.BadParameter(message) from None


on_option: Final = click.option(
    "--on", "day", callback=_day, metavar="DAY", help="The day in force, in London: 2026-03-01. Default: today."
)
json_option: Final = click.option("--json", "show_json", is_flag=True, help="One JSON object.")


@contextmanager
def progress(what: str) -> Iterator[_Told]:
    """A bar on the error output while something long goes on; nothing where that is no terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what)
        yield lambda done, of: bar.update(task, completed=done, total=max(of, 1))


def examine_in_words(bundle: Bundle, day: date) -> Iterator[str]:
    """What the exact examination of a bundle found; if its solver is not installed, how to install it."""
    if not _can_solve():
        yield "not examined for dead, shadowed and overlapping rules: that needs the extra `analysis` (z3-solver)"
        return
    from deploy.agreement_tools.analysis.findings import examine  # noqa: PLC0415  the solver is an extra
    from deploy.agreement_tools.reporting import examination_in_words  # noqa: PLC0415

    with progress("examining every rule") as told:
        found = examine(bundle, day, told)
    yield f"examined exactly, as in force on {day}:"
    yield from (f"  {line}" for line in examination_in_words(found))


def unknowns_of_last_week(ledger: Place) -> Iterator[str]:
    """How often protections turned on something unknown, from a force's own ledger."""
    until = datetime.now(LONDON)
    with Ledger(ledger) as opened:
        counts = turned_on_unknown(opened.recorded_between(until - timedelta(days=7), until))
    yield "in the last seven days:"
    yield from (f"  {line}" for line in unknowns_in_words(counts))


def examine_as_json(bundle: Bundle, day: date) -> list[dict[str, object]]:
    """The findings as plain data."""
    need_solver()
    from deploy.agreement_tools.analysis.findings import examine  # noqa: PLC0415
    from deploy.agreement_tools.reporting import finding_as_json  # noqa: PLC0415

    return [finding_as_json(finding) for finding in examine(bundle, day).findings]


def _can_solve() -> bool:
    return find_spec("z3") is not None


def need_solver() -> None:
    """Refuse where the solver is not installed, which is an extra.

    Raises:
        Rejected: ``no-solver``.
    """
    if not _can_solve():
        raise Rejected(
            "no-solver",
            "this solves for events instead of trying them, and its solver is not installed",
            remedy="install the extra: pip install 'huecry[analysis]'",
        )


@click.command(short_help="What a new bundle changes: who gains or loses what, and where.")
@click.argument("old", type=_BUNDLE, metavar="OLD")
@click.argument("new", type=_BUNDLE, metavar="NEW")
@on_option
@json_option
def diff(*, old: Path, new: Path, day: date, show_json: bool) -> None:
    """Say what the bundle in NEW changes against the one in OLD, for every event that could come.

    Exactly: the regions told are all events of which a part is given, withheld, referred or forbidden otherwise, and
    no others; each comes with an example that both bundles were asked about. Not compared: on what terms something is
    given (grounds, retention, onward use, coarser places), and what follows from rulings and earlier deliveries.
    """
    need_solver()
    from deploy.agreement_tools.analysis.differences import differences  # noqa: PLC0415  the solver is an extra
    from deploy.agreement_tools.reporting import difference_as_json, difference_in_words, together  # noqa: PLC0415

    before, after = load_bundle(old), load_bundle(new)
    with progress("comparing") as told:
        found = together(differences(before, after, day, told))
    if show_json:
        click.echo(json.dumps({"day": day.isoformat(), "differences": [difference_as_json(each) for each in found]}))
        return
    click.echo(f"version {before.version} against version {after.version}, as both are in force on {day}:")
    for each in found:
        click.echo("\n".join(difference_in_words(each)))
    click.echo(f"{len(found)} differences" if found else "every event is decided alike")
