"""What a supervisor can tell of a worker from three numbers, and when it ends one."""

from __future__ import annotations

import time

import pytest

from routing.heart import Heart
from routing.settings import RouterSettings
from routing.supervisor import _Slot
from routing.worker import Assignment
from schemas.kafka import ClientSettings
from tests.routing.scene import a_bundle, an_exchange

SETTINGS = RouterSettings(stuck_call_s=5, silent_worker_s=10)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made.monotonic)
    return made


class Process:
    """A worker process, alive until it is not."""

    pid = 7
    alive = True

    def is_alive(self) -> bool:
        return self.alive


@pytest.fixture
def slot(clock) -> _Slot:
    exchange = an_exchange()
    bundle = a_bundle(exchange)
    made = _Slot(Assignment(exchange, SETTINGS, ClientSettings("localhost:1"), bundle.to_bytes(), bundle.hash, 0))
    made._process = Process()
    made._started = clock.now
    return made


def test_a_worker_that_beats_is_well(slot, clock):
    for _ in range(100):
        clock.now += 9
        slot._heart.beat()
        assert slot._fault(SETTINGS) == ""


def test_a_worker_that_has_not_beaten_yet_is_given_time_to_load(slot, clock):
    clock.now += 100
    assert slot._fault(SETTINGS) == ""
    clock.now += 21
    assert slot._fault(SETTINGS) == "not-started"


def test_a_worker_whose_loop_is_silent_is_at_fault(slot, clock):
    slot._heart.beat()
    clock.now += 10.1
    assert slot._fault(SETTINGS) == "silent"


def test_a_call_may_take_its_time_and_no_longer(slot, clock):
    slot._heart.beat()
    with slot._heart.call():
        clock.now += 4.9
        assert slot._fault(SETTINGS) == ""
        clock.now += 0.2
        assert slot._fault(SETTINGS) == "stuck-call"
    assert slot._fault(SETTINGS) == ""


def test_a_process_that_is_gone_is_at_fault_whatever_its_numbers_say(slot):
    slot._heart.beat()
    slot._process.alive = False
    assert slot._fault(SETTINGS) == "died"


def test_what_a_predecessor_left_says_nothing_of_its_replacement(clock):
    heart = Heart()
    heart.beat()
    heart.set_ready(ready=True)
    heart._cells[1] = clock.now
    clock.now += 1_000
    heart.still()
    assert (heart.has_beaten, heart.ready, heart.silent_s(), heart.in_call_s()) == (False, False, 0.0, 0.0)
