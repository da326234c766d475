"""``huecry health``: asks a process of this machine how it is, as a container's health check."""

from __future__ import annotations

import http.client
import json
import sys

import click

from deploy.cli.options import metrics_host, serves_metrics
from schemas.errors import Unavailable

_ANSWER_S = 5.0
_ANYWHERE = "0.0.0.0"  # noqa: S104  what a server binds to, and nobody can ask


@click.command()
@click.argument("question", type=click.Choice(["ready", "live"]), default="ready")
@serves_metrics("Where the process serves /metrics and /health.")
def health(question: str, metrics_port: int | None) -> None:
    """Ask a huecry process whether it is ready (does its work) or live (its loop turns): exit code 0 if so, else 1.

    A container's health check: it reads the same HUECRY_METRICS_PORT and HUECRY_METRICS_HOST as the process itself.
    """
    if not metrics_port:
        raise click.UsageError("name the process's port: --metrics-port N, or HUECRY_METRICS_PORT")
    host = metrics_host()
    status, answer = _ask("127.0.0.1" if host == _ANYWHERE else host, metrics_port, f"/health/{question}")
    click.echo(answer)
    sys.exit(0 if status == http.client.OK else 1)


def _ask(host: str, port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.dumps(json.loads(response.read()))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(
            f"expected a huecry process at {host}:{port}, which did not answer ({type(error).__name__}): "
            "is it running, and was it given this --metrics-port?"
        ) from error
    finally:
        connection.close()
