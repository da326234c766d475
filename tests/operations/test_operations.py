"""The operations kit at work: a real Prometheus with the committed rules, a real exchange, dashboards over both.

Something is broken as it breaks in life, the right alert is seen to fire, the dashboards to show it; then it is mended,
and the alert is seen to clear. Hours of the committed rules and dashboards pass in seconds (rule_scaling.py).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml
from confluent_kafka.admin import AdminClient

from deploy.broker import SHORT_LIVED, EmbeddedBroker
from deploy.dashboards import files
from deploy.provision import provision
from schemas.kafka import ClientSettings
from schemas.topics import partner_topic
from tests.deploy.dashboard_queries import Asked, in_seconds, queries_in
from tests.operations.prometheus_server import Prometheus, Sample, eventually
from tests.operations.rule_scaling import SCRAPE_S, scaled_expression, scaled_rules, scaled_settings
from tests.operations.running_exchange import RunningExchange

KIT: Final = Path(__file__).parents[2] / "deploy" / "prometheus"
PATIENCE_S: Final = 240.0
"""How long anything may take that takes seconds on an idle machine."""
FACTOR: Final = 360.0
"""An hour passes in ten seconds."""

pytestmark = pytest.mark.timeout(900)

EMPTY_WHEN_WELL: Final = {
    "Why: alerts that fire": "no alert fires",
    "Why: alerts that fire about this member": "no alert fires about it",
    "marks: Alerts firing": "no alert fires",
    "Processes that are gone": "none is gone",
    "Not ready": "every part is ready",
}
"""Panels that show nothing while all is well, and why: each must show something in what is broken below."""


ABOUT_MEMBER: Final = "Why: alerts that fire about this member"


@dataclass(frozen=True)
class Operations:
    """What an operator has: the exchange, its Prometheus, and its dashboards."""

    exchange: RunningExchange
    prometheus: Prometheus
    asked: list[Asked]

    def shown(self, asked: Asked) -> list[Sample]:
        """What a query of a dashboard returns now; its hours are seconds, as those of the rules are."""
        return self.prometheus.ask(scaled_expression(in_seconds(asked.expr, 4 * SCRAPE_S), FACTOR))

    def panel(self, title: str, board: str = "") -> list[Sample]:
        """What a panel shows now, on the dashboard of the exchange or of a member."""
        name = "-".join(part for part in (self.exchange.exchange.exchange, board) if part)
        asked = [asked for asked in self.asked if (asked.dashboard, asked.panel) == (name, title)]
        assert asked, f"{name} has no panel {title}"
        return [sample for each in asked for sample in self.shown(each)]

    def fires(self, alert: str, **about: str) -> bool:
        """Whether this alert fires about that."""
        return any(
            labels["alertname"] == alert and about.items() <= labels.items() for labels in self.prometheus.alerts()
        )

    def sees(self, alert: str, **about: str) -> None:
        """Wait until the alert fires, and the dashboard of the exchange says so too."""

        def told() -> bool:
            shown = {sample.labels["alertname"] for sample in self.panel("Why: alerts that fire")}
            return alert in shown and self.fires(alert, **about)

        eventually(told, PATIENCE_S, self.firing)

    def sees_no_more(self, *alerts: str) -> None:
        """Wait until none of these fires."""
        eventually(lambda: not any(map(self.fires, alerts)), PATIENCE_S, self.firing)

    def firing(self) -> str:
        """Everything that fires, in words."""
        return f"fires: {self.prometheus.alerts()}"


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
            prometheus = Prometheus(folder, _settings(exchange, folder))
            try:
                prometheus.start()
                _wait_until_known(prometheus, exchange)
                files.write(exchange.exchange, folder / "dashboards")
                yield Operations(exchange, prometheus, queries_in(folder / "dashboards"))
            finally:
                prometheus.stop()
        finally:
            exchange.stop()


def _settings(exchange: RunningExchange, folder: Path) -> dict[str, object]:
    rules, targets = folder / "rules.yaml", folder / "targets.json"
    rules.write_text(yaml.safe_dump(scaled_rules(sorted((KIT / "rules").glob("*.yaml")), FACTOR)))
    targets.write_text(json.dumps(exchange.targets()))
    return scaled_settings(KIT / "prometheus.yaml", rules, targets)


def _wait_until_known(prometheus: Prometheus, exchange: RunningExchange) -> None:
    """Wait until every process has answered, been noted by the rules as what it is, and can be remembered."""
    processes = len(exchange.targets())
    for known in ("instance:huecry_process_info:last1d", "max_over_time(timestamp(huecry_process_info)[1m:1s])"):
        eventually(
            lambda known=known: len(prometheus.ask(known)) == processes,  # type: ignore[misc]
            PATIENCE_S,
            lambda: str(prometheus.ask("up")),
        )


# ------------------------------------------------------------------------------------------------- while all is well


def test_every_query_of_every_dashboard_returns_data(operations: Operations) -> None:
    left = [asked for asked in operations.asked if asked.panel not in EMPTY_WHEN_WELL]
    assert len(left) > 100

    def look() -> bool:
        left[:] = [asked for asked in left if not operations.shown(asked)]
        return not left

    eventually(look, PATIENCE_S, lambda: "; ".join(map(str, left)))


def test_nothing_fires_and_what_shows_only_trouble_is_empty(operations: Operations) -> None:
    empty = [asked for asked in operations.asked if asked.panel in EMPTY_WHEN_WELL]
    assert {asked.panel for asked in empty} == set(EMPTY_WHEN_WELL)
    eventually(
        lambda: not operations.prometheus.alerts() and not any(operations.shown(asked) for asked in empty),
        PATIENCE_S,
        operations.firing,
    )


def test_prometheus_reaches_every_process_and_can_work_out_every_rule(operations: Operations) -> None:
    asked = len(operations.exchange.targets())
    eventually(
        lambda: [sample.value for sample in operations.prometheus.ask('sum(up{job="huecry"})')] == [asked],
        PATIENCE_S,
        lambda: str(operations.prometheus.ask("up")),
    )
    rules = [rule for group in operations.prometheus.get("/api/v1/rules")["groups"] for rule in group["rules"]]
    assert {rule["name"]: rule["lastError"] for rule in rules if rule.get("lastError")} == {}
    assert {rule["name"] for rule in rules if rule["type"] == "alerting"}


def test_the_table_of_members_has_a_line_for_each(operations: Operations) -> None:
    members = set(operations.exchange.exchange.members)
    eventually(lambda: _alerts_by_member(operations).keys() == members, PATIENCE_S, operations.firing)


# -------------------------------------------------------------------------------------------------- what is broken


def test_a_stopped_router_is_told_and_forgotten_when_it_runs_again(operations: Operations) -> None:
    with operations.exchange.without("route"):
        operations.sees("NoRouter")
        operations.sees("ProcessDown", service="route")
        eventually(lambda: _gone(operations) == {"route", "route-worker"}, PATIENCE_S, operations.firing)
        eventually(
            lambda: [s.value for s in operations.panel("Processes silent")] == [2], PATIENCE_S, operations.firing
        )
    operations.sees_no_more("NoRouter", "ProcessDown")


def test_a_stopped_consumer_is_told_with_whose_it_is(operations: Operations) -> None:
    confirmed = 'increase(huecry_routed_receipts_total{member="police",outcome="routed"}[4s]) > 0'
    eventually(lambda: operations.prometheus.ask(confirmed), PATIENCE_S, lambda: "police confirms nothing")
    with operations.exchange.without("consume-police"):
        operations.sees("ProcessDown", service="consume", whose="police")
        operations.sees("MemberTakesNothing", member="police")
        eventually(lambda: _is_told_of_police_alone(operations), PATIENCE_S, operations.firing)
    operations.sees_no_more("ProcessDown", "MemberTakesNothing")


def test_an_event_that_is_none_is_told_with_the_force_and_the_reason(operations: Operations) -> None:
    operations.exchange.poison("north")
    eventually(lambda: _refused(operations), PATIENCE_S, operations.firing)
    assert _refused(operations) <= {("north", "not-framed")}
    operations.sees("RecordsQuarantined", member="north")
    operations.sees_no_more("RecordsQuarantined")


def test_a_broker_that_is_cut_off_is_told_by_every_process(operations: Operations) -> None:
    with operations.exchange.cut_off():
        for service in ("produce", "route-worker", "consume", "ledger"):
            operations.sees("KafkaAway", service=service)
        eventually(lambda: "kafka" in _not_ready(operations), PATIENCE_S, operations.firing)
        eventually(lambda: any(s.value for s in operations.panel("Spool depth")), PATIENCE_S, operations.firing)
    operations.sees_no_more("KafkaAway")


def _alerts_by_member(operations: Operations) -> dict[str, float]:
    """How many alerts fire about each member, as the table of members says: the first of its queries."""
    (first, *_) = [asked for asked in operations.asked if asked.panel == "Members"]
    return {sample.labels["member"]: sample.value for sample in operations.shown(first)}


def _gone(operations: Operations) -> set[str]:
    """Which services the dashboard says are gone."""
    return {sample.labels["service"] for sample in operations.panel("Processes that are gone")}


def _is_told_of_police_alone(operations: Operations) -> bool:
    """At one time: the boards say that police takes nothing and is down, and of no other recipient either.

    Asked until it is so: on a busy machine a process misses a scrape now and then, and is then down for a second.
    """
    trouble = {"ProcessDown", "MemberTakesNothing"}
    about, others = (
        {sample.labels["alertname"] for sample in operations.panel(ABOUT_MEMBER, member)}
        for member in ("police", "ambulance")
    )
    told = operations.panel("marks: Alerts firing", "police") and _alerts_by_member(operations).get("police", 0) >= 2
    return about >= trouble and bool(told) and not others & trouble


def _not_ready(operations: Operations) -> set[str]:
    """Which parts of any process the dashboard says are not ready."""
    return {sample.labels["component"] for sample in operations.panel("Not ready")}


def _silent_forces(operations: Operations) -> set[str]:
    """Of which forces it fires that nothing comes from them."""
    fires = operations.prometheus.alerts()
    return {labels["member"] for labels in fires if labels["alertname"] == "NothingFromForce"}


def _refused(operations: Operations) -> set[tuple[str, str]]:
    """Whose records the dashboard says were refused of late, and why."""
    shown = [sample.labels for sample in operations.panel("Quarantined in the last hour") if sample.value]
    return {(labels["member"], labels["reason"]) for labels in shown}


# ------------------------------------------------------------------------------------------- more of it, at length


@pytest.mark.long
def test_a_force_that_falls_silent_is_told(operations: Operations) -> None:
    usual = 'origin:huecry_routed_events:usual{origin="south"} * 3600 > 400'
    eventually(lambda: operations.prometheus.ask(usual), PATIENCE_S, lambda: "south has no usual rate yet")
    with operations.exchange.without("produce-south"):
        operations.sees("NothingFromForce", member="south")
        eventually(lambda: _silent_forces(operations) == {"south"}, PATIENCE_S, operations.firing)
    operations.sees_no_more("NothingFromForce", "ProcessDown")


@pytest.mark.long
def test_a_killed_worker_is_told(operations: Operations) -> None:
    (worker,) = operations.exchange.workers()
    os.kill(worker, signal.SIGKILL)
    operations.sees("WorkerReplaced", reason="died")
    operations.sees_no_more("WorkerReplaced", "ProcessDown", "NoRouter")


@pytest.mark.long
def test_a_database_that_is_held_is_told(operations: Operations) -> None:
    database = operations.exchange.parties.folder / "agency.db"
    with closing(sqlite3.connect(database, timeout=PATIENCE_S, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        operations.sees("ReceivingDatabaseAway", member="agency")
        holder.execute("ROLLBACK")
    operations.sees_no_more("ReceivingDatabaseAway")


@pytest.mark.long
def test_a_member_whose_topic_is_gone_is_told(operations: Operations) -> None:
    clients = ClientSettings(operations.exchange.broker.bootstrap)
    topic = partner_topic("agency")
    administrator = AdminClient({"bootstrap.servers": clients.bootstrap})
    administrator.delete_topics([topic])[topic].result(timeout=PATIENCE_S)
    operations.sees("MemberSuspended", member="agency")
    provision(clients, operations.exchange.exchange)
    operations.sees_no_more("MemberSuspended")


@pytest.mark.long
def test_a_long_cut_fills_spools_and_is_felt_in_the_objective(operations: Operations) -> None:
    with operations.exchange.cut_off():
        operations.sees("SpoolWaiting", member="north")
        operations.sees("SpoolWaiting", member="south")
    operations.sees("DeliveriesLate")
    operations.sees_no_more("SpoolWaiting", "KafkaAway", "DeliveriesLate")
