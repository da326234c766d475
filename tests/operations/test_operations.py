"""The operations kit at work: a real Prometheus, the processes of a real exchange, and dashboards over both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from deploy.broker import SHORT_LIVED, EmbeddedBroker
from deploy.dashboards import files
from tests.deploy.dashboard_queries import Asked, in_seconds, queries_in
from tests.operations.prometheus_server import Prometheus, eventually
from tests.operations.rule_scaling import SCRAPE_S, scaled_expression
from tests.operations.running_exchange import RunningExchange

PATIENCE_S: Final = 120.0
"""How long anything may take that takes seconds on an idle machine."""
FACTOR: Final = 60.0
"""Minutes pass in seconds."""

pytestmark = pytest.mark.timeout(600)

EMPTY_WHEN_WELL: Final = {
    "Why: alerts that fire": "no alert fires",
    "Why: alerts that fire about this member": "no alert fires about it",
    "marks: Alerts firing": "no alert fires",
    "Processes that are gone": "none is gone",
    "Not ready": "every part is ready",
    "Router producers made afresh (1 h)": "its reasons have no list, so there is no 0 to show before the first",
}
"""Panels that show nothing while all is well, and why."""


@dataclass(frozen=True)
class Operations:
    """What an operator has: the exchange, its Prometheus, and its dashboards."""

    exchange: RunningExchange
    prometheus: Prometheus
    asked: list[Asked]

    def value(self, asked: Asked) -> list[object]:
        """What a query of a dashboard shows now; its hours are minutes, as everything here is quicker."""
        return list(self.prometheus.ask(scaled_expression(in_seconds(asked.expr, 4 * SCRAPE_S), FACTOR)))


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    """Everything running and well. Each test leaves it so."""
    if shutil.which("prometheus") is None:
        pytest.skip("no Prometheus here: apt-get install prometheus")
    folder = tmp_path_factory.mktemp("operations")
    with EmbeddedBroker(java_options=SHORT_LIVED) as broker:
        exchange = RunningExchange(folder, broker)
        try:
            exchange.start()
            prometheus = Prometheus(folder, _configuration(exchange))
            try:
                prometheus.start()
                yield Operations(exchange, prometheus, _dashboards(exchange, folder))
            finally:
                prometheus.stop()
        finally:
            exchange.stop()


def _configuration(exchange: RunningExchange) -> dict[str, object]:
    return {
        "global": {"scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": f"{SCRAPE_S}s"},
        "scrape_configs": [{"job_name": "huecry", "static_configs": exchange.targets()}],
    }


def _dashboards(exchange: RunningExchange, folder: Path) -> list[Asked]:
    files.write(exchange.exchange, folder / "dashboards")
    return queries_in(folder / "dashboards")


def test_every_query_of_every_dashboard_returns_data(operations: Operations) -> None:
    left = [asked for asked in operations.asked if asked.panel not in EMPTY_WHEN_WELL]
    assert len(left) > 100

    def look() -> bool:
        left[:] = [asked for asked in left if not operations.value(asked)]
        return not left

    eventually(look, PATIENCE_S, lambda: "; ".join(map(str, left)))


def test_what_is_empty_while_all_is_well_is_empty(operations: Operations) -> None:
    """Or its reason is wrong, and it belongs among those that must show something."""
    empty = [asked for asked in operations.asked if asked.panel in EMPTY_WHEN_WELL]
    assert {asked.panel for asked in empty} == set(EMPTY_WHEN_WELL)
    eventually(
        lambda: not any(operations.value(asked) for asked in empty),
        PATIENCE_S,
        lambda: "; ".join(f"{asked}: {found}" for asked in empty if (found := operations.value(asked))),
    )
