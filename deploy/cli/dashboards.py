"""``huecry dashboards``: Grafana dashboards of an exchange."""

from __future__ import annotations

from pathlib import Path

import click

from deploy.cli.options import exchange_option
from deploy.dashboards.files import write
from schemas.exchange import load_exchange


@click.command()
@exchange_option
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Where the JSON files go; other files there are left alone.",
)
@click.option(
    "--runbooks", default="", metavar="URL", help="Where your people read docs/runbook: panels then link to its pages."
)
def dashboards(exchange: Path, into: Path, runbooks: str) -> None:
    """Write Grafana dashboards: one for the whole exchange, and one for each of its members.

    Grafana reads them from a folder (provisioning) or by import; they ask whichever Prometheus is chosen at the top.
    Run it again when members change. Needs pip install 'huecry[dashboards]'.
    """
    written = write(load_exchange(exchange), into, runbooks)
    click.echo(f"{into}: {', '.join(written) or 'nothing'} written")
