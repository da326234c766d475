"""What every command that runs on has in common: it ends when asked, and serves its metrics and health."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from deploy.cli.options import metrics_host
from schemas.ops import metrics
from schemas.ops.health import Health, serve_ops


def stop_on_signals() -> Event:
    """Set by SIGTERM and SIGINT: what is in hand is finished, then the process ends."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def ops(metrics_port: int | None, service: str, whose: str = "exchange") -> Iterator[Health]:
    """Health, served with the metrics if a port is named, at the address that ``--metrics-host`` says.

    ``service`` is the command that this process runs, ``whose`` the member or exchange that it works for.
    """
    metrics.set_gauge("process_info", 1, service=service, whose=whose)
    health = Health()
    server = serve_ops(metrics_port, health, metrics_host()) if metrics_port else None
    try:
        yield health
    finally:
        if server is not None:
            server.close()
