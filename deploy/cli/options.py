"""Options that several commands share, so that one name means one thing everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from schemas.ops.serving import LOOPBACK

_Command = TypeVar("_Command", bound=Callable[..., Any])

exchange_option: Final = click.option(
    "--exchange",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="exchange.yaml: the members, partitions and limits.",
)

bootstrap_option: Final = click.option(
    "--bootstrap",
    default="localhost:9092",
    envvar="HUECRY_BOOTSTRAP",
    show_envvar=True,
    show_default=True,
    metavar="HOST:PORT",
    help="The Kafka cluster; several with commas.",
)

client_properties_option: Final = click.option(
    "--client-properties",
    "properties_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What the cluster's security asks for: key=value lines with librdkafka's names (TLS, SASL).",
)

_METRICS_HOST: Final = "huecry.metrics_host"


def _note_metrics_host(context: click.Context, _parameter: click.Parameter, host: str) -> None:
    context.meta[_METRICS_HOST] = host


def metrics_host() -> str:
    """The address that the running command was told to serve its metrics and health on."""
    context = click.get_current_context(silent=True)
    return LOOPBACK if context is None else str(context.meta.get(_METRICS_HOST, LOOPBACK))


metrics_host_option: Final = click.option(
    "--metrics-host",
    default=LOOPBACK,
    envvar="HUECRY_METRICS_HOST",
    show_envvar=True,
    show_default=True,
    metavar="ADDRESS",
    callback=_note_metrics_host,
    expose_value=False,
    help="The address for it: another than this machine's own only in a private network: whoever asks is answered.",
)


def serves_metrics(help_text: str) -> Callable[[_Command], _Command]:
    """``--metrics-port``, as the command's `metrics_port`, and ``--metrics-host``, which `metrics_host` tells."""
    port_option = click.option(
        "--metrics-port", type=int, envvar="HUECRY_METRICS_PORT", show_envvar=True, metavar="N", help=help_text
    )
    return lambda command: port_option(metrics_host_option(command))


metrics_port_option: Final = serves_metrics("Serve /metrics and /health on this port.")

registry_option: Final = click.option(
    "--registry", metavar="URL", help="A schema registry that may know newer schemas than this release."
)

until_idle_option: Final = click.option(
    "--until-idle", type=float, metavar="SECONDS", help="Stop when nothing has come for so long; else run until told."
)
