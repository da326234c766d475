"""Writes what is generated from the truths it describes: ``python -m deploy.docs [--check]``.

The reference pages (docs/reference), and the dashboards of the demonstration's exchange (deploy/grafana/dashboards).

No page is edited by hand. ``--check`` writes nothing and fails when a page is out of date, missing, or generated no
longer, or when a command of the command line cannot be imported.
"""

from __future__ import annotations

import difflib
import sys
from functools import cache
from pathlib import Path
from typing import Final

import click

from deploy.asyncapi import as_yaml, asyncapi_document
from deploy.dashboards import files as dashboards
from deploy.docs_agreements import agreements_page, schema_files
from deploy.docs_contract import codes_page, metrics_page, topics_page
from deploy.docs_messages import messages_page
from deploy.docs_settings import configuration_page
from deploy.docs_usage import command_faults, commands_page, exchange_page
from schemas.exchange import load_exchange

DIRECTORY: Final = Path(__file__).resolve().parent.parent / "docs" / "reference"

_DEMO: Final = Path(__file__).parent / "demo" / "exchange.yaml"
_PAGES: Final = {
    "agreements.md": ("routing/agreements/language", agreements_page),
    "cli.md": ("deploy/cli", commands_page),
    "codes.md": ("schemas/codes.yaml", codes_page),
    "configuration.md": ("deploy/cli, routing/settings.py and schemas/kafka.py", configuration_page),
    "exchange.md": ("schemas/exchange.py", exchange_page),
    "messages.md": ("schemas/avro", messages_page),
    "metrics.md": ("schemas/ops/metric_catalogue.py", metrics_page),
    "topics.md": ("schemas/topics.yaml", topics_page),
}
_DASHBOARDS: Final = "deploy/grafana/dashboards"
_DIFF_LINES_SHOWN: Final = 12


def pages() -> dict[str, str]:
    """File name → text of every reference page, the same for the same sources on every machine."""
    written = {
        name: f"<!-- Generated from {source} by `make docs`; edit that, not this. -->\n\n{page().strip()}\n"
        for name, (source, page) in _PAGES.items()
    }
    return written | schema_files() | _asyncapi_documents()


@cache
def _asyncapi_documents() -> dict[str, str]:
    """Those of the demonstration's members, as examples of what `huecry asyncapi` writes."""
    exchange = load_exchange(_DEMO)
    made = "# Generated from deploy/demo/exchange.yaml and schemas by `make docs`; edit those, not this."
    return {
        f"asyncapi/{member}.yaml": f"{made}\n{as_yaml(asyncapi_document(exchange, member))}"
        for member in sorted(exchange.members)
    }


def write(directory: Path = DIRECTORY) -> list[str]:
    """Write the pages that differ, and return their names."""
    written = []
    for name, text in pages().items():
        if _present(directory / name) != text:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text(text, "utf-8")
            written.append(name)
    return written


def faults(directory: Path = DIRECTORY) -> list[str]:
    """What is wrong with the pages as they are, each with a summary of the difference; empty when all is well."""
    expected = pages()
    found = [_difference(name, _present(directory / name), text) for name, text in expected.items()]
    present = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    unknown = sorted(present - expected.keys())
    return [
        *(fault for fault in found if fault),
        *(f"{name}: nothing generates it; delete it, or move it out of docs/reference" for name in unknown),
        *command_faults(),
    ]


def _present(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _difference(name: str, present: str | None, expected: str) -> str | None:
    if present is None:
        return f"{name}: missing"
    if present == expected:
        return None
    diff = list(difflib.unified_diff(present.splitlines(), expected.splitlines(), lineterm="", n=0))[2:]
    changed = [line for line in diff if not line.startswith("@@")]
    added, removed = sum(line[0] == "+" for line in changed), sum(line[0] == "-" for line in changed)
    shown = [f"    {line[:160]}" for line in changed[:_DIFF_LINES_SHOWN]]
    more = [f"    ... and {len(changed) - len(shown)} lines more"] if len(changed) > len(shown) else []
    return "\n".join([f"{name}: out of date (+{added} -{removed} lines)", *shown, *more])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--check", is_flag=True, help="Write nothing; fail if a page is out of date.")
def main(*, check: bool) -> None:
    """Write the reference pages and dashboards from schemas, catalogues and commands."""
    if not check:
        written = [*write(), *dashboards.write(load_exchange(dashboards.DEMONSTRATION), dashboards.COMMITTED)]
        click.echo(f"docs/reference, {_DASHBOARDS}: {', '.join(written) or 'nothing'} written")
        for fault in command_faults():
            click.echo(f"warning: {fault}", err=True)
        return
    if found := [*faults(), *dashboards.committed_faults()]:
        click.echo("\n".join([f"docs/reference or {_DASHBOARDS} is not what its sources say:", *found]), err=True)
        click.echo("run `make docs`, look at the difference, and commit it", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
