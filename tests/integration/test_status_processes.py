"""huecry status against the real thing: processes on a real broker, and what it says when one of them stops."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deploy.cli import cli
from deploy.demo.crew import Crew
from deploy.provision import provision
from deploy.status.targets import targets_document
from schemas.kafka import ClientSettings
from tests.chaos.exchange import Parties
from tests.integration.routing_scene import wait_for

PATIENCE_S = 120.0

Report = dict[str, Any]


class Running:
    """A force that publishes without end, a router, and the consumer of one who receives."""

    def __init__(self, folder: Path, bootstrap: str, name: str) -> None:
        self.parties = Parties(folder, name, name)
        exchange, _ = self.parties.write()
        provision(ClientSettings(bootstrap), exchange)
        self.origin, self.recipient = self.parties.origins[0], self.parties.recipients[0]
        (folder / "logs").mkdir()
        self.crew = Crew(folder / "logs")
        self._targets = folder / "targets.json"
        common = ("--exchange", str(self.parties.exchange_file), "--bootstrap", bootstrap)
        self.crew.start("route", "route", *common, "--agreements", str(self.parties.agreements), ports=2)
        into = str(folder / "received.db")
        self.crew.start(f"consume-{self.recipient}", "consume", *common, "--member", self.recipient, "--into", into)
        told = ("--synthetic", "--rate", "6", "--spool", str(folder / "spool.db"))
        self.crew.start(f"produce-{self.origin}", "produce", *common, "--force", self.origin, *told)
        self._targets.write_text(json.dumps(targets_document(self.crew.targets())))

    def status(self) -> tuple[int, Report]:
        """What scripts are told."""
        told = ["status", "--json", "--targets", str(self._targets), "--exchange", str(self.parties.exchange_file)]
        result = CliRunner().invoke(cli, [*told, "--interval", "3", "--timeout", "20"])
        return result.exit_code, json.loads(result.stdout)

    def stop(self, name: str) -> None:
        """As an operator would, or a fault: it does not come again."""
        os.kill(self.crew.pids()[name], signal.SIGTERM)
        wait_for(lambda: name not in self.crew.pids(), f"{name} has ended", PATIENCE_S)

    def said(self, condition: Callable[[int, Report], object], what: str) -> Report:
        """The report, once it is so."""
        reports: list[Report] = []

        def holds() -> bool:
            code, report = self.status()
            reports[:] = [report]
            return bool(condition(code, report))

        try:
            wait_for(holds, what, PATIENCE_S)
        except AssertionError as error:
            error.add_note(json.dumps(reports))
            raise
        return reports[0]


@pytest.fixture
def running(broker, unique, tmp_path) -> Iterator[Running]:
    made = Running(tmp_path, broker.bootstrap, unique)
    yield made
    made.crew.stop()


def member(report: Report, name: str) -> Any:
    return next(one for one in report["members"] if one["member"] == name)


def grave(report: Report) -> list[str]:
    """What stands still; on a busy machine a transaction may be aborted at any time, and everything flows."""
    return [fault["words"] for fault in report["faults"] if fault["grave"]]


def test_it_says_that_all_flows_and_when_one_part_stops_which_for_whom_and_why(running: Running) -> None:
    recipient, origin = running.recipient, running.origin

    def flows(code: int, report: Report) -> bool:
        received, sent = member(report, recipient), member(report, origin)
        moving = received["delivered_per_s"] and sent["published_per_s"] and received["p99_ms"]
        return report["flowing"] and code == (1 if report["faults"] else 0) and bool(moving)

    report = running.said(flows, "all flows")
    received = member(report, recipient)
    assert received["name"] == "Neighbouring force"
    assert 0 < received["p50_ms"] <= received["p99_ms"]
    assert received["decided"]["shared-in-part"] > 0
    assert member(report, origin)["published"] > 0
    services = sorted((one["service"], one["ready"]) for one in report["processes"])
    assert services == [("consume", True), ("produce", True), ("route", True), ("route-worker", True)]

    running.stop(f"consume-{recipient}")

    def misses_only_the_consumer(code: int, report: Report) -> object:
        return code == 1 and len(grave(report)) == 1 and member(report, origin)["published_per_s"]

    report = running.said(misses_only_the_consumer, "one thing is wrong, and all else is told as it is")
    (said,) = grave(report)
    assert said.startswith("Neighbouring force: nothing delivered: consumer not reachable (127.0.0.1:")
    assert said.endswith("connection refused)")
    assert not report["flowing"]

    running.stop("route")
    report = running.said(lambda _, told: "not-routed" in [fault["kind"] for fault in told["faults"]], "router missed")
    (said,) = (fault["words"] for fault in report["faults"] if fault["kind"] == "not-routed")
    assert said.startswith("Exchange: nothing routed: ")
    assert "not reachable" in said

    running.stop(f"produce-{origin}")
    assert running.status()[0] == 2, "nobody is left to ask"
