"""compose.yaml, up: from nothing to incidents in a partner's database, watched; up again changes nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka.admin import AdminClient

from schemas.exchange import load_exchange
from schemas.topics import topic_specs
from tests.images.composed import Composed, wait_until
from tests.images.engine import DEPLOY, image_of, need, why_no_image
from tests.images.guide import commands
from tests.images.service_settings import ONCE, OURS

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

WITHIN_S = 180.0
EXCHANGE = ("--exchange", "/etc/huecry/exchange.yaml")
MORE = (
    "produce",
    *EXCHANGE,
    "--force=west-yorkshire",
    "--synthetic",
    "--events=60",
    "--spool=/tmp/more.spool",
)


def received(exchange: Composed) -> set[str]:
    """The deliveries in the partner's database."""
    return set(exchange.rows("greater_manchester", "SELECT delivery_id FROM delivery"))


@pytest.fixture(scope="module")
def exchange(image: str, compose: dict[str, str]) -> Iterator[Composed]:
    composed = Composed(image, compose)
    try:
        composed.up()
        yield composed
    finally:
        composed.down()


def test_what_ends_has_ended_well_and_all_else_is_healthy(exchange):
    assert {name: exchange.state(name)["ExitCode"] for name in ONCE} == dict.fromkeys(ONCE, 0)
    assert set(exchange.health().values()) == {"healthy"}


def test_incidents_arrive_in_the_partners_database_and_every_decision_in_the_ledger(exchange):
    received = "SELECT count(DISTINCT origin) FROM incident"
    wait_until(lambda: exchange.rows("greater_manchester", received) == ["1"], WITHIN_S, exchange.health)
    decided = "SELECT count(*) > 20 FROM disclosure"
    wait_until(lambda: exchange.rows("ledger_west_yorkshire", decided) == ["t"], WITHIN_S, exchange.health)


def test_this_machine_reaches_kafka_and_the_schemas_on_loopback(exchange):
    expected = {spec.name for spec in topic_specs(load_exchange(DEPLOY / "demo" / "exchange.yaml"))}
    kafka = AdminClient({"bootstrap.servers": f"localhost:{exchange.ports['kafka']}"})
    assert expected <= kafka.list_topics(timeout=30).topics.keys()
    assert "partner.greater-manchester-value" in exchange.get("registry", "/subjects")


def test_prometheus_hears_every_process_and_has_rules(exchange):
    need(why_no_image(image_of("prometheus")))

    def asked() -> dict[str, str]:
        targets = exchange.get("prometheus", "/api/v1/targets?state=active")["data"]["activeTargets"]
        assert {target["labels"]["job"] for target in targets} == {"huecry"}
        return {target["labels"]["instance"]: target["health"] for target in targets}

    wait_until(lambda: set(asked().values()) == {"up"}, WITHIN_S, asked)
    assert {instance.partition(":")[0] for instance in asked()} >= set(OURS) - set(ONCE)
    groups = exchange.get("prometheus", "/api/v1/rules")["data"]["groups"]
    rules = {path.name for path in (DEPLOY / "prometheus" / "rules").glob("*.yaml")}
    assert {group["file"].rpartition("/")[2] for group in groups} == rules
    assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}


def test_grafana_has_every_dashboard_and_reaches_prometheus(exchange):
    need(why_no_image(image_of("grafana")))
    found = {board["uid"] for board in exchange.get("grafana", "/api/search?type=dash-db")}
    assert len(found) >= len(list((DEPLOY / "grafana" / "dashboards").glob("*.json")))
    (source,) = exchange.get("grafana", "/api/datasources")
    assert exchange.get("grafana", f"/api/datasources/uid/{source['uid']}/health")["status"] == "OK"


def test_the_guide_tells_where_to_look(exchange, tmp_path):
    (event_id,) = exchange.rows("ledger_west_yorkshire", "SELECT event_id FROM disclosure LIMIT 1")
    script = commands("Where to look").replace("EVENT_ID", event_id)
    # Of a busy machine `huecry status` may say, by its exit code, that something is late.
    told = exchange.type(re.sub(r"(huecry status.*)", r"\1 || true", script), tmp_path)
    assert "Demonstration policy desk" in told
    assert "Decided again just now from the record: the same decision." in told
    assert "10 of 10 processes ready" in told


def test_what_was_backed_up_comes_back_and_the_rest_is_read_again(exchange, tmp_path):
    backup, _, restore = commands("Back up").partition("docker compose stop")
    exchange.type(backup, tmp_path)
    kept = received(exchange)
    exchange.say("run", "--rm", "produce-west-yorkshire", *MORE)
    wait_until(lambda: len(received(exchange)) > len(kept), WITHIN_S, exchange.health)
    latest = received(exchange)
    exchange.type(f"docker compose stop{restore}", tmp_path)
    wait_until(lambda: received(exchange) >= latest, WITHIN_S, exchange.health)
    with closing(sqlite3.connect(tmp_path / "yorkshire-ambulance.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) > 0 FROM delivery").fetchone() == (1,)


def test_the_guide_connects_a_force_suspends_an_agreement_and_upgrades_one_part_after_the_other(exchange, tmp_path):
    told = exchange.type(commands("Make it yours"), tmp_path)
    assert "20 records: 20 events" in told
    assert "RIV-2026-03 is suspended: policy version 2" in told
    *one_by_one, all_the_rest = commands("Upgrade").splitlines()
    assert all_the_rest == "docker compose up --detach --wait"
    exchange.type("\n".join(one_by_one), tmp_path)
    exchange.up()
    assert "RIV-2026-03" in exchange.say("exec", "-T", "route-1", "huecry", "agreements", "history", *EXCHANGE)


def test_up_again_changes_nothing(exchange):
    started = {name: exchange.state(name)["StartedAt"] for name in exchange.services if name not in ONCE}
    exchange.up()
    assert {name: exchange.state(name)["StartedAt"] for name in started} == started
    assert {name: exchange.state(name)["ExitCode"] for name in ONCE} == dict.fromkeys(ONCE, 0)
    assert "nothing is changed" in exchange.say("logs", "policy")


def test_what_is_told_to_stop_ends_in_good_order(exchange):
    running = sorted(set(OURS) - set(ONCE))
    exchange.say("stop", *running)
    assert {name: exchange.state(name)["ExitCode"] for name in running} == dict.fromkeys(running, 0)


def test_what_was_taken_down_goes_on_where_it_left_off(exchange, tmp_path):
    exchange.say("start", "postgres")
    before = received(exchange)
    exchange.type(commands("Take down"), tmp_path)
    exchange.up()
    assert received(exchange) >= before
    assert "nothing is changed" in exchange.say("logs", "policy")
    assert "unchanged" in exchange.say("logs", "provision")
