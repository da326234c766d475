"""What was committed is remembered by whoever routes next, wherever and however the one before it ended."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
from contextlib import suppress

import pytest

from routing.state.store import DiskStore, StoreMemory
from routing.supervisor import Supervisor
from routing.worker import Assignment
from schemas.ops import metrics
from schemas.ops.health import Health
from schemas.topics import state_topic
from tests.integration.routing_scene import PATIENCE_S, SETTINGS, Scene, wait_for
from tests.integration.test_routing_rebalance import turning
from tests.routing.scene import control, event_bytes, small

INCIDENTS = [f"i-{number}" for number in range(10)]


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique, transaction_events=20)
    yield made
    made.check_numbers(made.south)
    made.check_numbers(made.west)
    made.close()


class Told:
    """Events of the north's, kept so that they can be sent again to the byte."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._sent: list[tuple[str, bytes]] = []
        self.expected: dict[str, list[str]] = {}

    def tell(self, incidents: list[str]) -> None:
        """One more event of each incident."""
        for incident in incidents:
            events = self.expected.setdefault(incident, [])
            events.append(f"{incident}-e-{len(events) + 1}")
            section = control(sequence=len(events))
            self.send(incident, event_bytes(self._scene.north, incident, events[-1], **small(control=section)))
            self._sent.append((incident, self.last))
        self._scene.flush()

    def send(self, incident: str, value: bytes) -> None:
        """Any value."""
        self.last = value
        self._scene.send(f"incidents.{self._scene.north}", incident, value)

    def repeat(self) -> int:
        """Everything again, as a producer does that was killed before it noted what was acknowledged."""
        for incident, value in self._sent:
            self._scene.send(f"incidents.{self._scene.north}", incident, value)
        self._scene.flush()
        return len(self._sent)


@pytest.fixture
def told(scene) -> Told:
    return Told(scene)


def repeats_dropped(scene: Scene) -> float:
    return metrics.reading("routed_events_total", origin=scene.north, outcome="repeated")


@pytest.mark.parametrize("machine", ["the same", "another"])
def test_repeats_are_dropped_and_counted_after_a_restart(scene, told, machine):
    told.tell(INCIDENTS)
    with scene.worker(machine="the same") as worker:
        worker.drain()
    told.tell(INCIDENTS)
    before, repeated = repeats_dropped(scene), told.repeat()
    with scene.worker(machine=machine) as worker:
        worker.drain()
    assert repeats_dropped(scene) - before == repeated
    assert scene.delivered(scene.south) == scene.delivered(scene.west) == told.expected


def test_repeats_are_dropped_by_the_worker_that_partitions_are_handed_to_and_by_the_one_they_come_back_to(scene, told):
    told.tell(INCIDENTS)
    with scene.worker(0) as first:
        first.drain()
        both = len(first.session._assignment)
        told.repeat()
        with scene.worker(1) as second, turning(second):
            first.turn_until(lambda: len(first.session._assignment or ()) < both, "partitions given up")
            told.tell(INCIDENTS)
            told.repeat()
            first.drain()
        told.tell(INCIDENTS)
        told.repeat()
        first.turn_until(lambda: len(first.session._assignment or ()) == both, "partitions given back")
        first.drain()
    assert scene.delivered(scene.south) == scene.delivered(scene.west) == told.expected


@pytest.mark.patches
def test_what_was_committed_and_did_not_reach_the_disk_is_read_from_the_changelog(scene, told, monkeypatch):
    """As after a kill between the commit and the write."""
    told.tell(INCIDENTS)
    with scene.worker(machine="the same") as worker, monkeypatch.context() as patched:
        worker.join()
        lost = []
        patched.setattr(DiskStore, "write", lambda _store, changes, _position: lost.append(changes))
        worker.drain()
    assert lost
    told.repeat()
    told.tell(INCIDENTS)
    with scene.worker(machine="the same") as worker:
        worker.drain()
    assert scene.delivered(scene.south) == told.expected


