"""Garbage that reference counting does not free is freed when there is much of it, and only when it is told to be."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable

import pytest

from routing.garbage import Garbage


class Node:
    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def only_when_told():
    gc.collect()
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture
def wait(only_when_told, monkeypatch) -> Callable[[float], None]:
    """The clock stands still but for this."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


def dropped() -> weakref.ref[Node]:
    return weakref.ref(Node())


def much() -> list[list[int]]:
    """More that is new than nobody looks at."""
    return [[number] for number in range(11_000)]


def test_a_cycle_is_freed_once_there_is_much_that_is_new(only_when_told):
    garbage, gone = Garbage(), dropped()
    garbage.collect()
    assert gone() is not None, "for a few objects nobody looks"
    many = much()
    garbage.collect()
    assert gone() is None
    assert len(many) == 11_000


def test_nobody_looks_twice_in_a_row_and_what_came_in_between_is_freed_by_the_next_look(wait):
    garbage, many = Garbage(), [much()]
    garbage.collect()
    gone = dropped()
    many.append(much())
    wait(0.4)
    garbage.collect()
    assert gone() is not None
    wait(0.2)
    garbage.collect()
    assert gone() is None
    assert len(many) == 2


def test_what_is_there_still_is_set_aside_and_looked_at_again_after_an_hour(wait):
    garbage, kept = Garbage(), Node()
    gone = weakref.ref(kept)
    many = [much()]
    garbage.collect()
    del kept
    for _minute in range(59):
        wait(60.0)
        many.append(much())
        garbage.collect()
    assert gone() is not None, "it was there when it was looked at, and is set aside"
    wait(60.0)
    many.append(much())
    garbage.collect()
    assert gone() is None
    assert len(many) == 61
