"""A backlog larger than a worker keeps at hand, on every partition that it has: fetching pauses, and goes on."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest

from tests.integration.routing_scene import SETTINGS, Scene
from tests.routing.scene import event_bytes, small

MOST = 100
EVENTS = 2_000
PAUSED_WITHIN_S = 1.0
"""Longer than the looks that are under way when fetching is paused."""


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique, partitions=2)
    yield made
    made.check_numbers(made.west)
    made.close()


def test_what_is_paused_because_it_is_full_is_fetched_again_though_nothing_else_comes(scene):
    with scene.worker(settings=SETTINGS.model_copy(update={"fetched_most": MOST})) as worker:
        send(scene, range(EVENTS // 2))
        worker.fetch(EVENTS // 2)
        time.sleep(PAUSED_WITHIN_S)
        send(scene, range(EVENTS // 2, EVENTS))
        worker.drain()
    assert sum(map(len, scene.delivered(scene.west).values())) == EVENTS


def send(scene: Scene, numbers: Iterable[int]) -> None:
    """One event for each number, each of an incident of its own."""
    template = event_bytes(scene.north, "f-00000", "f-00000", **small())
    for number in numbers:
        key = f"f-{number:05}"
        scene.send(f"incidents.{scene.north}", key, template.replace(b"f-00000", key.encode()))
    scene.flush()
