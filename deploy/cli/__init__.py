"""The ``huecry`` command line: one module per command, loaded only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from schemas.errors import HueCryError, Rejected

COMMANDS: Final = {
    "agreements": "read, check and test sharing agreements",
    "answer": "answer what this member is asked: accept, reject, confirm; or list what waits",
    "asyncapi": "describe a member's topics and messages for its integrators' tools",
    "bars": "to whom an incident is barred since it was taken back, and lifting that",
    "broker": "run a real Apache Kafka on this machine",
    "cases": "what people are asked about a force's incidents, and how they rule",
    "consume": "write what a member receives into its own database",
    "dashboards": "write Grafana dashboards of an exchange",
    "demo": "show the whole path working, with real police records",
    "desk": "tell people at a force that somebody is asked: a webhook or a command",
    "discretions": "what people shared beyond the rules on a day, for review the next",
    "explain": "why a member got an event, or did not",
    "feedback": "write what became of a force's events where its people see it",
    "health": "ask a running process whether it is ready",
    "ledger": "keep a force's own record of its disclosures in a database",
    "produce": "publish a force's incidents",
    "provision": "make the topics of an exchange",
    "quarantine": "see and repair events the router refused",
    "registry": "serve the schemas to partners' deserialisers",
    "replay": "read what a member received again, and write what is missing",
    "retract": "take an incident back from those who hold it",
    "retractions": "what was taken back, from whom, and who has confirmed it",
    "route": "apply sharing agreements and fan events out to partners",
    "setaside": "see and retry records that could not be mapped",
    "share": "share what no rule grants, or over a forbid when life is at risk",
    "status": "whether everything flows, and if not: for whom, since when and why",
    "trace": "one incident's whole life: who was sent what, when, under which rule, and who has it",
    "withdraw": "take back parts of an incident, or all that the policy no longer permits",
}
"""Every command and what it is for; ``deploy/cli/<name>.py`` holds a click command of that name."""


_COMPILED: Final = " (compiled)" if any(Path(__file__).parents[2].glob("huecry__mypyc.*")) else ""
"""Whether the hot path is machine code (``setup.py``)."""


class _LazyCommands(click.Group):
    """Imports a command's module when it is named, so that ``huecry --help`` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"deploy.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="huecry", message=f"%(prog)s, version %(version)s{_COMPILED}")
def cli() -> None:
    """Hue and Cry: live incidents between control rooms, shared under written agreements, over Apache Kafka."""


def main() -> None:
    """Run the command line; an error of ours is told on stderr with what to do, exit code 1, never a traceback."""
    try:
        cli(standalone_mode=True)
    except HueCryError as error:
        click.echo(f"huecry: {_told(error)}", err=True)
        sys.exit(1)


def _told(error: HueCryError) -> str:
    """What went wrong, and what to do about it."""
    if not (isinstance(error, Rejected) and error.remedy):
        return str(error)
    return f"{error}\n{error.remedy}" if "\n" in str(error) else f"{error} ({error.remedy})"
