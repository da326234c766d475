"""Route and consume in containers of our image, against Kafka and PostgreSQL in theirs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.images.containers import Containers

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

WITHIN_S = 120.0
EXCHANGE = ("--exchange", "/etc/huecry/exchange.yaml")
PROCESSES = {
    "route-1": ("route", "--instance", "route-1"),
    "consume": (
        "consume",
        "--member",
        "greater-manchester",
        "--into",
        "postgresql://huecry@postgres/greater_manchester",
    ),
    "ledger": ("ledger", "--force", "west-yorkshire", "--into", "postgresql://huecry@postgres/ledger_west_yorkshire"),
}
DECIDED = "SELECT count(*), count(DISTINCT event_id) FROM disclosure"
SENT = "SELECT delivery_id FROM decision WHERE member = 'greater-manchester' AND delivery_id IS NOT NULL ORDER BY 1"
RECEIVED = "SELECT delivery_id FROM delivery ORDER BY 1"


class Exchange:
    """What was published so far, and whether all of it has arrived."""

    def __init__(self, containers: Containers) -> None:
        self.containers = containers
        self._published = 0

    def publish(self, events: int) -> None:
        """Let a control room publish so many events of its own, and end."""
        synthetic = ("--synthetic", "--events", str(events), "--seed", str(self._published))
        where = ("--force", "west-yorkshire", "--spool", f"/var/lib/huecry/{self._published}.spool", "--json")
        told = self.containers.run("produce", *EXCHANGE, *where, *synthetic)
        assert json.loads(told.splitlines()[-1])["published"] == events
        self._published += events

    def wait_until_all_has_arrived(self) -> None:
        """Return when all that was published is decided, and all that was sent to the partner is in its database."""
        deadline = time.monotonic() + WITHIN_S
        ledger, partner = (
            partial(self.containers.ask, name) for name in ("ledger_west_yorkshire", "greater_manchester")
        )
        while (decided := ledger(DECIDED)) != [(self._published,) * 2] or ledger(SENT) != partner(RECEIVED):
            assert time.monotonic() < deadline, (decided, self._published, len(ledger(SENT)), len(partner(RECEIVED)))
            time.sleep(0.2)
        assert partner(RECEIVED)


@pytest.fixture(scope="module")
def exchange(image: str, servers: dict[str, str]) -> Iterator[Exchange]:
    with Containers(image, servers) as containers:
        containers.run("provision", "apply", *EXCHANGE)
        containers.run("agreements", "publish", "/etc/huecry/agreements", *EXCHANGE, "--once")
        for name, (command, *rest) in PROCESSES.items():
            containers.start(name, command, *EXCHANGE, *rest)
        yield Exchange(containers)


def test_what_a_force_publishes_is_decided_and_arrives_in_a_partners_database(exchange):
    exchange.publish(60)
    exchange.wait_until_all_has_arrived()


def test_publishing_the_same_policy_again_changes_nothing(exchange):
    told = exchange.containers.run("agreements", "publish", "/etc/huecry/agreements", *EXCHANGE, "--once")
    assert "nothing is changed" in told
    history = exchange.containers.run("agreements", "history", *EXCHANGE, "--json")
    assert len(history.splitlines()) == 1


@pytest.mark.parametrize("name", ["route-1", "consume", "ledger"])
def test_a_container_that_is_killed_goes_on_where_it_was_and_nothing_is_lost_or_doubled(exchange, name):
    exchange.publish(40)
    exchange.containers.kill(name)
    exchange.publish(40)
    exchange.containers.start_again(name)
    exchange.wait_until_all_has_arrived()


def test_while_kafka_is_away_nothing_ends_and_then_all_goes_on(exchange):
    exchange.containers.kill("kafka")
    exchange.containers.start_again("kafka")
    exchange.publish(40)
    exchange.wait_until_all_has_arrived()
    for name in PROCESSES:
        assert exchange.containers.is_running(name)
        exchange.containers.wait_healthy(name)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_container_that_is_asked_to_stop_ends_in_good_order(exchange, name):
    assert exchange.containers.stop(name) == 0
