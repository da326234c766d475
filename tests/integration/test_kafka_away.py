"""While the broker is away every process says so and its lag rises; both pass when it is back."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from consumers.receiving import receive
from consumers.runner import Progress
from consumers.settings import ConsumerSettings
from deploy.broker import SHORT_LIVED, EmbeddedBroker
from deploy.cli.consumer_screen import figures
from deploy.demo.crew import free_ports
from producers.settings import ProducerSettings, SyntheticInput, production
from routing.supervisor import Supervisor
from routing.worker import Assignment
from schemas.ops import metrics
from schemas.ops.health import Health
from tests.integration.routing_scene import SETTINGS, Scene, wait_for

PATIENCE_S = 90.0


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(java_options=SHORT_LIVED) as running:
        yield running


@contextmanager
def frozen(broker: EmbeddedBroker) -> Iterator[None]:
    """It keeps its connections and answers nothing, as behind a network that drops packets."""
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker.pid, signal.SIGCONT)


@contextmanager
def stopped(broker: EmbeddedBroker) -> Iterator[None]:
    broker.stop()
    try:
        yield
    finally:
        broker.start()


class Processes:
    """A router with one worker, a member's consumer and a force's producer that has nothing to send."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene = scene
        self.health = {name: Health() for name in ("route", "consume", "produce")}
        self.progress = Progress()
        self.worker_port = free_ports(2) + 1
        self._stop = threading.Event()
        works = {"route": self._route, "consume": self._consume, "produce": self._produce}
        self._folder = folder
        self.threads = [threading.Thread(target=work, name=name) for name, work in works.items()]

    def _route(self) -> None:
        scene = self.scene
        settings = SETTINGS.model_copy(update={"topic_check_s": 1.0})
        assignment = Assignment(
            scene.exchange,
            settings,
            scene.clients,
            scene.bundle.to_bytes(),
            scene.bundle.hash,
            0,
            metrics_port=self.worker_port - 1,
        )
        Supervisor(assignment, self.health["route"]).run(self._stop)

    def _consume(self) -> None:
        scene = self.scene
        settings = ConsumerSettings(scene.exchange, scene.west, scene.clients, self._folder / "received.db")
        receive(
            settings, self._stop, self.health["consume"], started=lambda progress: vars(self).update(progress=progress)
        )

    def _produce(self) -> None:
        scene = self.scene
        # A room with one incident, and then none for eleven days.
        room = SyntheticInput()
        settings = ProducerSettings(scene.exchange, scene.north, room, scene.clients, self._folder / "spool", rate=1e-6)
        made = production(settings, self.health["produce"])
        with made.spool:
            made.run(self._stop)

    def scraped(self, metric: str) -> float:
        """A value of the worker's, which is a process of its own."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.worker_port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = re.search(rf"^{re.escape(metric)} (\S+)$", text, re.MULTILINE)
        assert found is not None, f"{metric} is not among the worker's metrics"
        return float(found[1])

    def input_lag_s(self) -> float:
        return self.scraped(f'huecry_input_lag_seconds{{origin="{self.scene.north}"}}')

    def consumer_lag_s(self) -> float:
        return metrics.reading("consumer_lag_seconds", recipient=self.scene.west, store="receiving")

    def all_ready(self) -> bool:
        return not any(health.reasons() for health in self.health.values())

    def reasons(self, name: str) -> str:
        return "; ".join(self.health[name].reasons().values())


@pytest.fixture(scope="module")
def processes(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Everything running and well. Each test leaves it so."""
    with ExitStack() as closing:
        scene = Scene(broker, "away")
        closing.callback(scene.close)
        running = Processes(scene, tmp_path_factory.mktemp("processes"))
        for thread in running.threads:
            thread.start()

        def end() -> None:
            running._stop.set()
            for thread in running.threads:
                thread.join(60)
                assert not thread.is_alive(), thread.name

        closing.callback(end)
        wait_for(running.all_ready, "everything ready", PATIENCE_S)
        yield running


def test_what_has_not_happened_yet_is_0_and_not_absent(processes: Processes) -> None:
    scene = processes.scene
    for outcome in ("routed", "quarantined"):
        labels = f'origin="{scene.south}",outcome="{outcome}"'
        assert processes.scraped(f"huecry_routed_events_total{{{labels}}}") == 0
    assert processes.scraped(f'huecry_routed_receipts_total{{member="{scene.west}",outcome="routed"}}') == 0
    assert processes.scraped('huecry_transactions_total{outcome="aborted"}') == 0
    assert processes.scraped("huecry_policy_loaded") == 1


@pytest.mark.parametrize("away", [frozen, stopped])
def test_idle_processes_are_unready_with_the_reason_while_the_broker_is_away_and_ready_again_after(
    processes: Processes, broker: EmbeddedBroker, away: Callable[[EmbeddedBroker], object]
) -> None:
    wait_for(lambda: processes.input_lag_s() == 0, "a router that is caught up to have no lag", PATIENCE_S)
    wait_for(lambda: processes.consumer_lag_s() == 0, "a consumer that is caught up to have no lag", PATIENCE_S)
    with away(broker):
        for name in ("route", "consume", "produce"):
            wait_for(lambda name=name: processes.health[name].reasons(), f"{name} to be unready", PATIENCE_S)
        wait_for(lambda: "Kafka does not answer" in processes.reasons("route"), "the router's reason", PATIENCE_S)
        wait_for(lambda: broker.bootstrap in processes.reasons("consume"), "the consumer's reason", PATIENCE_S)
        wait_for(lambda: "Kafka does not answer" in processes.reasons("produce"), "the producer's reason", PATIENCE_S)
        assert f"; waiting: {processes.reasons('consume')[:20]}" in figures(
            processes.progress, processes.health["consume"]
        )
        wait_for(lambda: processes.input_lag_s() > 8, "the router's lag to rise", PATIENCE_S)
        wait_for(lambda: processes.consumer_lag_s() > 8, "the consumer's lag to rise", PATIENCE_S)
        assert processes.scraped('huecry_component_ready{component="kafka"}') == 0
    wait_for(processes.all_ready, "everything ready again", PATIENCE_S)
    wait_for(lambda: processes.input_lag_s() == 0, "the router's lag to fall", PATIENCE_S)
    wait_for(lambda: processes.consumer_lag_s() == 0, "the consumer's lag to fall", PATIENCE_S)
    before = time.time()
    processes.scene.publish(processes.scene.north, ["i-1"])
    west = processes.scene.west
    wait_for(
        lambda: metrics.reading("last_delivered_timestamp_seconds", recipient=west, store="receiving") >= before,
        "a delivery after it all",
        PATIENCE_S,
    )
    last = f'huecry_last_routed_timestamp_seconds{{origin="{processes.scene.north}"}}'
    wait_for(lambda: processes.scraped(last) >= before, "the time of the last event routed", PATIENCE_S)
