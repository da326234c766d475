"""``huecry agreements schema``: JSON Schemas for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from deploy.agreement_tools.schema_shapes import Names
from deploy.agreement_tools.schemas import agreement_schema, as_json, bundle_schema, exchange_schema
from routing.agreements import load_bundle

_OF: Final = ("agreement", "bundle", "exchange")


@click.command(short_help="The JSON Schema of agreement files, for editors.")
@click.option(
    "--of",
    "kind",
    type=click.Choice(_OF),
    default="agreement",
    show_default=True,
    help="Of a file in agreements/, of bundle.yaml, or of exchange.yaml.",
)
@click.option(
    "--names-of",
    "bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A bundle whose members, areas and roles the schema of an agreement names, to be completed too.",
)
def schema(*, kind: str, bundle: Path | None) -> None:
    """Print a JSON Schema, with which an editor completes and checks a file while it is written.

    A first line of the file says where the schema is: # yaml-language-server: $schema=../agreement.schema.json
    """
    if bundle is not None and kind != "agreement":
        message = "--names-of is for the schema of an agreement"
        raise click.UsageError(message)
    if kind == "agreement":
        made = agreement_schema(Names.of(load_bundle(bundle)) if bundle else Names())
    else:
        made = bundle_schema() if kind == "bundle" else exchange_schema()
    click.echo(as_json(made), nl=False)
