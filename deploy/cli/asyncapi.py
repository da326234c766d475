"""``huecry asyncapi``: what one member's applications read and write, for their integrators' tools."""

from __future__ import annotations

from pathlib import Path

import click

from deploy.asyncapi import as_yaml, asyncapi_document
from deploy.cli.options import bootstrap_option, exchange_option
from schemas.errors import Fatal
from schemas.exchange import load_exchange


@click.command()
@exchange_option
@click.option("--member", required=True, metavar="MEMBER", help="Whose side: any member.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it.  [default: stdout]",
)
@bootstrap_option
@click.option("--registry", metavar="URL", help="The schema registry that the member's applications may ask.")
def asyncapi(exchange: Path, member: str, into: Path | None, bootstrap: str, registry: str | None) -> None:
    """Write the AsyncAPI 3.0 document of one member: its topics, what it reads and writes there, every schema in full.

    For the member's integrators: their own tools make documentation and clients of it. Nothing is asked of Kafka.
    """
    document = as_yaml(asyncapi_document(load_exchange(exchange), member, bootstrap=bootstrap, registry=registry))
    if into is None:
        click.echo(document, nl=False)
        return
    try:
        into.write_text(document, encoding="utf-8")
    except OSError as error:
        raise Fatal(f"{into}: cannot be written ({error.strerror}): name another file with --into") from error
