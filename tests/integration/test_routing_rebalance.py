"""A worker that has lost its partitions cannot commit, whether it knows of its loss or not."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer

from routing.effects import Record
from routing.halving import Part
from routing.heart import Heart
from routing.loop import Loop
from routing.session import Session
from routing.transactions import Aborted, Indefinite
from schemas.errors import Fatal
from schemas.kafka import ClientSettings
from tests.integration.routing_scene import PATIENCE_S, SETTINGS, Scene, wait_for

SHORT = SETTINGS.model_copy(update={"session_timeout_ms": 1_500, "transaction_timeout_ms": 2_000})


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique)
    yield made
    made.check_numbers(made.south)
    made.close()


def published(scene: Scene, events: int, incidents: int = 5, *, start: int = 0) -> dict[str, list[str]]:
    names = [f"i-{start + number % incidents}" for number in range(events)]
    expected = defaultdict(list)
    for incident, event in zip(names, scene.publish(scene.north, names), strict=True):
        expected[incident].append(event)
    return dict(expected)


@contextmanager
def turning(worker):
    """Another worker at work, in a thread of its own."""
    stop, failed = threading.Event(), []

    def turn() -> None:
        try:
            while not stop.is_set():
                worker.loop.turn(0.02)
        except BaseException as error:  # noqa: BLE001  told to the test below
            failed.append(error)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert not failed, failed


def carry(loop: Loop, batch: list[Record]) -> None:
    """One batch to its end, whatever the group says meanwhile."""
    loop._carry(deque([Part(batch, failures=0)]))
    loop._settle([])


def before_commits(session: Session, act: Callable[[list[Record]], object]) -> None:
    real = session.begin_commit

    def begin_commit(batch):
        act(batch := list(batch))
        real(batch)

    session.begin_commit = begin_commit


def after_failed_commits(session: Session, act: Callable[[Exception], object]) -> None:
    real = session.settle

    def settle():
        try:
            real()
        except (Aborted, Indefinite) as outcome:
            act(outcome)
            raise

    session.settle = settle


def test_a_worker_that_joins_gets_its_share_and_nothing_fetched_before_is_routed_twice(scene):
    """Without forgetting what was fetched of partitions given up, both workers route those records."""
    expected = published(scene, 100)
    with scene.worker(0) as old:
        old.fetch(100)
        with scene.worker(1) as new, turning(new):
            # The old one routes one batch while the group asks for its partitions, and finds out at its next fetch.
            carry(old.loop, old.session.intake.take(10))
            both = len(old.session._assignment)
            old.turn_until(lambda: len(old.session._assignment or ()) < both, "partitions given up")
            old.turn_until(lambda: old.session.assigned and new.session.assigned, "partitions shared out")
            old.drain()
    assert scene.delivered(scene.south) == scene.delivered(scene.west) == expected


def test_a_stale_batch_is_fenced_when_its_partitions_have_gone_to_another(scene, monkeypatch):
    """The worker is thrown out of the group between begin and commit and does not know.

    Without the group metadata of the batch's own generation in the commit, the batch is committed by both. Nor is it
    asked for its partitions when it is closed: its answer could hang (`schemas.kafka.leave`).
    """
    asked, on_revoke = [], Session._on_revoke

    def heard(session: Session, *arguments: Any) -> None:
        asked.append(session._closing)
        on_revoke(session, *arguments)

    monkeypatch.setattr(Session, "_on_revoke", heard)
    expected = published(scene, 40)
    expelled = ClientSettings(scene.clients.bootstrap, {"max.poll.interval.ms": "1500"})
    session = Session(scene.exchange, scene.on_machine(SHORT), 0, expelled, Heart())
    loop = Loop(session, scene.exchange, scene.policy)
    outcomes = []
    try:
        while len(session.intake) < 40 or not session.is_ready:
            session.fetch(0.02)
        before_commits(session, lambda _batch: wait_for(lambda: not scene.lag(), "everything routed by the other"))
        after_failed_commits(session, lambda outcome: outcomes.append(type(outcome)))
        with scene.worker(1, settings=SHORT) as other, turning(other):
            carry(loop, session.intake.take(40))
    finally:
        session.close()
    assert True not in asked
    assert outcomes in ([Aborted], [Indefinite])
    assert scene.delivered(scene.south) == scene.delivered(scene.west) == expected


def test_a_commit_without_membership_is_not_fenced_which_is_why_it_has_one(scene):
    """The planted fault of the test above: it shows that the broker alone does not stop a stale batch."""
    published(scene, 10)
    stranger = Consumer(scene.clients.consumer_config(f"{scene.exchange.exchange}.route"))
    with scene.worker(0) as worker:
        worker.fetch(10)
        batch = worker.session.intake.take(10)
        worker.session._membership = stranger.consumer_group_metadata()
        carry(worker.loop, batch)
        assert scene.lag() == 0
    stranger.close()


def test_the_zombie_of_a_replaced_worker_cannot_commit_and_ends(scene):
    """A fresh worker with the same names fences it: its producer by the epoch, its consumer by the instance id."""
    expected = published(scene, 40)
    with scene.worker(0) as zombie:
        zombie.fetch(40)
        batch = zombie.session.intake.take(40)
        with scene.worker(0) as fresh:
            before_commits(zombie.session, lambda _batch: fresh.drain())
            with pytest.raises(Fatal):
                zombie.turn_until(lambda: carry(zombie.loop, batch), "the end of the zombie")
            for incident, events in published(scene, 20, start=100).items():
                expected[incident] = events
            fresh.drain()
    assert scene.delivered(scene.south) == scene.delivered(scene.west) == expected


def stops_before_a_commit(scene_parts, outcomes) -> None:
    """A worker process that stops itself, as SIGSTOP from outside would, with everything produced and not committed."""
    exchange, policy, clients, settings, stop_at = scene_parts
    session = Session(exchange, settings, 0, clients, Heart())
    loop = Loop(session, policy.exchange, policy)
    stopped = []

    def stop(batch):
        if not stopped and len(batch) >= stop_at:
            session._producers[0]._producer.flush(10)
            stopped.append(True)
            os.kill(os.getpid(), signal.SIGSTOP)

    before_commits(session, stop)
    after_failed_commits(session, lambda outcome: outcomes.put(type(outcome).__name__))
    while True:
        loop.turn(0.05)


def test_a_worker_stopped_beyond_its_session_cannot_commit_when_it_wakes(scene):
    """SIGSTOP between produce and commit, another takes over, SIGCONT: without fencing the batch is there twice."""
    expected = published(scene, 60)
    context = multiprocessing.get_context("spawn")
    outcomes = context.Queue()
    parts = (scene.exchange, scene.policy, scene.clients, scene.on_machine(SHORT), 1)
    process = context.Process(target=stops_before_a_commit, args=(parts, outcomes), daemon=True)
    process.start()
    try:
        watched = psutil.Process(process.pid)
        wait_for(lambda: watched.status() == psutil.STATUS_STOPPED, "stopped itself")
        with scene.worker(1, settings=SHORT) as other:
            other.drain()
            # Readers wait behind the zombie's open transaction until the broker has ended it.
            wait_for(lambda: scene.delivered(scene.south) == expected, "everything delivered by the other")
            with turning(other):
                os.kill(process.pid, signal.SIGCONT)
                assert outcomes.get(timeout=PATIENCE_S) in ("Aborted", "Indefinite")
                for incident, events in published(scene, 60, start=100).items():
                    expected[incident] = events
                wait_for(lambda: not scene.lag(), "everything routed")
    finally:
        os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.join()
    assert scene.delivered(scene.south) == scene.delivered(scene.west) == expected
    copies = len(scene.read(f"partner.{scene.south}", committed=False))
    assert copies > sum(map(len, expected.values())), "the zombie's copies did stand on the topic"
