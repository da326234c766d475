"""``huecry produce``: publish a force's incidents."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from deploy.cli.options import bootstrap_option, client_properties_option, exchange_option, metrics_port_option
from deploy.cli.process import ops, stop_on_signals
from deploy.cli.producer_screen import progress_line, show_rehearsal, summary, summary_json
from producers.rehearsal import rehearse
from producers.settings import FileInput, ProducerSettings, SyntheticInput, input_of, production
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties
from schemas.ops.logs import configure_logs

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@exchange_option
@click.option("--force", required=True, metavar="MEMBER", help="Whose incidents: a member that publishes.")
@click.option("--source", type=_file, metavar="FILE", help="CSV (with a header) or JSON Lines; needs --mapping.")
@click.option("--mapping", type=_file, metavar="FILE", help="What the file's columns and codes mean: docs/mapping.md.")
@click.option("--follow", is_flag=True, help="Go on when the file's end is reached: more may be written to it.")
@click.option("--synthetic", is_flag=True, help="Play a control room that does not exist, in place of a file.")
@click.option("--seed", type=int, default=1, show_default=True, help="Synthetic: one seed, one set of incidents.")
@click.option("--incidents", type=click.IntRange(1), metavar="N", help="Synthetic: end when so many have been told.")
@click.option("--events", type=click.IntRange(1), metavar="N", help="Synthetic: end after so many events.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="R", help="Records a second; else as they come."
)
@click.option("--spool", type=_file, metavar="FILE", help="Where captured events lie; by default in your state folder.")
@click.option("--check", type=click.IntRange(1), metavar="N", help="Map the first N records, show what would be sent.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object on stdout.")
@bootstrap_option
@client_properties_option
@metrics_port_option
def produce(  # noqa: PLR0913, PLR0917  one parameter for each option
    exchange: Path,
    force: str,
    source: Path | None,
    mapping: Path | None,
    follow: bool,  # noqa: FBT001
    synthetic: bool,  # noqa: FBT001
    seed: int,
    incidents: int | None,
    events: int | None,
    rate: float | None,
    spool: Path | None,
    check: int | None,
    as_json: bool,  # noqa: FBT001
    bootstrap: str,
    properties_file: Path | None,
    metrics_port: int | None,
) -> None:
    """Publish a force's incidents: from its own records through a mapping, or from a synthetic control room.

    Every record is on disk, in the spool, before it counts as captured, and is sent from there: so this may be killed
    and started again at any time, and Kafka may be away. Records that cannot be mapped are set aside with the reason:
    see huecry setaside.

    \b
    An integrator's first afternoon:
      huecry produce --exchange exchange.yaml --force kent --mapping kent.yaml --source day.csv --check 100
      huecry produce --exchange exchange.yaml --force kent --mapping kent.yaml --source day.csv --follow

    Ends at the end of the file, or on Ctrl-C or SIGTERM when what is under way has arrived; what has not stays in the
    spool for the next run.
    """  # noqa: D301  \b is click's mark for lines to keep
    configure_logs("produce")
    settings = ProducerSettings(
        exchange=load_exchange(exchange),
        force=force,
        input=_input(source, mapping, follow, SyntheticInput(seed, incidents, events) if synthetic else None),
        clients=ClientSettings(bootstrap, client_properties(properties_file)),
        spool=spool,
        rate=rate,
    )
    if check is not None:
        _, first, make = input_of(settings)
        show_rehearsal(rehearse(first, make, datetime.now(UTC), check), as_json=as_json)
        return
    _publish(settings, metrics_port, as_json=as_json)


def _input(
    source: Path | None,
    mapping: Path | None,
    follow: bool,  # noqa: FBT001
    synthetic: SyntheticInput | None,
) -> FileInput | SyntheticInput:
    if synthetic is not None:
        if source or mapping or follow:
            raise click.UsageError("--synthetic makes its own events: leave out --source, --mapping and --follow")
        return synthetic
    if source is None or mapping is None:
        raise click.UsageError("name --source FILE and --mapping FILE, or --synthetic")
    return FileInput(source, mapping, follow)


def _publish(settings: ProducerSettings, metrics_port: int | None, *, as_json: bool) -> None:
    stop = stop_on_signals()
    with ops(metrics_port, "produce", settings.force) as health:
        running = production(settings, health)
        with running.spool, progress_line(settings.force) as report:
            progress = running.run(stop, report)
    spool = running.spool.file.path
    mapping = settings.input.mapping if isinstance(settings.input, FileInput) else None
    if as_json:
        summary_json(progress, settings.force, spool)
    else:
        summary(progress, settings.force, spool, mapping)
