"""Dashboards as files: written for Grafana's provisioning, and the demonstration's committed under deploy/grafana."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from deploy.dashboards.boards import boards
from deploy.dashboards.panels import Board
from schemas.errors import Fatal, Rejected
from schemas.exchange import Exchange, load_exchange

_DEPLOY: Final = Path(__file__).resolve().parent.parent
COMMITTED: Final = _DEPLOY / "grafana" / "dashboards"
DEMONSTRATION: Final = _DEPLOY / "demo" / "exchange.yaml"


def texts(exchange: Exchange, runbooks: str = "") -> dict[str, str]:
    """File name → JSON of every dashboard of an exchange; `runbooks` is the address of docs/runbook, if it has one.

    Raises:
        Fatal: grafana-foundation-sdk is not installed.
    """
    drawn = _drawn()
    return {f"{name}.json": drawn(board, runbooks) for name, board in boards(exchange).items()}


def write(exchange: Exchange, directory: Path, runbooks: str = "") -> list[str]:
    """Write the dashboards that differ, and return their names; other files are left alone.

    Raises:
        Fatal: grafana-foundation-sdk is not installed.
        Rejected: the directory cannot be written.
    """
    made, written = texts(exchange, runbooks), []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            path = directory / name
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
                written.append(name)
    except OSError as error:
        raise Rejected("not-writable", f"{directory}: expected a folder to write to ({error.strerror})") from error
    return written


def committed_faults(directory: Path = COMMITTED) -> list[str]:
    """What of the committed dashboards is not what its sources say; empty when all is well."""
    expected = texts(load_exchange(DEMONSTRATION))
    present = {path.name: path.read_text("utf-8") for path in sorted(directory.glob("*"))}
    return [
        *(f"{name}: missing" for name in expected if name not in present),
        *(f"{name}: out of date" for name, text in expected.items() if present.get(name, text) != text),
        *(f"{name}: nothing generates it; delete it" for name in present if name not in expected),
    ]


def _drawn() -> Callable[[Board, str], str]:
    try:
        from deploy.dashboards.drawing import drawn  # noqa: PLC0415  an extra, and slow to load
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("grafana_foundation_sdk"):
            raise
        raise Fatal(
            "dashboards are made with grafana-foundation-sdk, which is not installed: pip install 'huecry[dashboards]'"
        ) from error
    return drawn