def test_nothing_is_routed_before_it_is_known_what_was_committed(broker, unique):
    state = state_topic(unique)
    scene = Scene(broker, unique, without=(state,))
    scene.publish(scene.north, INCIDENTS)
    with scene.worker() as worker:
        worker.turn_until(lambda: "is not there" in worker.session.waits_for, "says what it waits for")
        assert (worker.session.assigned, worker.session.is_ready) == (True, False)
        assert scene.lag() == len(INCIDENTS)
        scene.create(state)
        worker.drain()
    assert scene.delivered(scene.south).keys() == set(INCIDENTS)
    scene.close()


def test_a_copy_that_another_process_has_open_is_waited_for(scene, told):
    told.tell(INCIDENTS)
    with scene.worker(machine="one") as worker:
        folder = scene.on_machine(SETTINGS, "one").state_folder / f"{scene.exchange.exchange}.route.router" / "0"
        other = DiskStore(folder / "1", StoreMemory(8))
        worker.turn_until(lambda: "another process" in worker.session.waits_for, "says what it waits for")
        assert scene.lag() == len(INCIDENTS)
        other.close()
        worker.drain()
    assert scene.delivered(scene.south) == told.expected


def test_another_event_under_a_known_id_or_out_of_sequence_is_quarantined_and_a_gap_is_told(scene, told):
    told.tell(["i-1"])
    with scene.worker(machine="the same") as worker:
        worker.drain()
    reused = event_bytes(scene.north, "i-1", "i-1-e-1", **small(control=control(sequence=2)))
    earlier = event_bytes(scene.north, "i-1", "another", **small(control=control(sequence=1)))
    later = event_bytes(scene.north, "i-1", "later", **small(control=control(sequence=5)))
    for value in (reused, earlier, later):
        told.send("i-1", value)
    with scene.worker(machine="the same") as worker:
        worker.drain()
    kept = scene.records("quarantine", scene.north)
    assert [(record["reason"], record["value"]) for record in kept] == [
        ("event-id-reused", reused),
        ("out-of-sequence", earlier),
    ]
    assert all(record["remedy"] for record in kept)
    assert [(news["kind"], news["entries"][0]["event_id"]) for news in scene.records("feedback", scene.north)] == [
        ("QUARANTINED", "i-1-e-1"),
        ("QUARANTINED", "another"),
        ("SEQUENCE_GAP", "later"),
    ]
    assert scene.delivered(scene.south) == {"i-1": ["i-1-e-1", "later"]}


def killed_one(running: Supervisor, chance: random.Random) -> bool:
    pids = running.pids()
    if not pids:
        return False
    with suppress(ProcessLookupError):
        os.kill(chance.choice(pids), signal.SIGKILL)
    return True


@pytest.mark.parametrize("seed", [1285])
def test_whoever_is_killed_each_event_takes_effect_once_in_order_and_numbers_have_no_gap(scene, told, seed):
    """Two workers, killed at random while events and repeats come in: what is remembered is what was committed."""
    chance = random.Random(seed)
    settings = SETTINGS.model_copy(update={"workers": 2, "session_timeout_ms": 2_000, "transaction_timeout_ms": 2_000})
    parts = (scene.exchange, scene.on_machine(settings, "one"), scene.clients)
    assignment = Assignment(*parts, scene.bundle.to_bytes(), scene.bundle.hash, slot=0)
    stop, health = threading.Event(), Health()
    running = Supervisor(assignment, health)
    thread = threading.Thread(target=running.run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: not health.reasons(), "ready")
        for _ in range(5):
            for _ in range(4):
                told.tell(INCIDENTS)
            told.repeat()
            wait_for(lambda: killed_one(running, chance), "somebody to kill")
            told.tell(INCIDENTS)
        wait_for(lambda: not health.reasons() and not scene.lag(), "everything routed")
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert not multiprocessing.active_children()
    assert scene.delivered(scene.south) == scene.delivered(scene.west) == told.expected
    assert len(scene.read(f"disclosures.{scene.north}")) == sum(map(len, told.expected.values()))
