"""``huecry route``: apply sharing agreements and fan events out to partners."""

from __future__ import annotations

from pathlib import Path

import click

from deploy.cli.options import bootstrap_option, client_properties_option, exchange_option, metrics_host, serves_metrics
from deploy.cli.process import ops, stop_on_signals
from routing.agreements.bundle import Bundle
from routing.agreements.load import load_bundle
from routing.settings import RouterSettings, check_state_folder
from routing.supervisor import Supervisor
from routing.worker import Assignment
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings, client_properties
from schemas.ops.logs import configure_logs

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@exchange_option
@click.option(
    "--agreements",
    type=_FOLDER,
    help="Folder of a policy bundle to route under for good, instead of what `huecry agreements publish` put in force.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Routing processes.")
@click.option("--instance", default="router", show_default=True, help="Stable name of this router in its exchange.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder where what the router remembers is kept  [default: in the folder huecry of XDG_STATE_HOME]",
)
@bootstrap_option
@client_properties_option
@click.option("--registry", help="URL of a schema registry that may know newer schemas.")
@serves_metrics("Serve /metrics and /health on this port, and each worker's on the ports after.")
@click.option(
    "--session-timeout",
    type=click.IntRange(1, 120),
    default=10,
    show_default=True,
    metavar="SECONDS",
    help="How long a silent worker keeps its partitions.",
)
def route(  # noqa: PLR0913, PLR0917  one parameter for each option
    exchange: Path,
    agreements: Path | None,
    workers: int,
    instance: str,
    state: Path | None,
    bootstrap: str,
    properties_file: Path | None,
    registry: str | None,
    metrics_port: int | None,
    session_timeout: int,
) -> None:
    """Apply sharing agreements to every incident event and fan it out to the partners entitled to it.

    The policy in force is the newest on the policy topic; a new one takes effect between two transactions, without a
    restart. Without one, or with one that cannot be loaded, nothing is routed and the router is not ready.

    What the router remembers of incidents is kept in Kafka (routing.state.*), and a copy of it in a folder of this
    machine, so that it need not be read from Kafka whole at each start. Routers of one folder need names of their own.

    Runs until stopped (Ctrl-C or SIGTERM). A worker that dies or is stuck is replaced.
    """
    configure_logs("route")
    described = load_exchange(exchange)
    bundle = load_bundle(agreements) if agreements else None
    settings = RouterSettings(
        instance=instance, workers=workers, session_timeout_ms=session_timeout * 1000, state_folder=state
    )
    check_state_folder(described.exchange, settings)
    assignment = Assignment(
        exchange=described,
        settings=settings,
        clients=ClientSettings(bootstrap, client_properties(properties_file)),
        bundle=bundle.to_bytes() if bundle else None,
        bundle_hash=bundle.hash if bundle else "",
        slot=0,
        metrics_port=metrics_port or None,
        metrics_host=metrics_host(),
        registry=registry,
    )
    stop = stop_on_signals()
    click.echo(
        f"routing {described.exchange} with {workers} worker(s) under {_policy_of(bundle)}; stop with Ctrl-C",
        err=True,
    )
    with ops(metrics_port, "route", described.exchange) as health:
        Supervisor(assignment, health).run(stop)


def _policy_of(bundle: Bundle | None) -> str:
    if bundle is None:
        return "the policy published on the policy topic"
    return f"policy version {bundle.version} ({bundle.hash[:12]}) of that folder"
