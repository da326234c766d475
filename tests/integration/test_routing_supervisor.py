"""The supervisor keeps its workers running, and says so when it does not."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from routing import supervisor
from routing.heart import SLOTS
from routing.supervisor import Supervisor
from routing.worker import Assignment, work
from schemas.ops import metrics
from schemas.ops.health import Health
from tests.ending import has_ended
from tests.integration.routing_processes import HANGS_ONCE, hangs_once
from tests.integration.routing_scene import PATIENCE_S, SETTINGS, Scene, wait_for

SHORT = SETTINGS.model_copy(update={"stuck_call_s": 4.0, "silent_worker_s": 4.0, "session_timeout_ms": 3_000})


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique)
    yield made
    made.check_numbers(made.south)
    made.close()


def assignment(scene: Scene, **changes) -> Assignment:
    parts = {
        "exchange": scene.exchange,
        "settings": SHORT,
        "clients": scene.clients,
        "bundle": scene.bundle.to_bytes(),
        "bundle_hash": scene.bundle.hash,
        "slot": 0,
    }
    return Assignment(**{**parts, **changes})


@contextmanager
def supervised(scene: Scene, **changes) -> Iterator[tuple[Supervisor, Health]]:
    stop, health = threading.Event(), Health()
    running = Supervisor(assignment(scene, **changes), health)
    thread = threading.Thread(target=running.run, args=(stop,))
    thread.start()
    try:
        yield running, health
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def is_ready(health: Health) -> bool:
    return not health.reasons()


def replacements(captured: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in captured.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "worker replaced"]


def wait_until_replaced(running: Supervisor, health: Health, old: int) -> None:
    """The old worker is gone, it was said that one is missing, and then that all is well."""
    wait_for(lambda: not is_ready(health), "unready")
    assert "workers have their partitions" in health.reasons().get("workers", "workers have their partitions")
    wait_for(lambda: running.pids() != [old] and is_ready(health), "replaced and ready")
    assert has_ended(old)


def test_workers_route_until_they_are_told_to_stop_and_then_leave(scene):
    two = SHORT.model_copy(update={"workers": 2})
    names = [f"i-{number}" for number in range(50)]
    scene.publish(scene.north, names)
    with supervised(scene, settings=two) as (running, health):
        wait_for(lambda: is_ready(health) and not scene.lag(), "everything routed")
        pids = running.pids()
    assert len(set(pids)) == 2
    assert not [pid for pid in pids if not has_ended(pid)]
    assert scene.delivered(scene.south) == {name: [f"e-{n:06d}"] for n, name in enumerate(names, start=1)}


def test_a_killed_worker_is_replaced_and_its_replacement_routes_what_is_missing(scene, capfd):
    before = metrics.reading("workers_replaced_total", reason="died")
    with supervised(scene) as (running, health):
        wait_for(lambda: is_ready(health), "ready")
        (old,) = running.pids()
        scene.publish(scene.north, [f"i-{number}" for number in range(200)])
        os.kill(old, signal.SIGKILL)
        wait_until_replaced(running, health, old)
        wait_for(lambda: not scene.lag(), "everything routed")
    delivered = scene.delivered(scene.south)
    assert delivered == {f"i-{number}": [f"e-{number + 1:06d}"] for number in range(200)}
    assert metrics.reading("workers_replaced_total", reason="died") == before + 1
    (line,) = replacements(capfd.readouterr().err)
    assert (line["level"], line["slot"], line["pid"], line["reason"]) == ("error", 0, old, "died")


def test_a_worker_whose_call_into_librdkafka_never_returns_is_ended_and_replaced(scene, monkeypatch, tmp_path, capfd):
    """Without the watch the worker keeps its partitions for ever: its heartbeats go on while its call hangs."""
    monkeypatch.setattr(supervisor, "work", hangs_once)
    monkeypatch.setenv(HANGS_ONCE, str(tmp_path / "hung"))
    before = metrics.reading("workers_replaced_total", reason="stuck-call")
    scene.publish(scene.north, ["i-1"])
    with supervised(scene) as (running, health):
        wait_for(lambda: is_ready(health), "ready, and stuck")
        (old,) = running.pids()
        wait_until_replaced(running, health, old)
        wait_for(lambda: not scene.lag(), "everything routed")
    assert scene.delivered(scene.south).keys() == {"i-1"}
    assert metrics.reading("workers_replaced_total", reason="stuck-call") == before + 1
    assert [line["reason"] for line in replacements(capfd.readouterr().err)] == ["stuck-call"]


def test_a_worker_that_is_stopped_is_ended_and_replaced(scene):
    with supervised(scene) as (running, health):
        wait_for(lambda: is_ready(health), "ready")
        (old,) = running.pids()
        os.kill(old, signal.SIGSTOP)
        wait_until_replaced(running, health, old)
        scene.publish(scene.north, ["i-1"])
        wait_for(lambda: not scene.lag(), "everything routed")
    assert scene.delivered(scene.south).keys() == {"i-1"}


def test_a_worker_refuses_a_bundle_whose_hash_is_another_and_routes_nothing(scene, capfd):
    scene.publish(scene.north, ["i-1"])
    context = multiprocessing.get_context("spawn")
    cells = context.Array("d", SLOTS, lock=False)
    other = scene.bundle.to_bytes().replace(b"the policy desk", b"somebody else's")
    process = context.Process(target=work, args=(assignment(scene, bundle=other), cells))
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == 3
    assert f"expected policy bytes with hash {scene.bundle.hash}" in capfd.readouterr().err
    assert scene.lag() == 1
    assert scene.delivered(scene.south) == {}
