"""Who watches over topics is waited for when that matters, and else holds nobody up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from routing.topic_watch import TopicWatch
from schemas.errors import Unavailable

ALL = frozenset({"incidents.north", "partner.south"})
PATIENCE_S = 10.0


class Broker:
    """Lists its topics once it is told to, or fails to."""

    def __init__(self) -> None:
        self.topics = ALL
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.is_away = False
        self.asked = 0

    def list(self) -> frozenset[str]:
        self.asked += 1
        topics = self.topics
        assert self.may_answer.wait(PATIENCE_S)
        if self.is_away:
            raise Unavailable("the broker does not list its topics")
        return topics


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def watch(broker: Broker) -> Iterator[TopicWatch]:
    made = TopicWatch(broker.list, 0.0)
    yield made
    broker.may_answer.set()
    made.close()


def seen_in_time(watch: TopicWatch) -> frozenset[str]:
    deadline = time.monotonic() + PATIENCE_S
    while (topics := watch.seen()) is None:
        assert time.monotonic() < deadline, "nothing was seen"
        time.sleep(0.001)
    return topics


def test_the_first_look_is_waited_for(watch):
    assert watch.seen() == ALL


def test_later_looks_hold_nobody_up(broker, watch):
    watch.seen()
    broker.may_answer.clear()
    broker.topics = frozenset()
    began = time.monotonic()
    assert [watch.seen() for _ in range(100)] == [None] * 100
    assert time.monotonic() - began < PATIENCE_S / 2
    broker.may_answer.set()
    assert seen_in_time(watch) == frozenset()
    assert broker.asked == 2, "one look at a time"


def test_nobody_looks_before_it_is_time(broker):
    watch = TopicWatch(broker.list, 3_600.0)
    assert watch.seen() == ALL
    assert [watch.seen() for _ in range(3)] == [None] * 3
    assert broker.asked == 1
    watch.close()


def test_a_look_that_is_wanted_soon_is_waited_for_and_is_not_the_one_that_was_on_its_way(broker, watch):
    watch.seen()
    broker.may_answer.clear()
    assert watch.seen() is None
    broker.topics = frozenset({"incidents.north"})
    watch.soon()
    threading.Timer(0.05, broker.may_answer.set).start()
    assert watch.seen() == frozenset({"incidents.north"})


def test_a_broker_that_does_not_answer_is_asked_again_after_a_second_and_waited_for_if_it_was_before(
    broker, watch, monkeypatch
):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    patient = TopicWatch(broker.list, 3_600.0)
    broker.is_away = True
    assert patient.seen() is None
    assert (patient.seen(), broker.asked) == (None, 1), "not at once"
    now += 1.1
    broker.is_away = False
    assert patient.seen() == ALL
    patient.close()
