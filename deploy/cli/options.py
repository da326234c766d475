"""Options that several commands share, so that one name means one thing everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

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

metrics_port_option: Final = click.option(
    "--metrics-port", type=int, metavar="N", help="Serve /metrics and /health on 127.0.0.1:N."
)

registry_option: Final = click.option(
    "--registry", metavar="URL", help="A schema registry that may know newer schemas than this release."
)

until_idle_option: Final = click.option(
    "--until-idle", type=float, metavar="SECONDS", help="Stop when nothing has come for so long; else run until told."
)
