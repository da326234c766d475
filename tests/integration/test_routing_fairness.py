"""One force's flood does not hold up another's few events, though both go to the same partner."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, TopicPartition

from routing.heart import SLOTS, Heart
from routing.worker import Assignment, work
from tests.integration.routing_processes import work_in_fetched_order
from tests.integration.routing_scene import PATIENCE_S, SETTINGS, Scene, wait_for
from tests.routing.scene import event_bytes, small

SAMPLES = 60
EVERY_S = 0.04
FLOOD = 10_000
NOISE_S = 0.25
"""What the machine itself may add while broker, router and the test share its processors with other work."""


class Watch:
    """Sends one force's few events and sees when its partner can read each."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._sent: dict[bytes, float] = {}
        self._seen: dict[bytes, float] = {}
        self._stop = threading.Event()
        self._reader = Consumer(scene.clients.consumer_config("watch", **{"fetch.wait.max.ms": 5}))
        self._reader.assign([TopicPartition(f"partner.{scene.west}", 0, 0)])
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def p99_s(self, name: str) -> float:
        """The 99th percentile of so many latencies, from before produce to read committed."""
        values = [event_bytes(self._scene.south, f"{name}-{n}", f"{name}-{n}", **small()) for n in range(SAMPLES)]
        for number, value in enumerate(values):
            started = time.monotonic()
            key = f"{name}-{number}"
            self._sent[key.encode()] = started
            self._scene.send(f"incidents.{self._scene.south}", key, value)
            self._scene.poll()
            time.sleep(max(0.0, started + EVERY_S - time.monotonic()))
        keys = [key for key in self._sent if key.startswith(f"{name}-".encode())]
        wait_for(lambda: all(key in self._seen for key in keys), "every watched event read")
        taken = sorted(self._seen[key] - self._sent[key] for key in keys)
        return taken[int(0.99 * len(taken)) - 1]

    def _read(self) -> None:
        while not self._stop.is_set():
            for message in self._reader.consume(1000, 0.05):
                if not message.error() and message.key() in self._sent:
                    self._seen.setdefault(message.key(), time.monotonic())

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._reader.close()


def flood(scene: Scene) -> None:
    """Thousands of another force's events, on all its partitions, each of an incident of its own: none is a repeat."""
    name = "f-00000"
    template = event_bytes(scene.north, name, name, **small())
    for number in range(FLOOD):
        key = f"f-{number:05}"
        scene.send(f"incidents.{scene.north}", key, template.replace(name.encode(), key.encode()))
    scene.flush()


def latencies(scene: Scene, target: Callable[..., None]) -> tuple[float, float]:
    """The quiet force's p99 alone, and during the flood, with one worker of this kind."""
    context = multiprocessing.get_context("spawn")
    cells = context.Array("d", SLOTS, lock=False)
    given = Assignment(scene.exchange, SETTINGS, scene.clients, scene.bundle.to_bytes(), scene.bundle.hash, 0)
    process = context.Process(target=target, args=(given, cells), daemon=True)
    heart = Heart(cells)
    process.start()
    watch = Watch(scene)
    try:
        wait_for(lambda: heart.ready, "ready")
        watch.p99_s("warm")
        alone = watch.p99_s("quiet")
        flood(scene)
        during = watch.p99_s("busy")
        still = scene.lag(f"incidents.{scene.north}")
    finally:
        watch.close()
        process.kill()
        process.join(PATIENCE_S)
    print(f"p99 alone {alone * 1000:.0f} ms, during the flood {during * 1000:.0f} ms, {still} events of it left")
    return alone, during


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique, partitions=3)
    yield made
    made.close()


def test_a_flood_at_most_doubles_the_p99_of_another_force(scene):
    alone, during = latencies(scene, work)
    assert during <= 2 * alone + NOISE_S


def test_in_the_order_of_fetching_it_would_not_hold(scene):
    """The planted fault: the same worker with a plain first-in-first-out intake."""
    alone, during = latencies(scene, work_in_fetched_order)
    assert during > 2 * alone + NOISE_S
