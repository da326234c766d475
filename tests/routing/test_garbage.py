"""Garbage that reference counting does not free is freed when there is much of it, and only when it is told to be."""

from __future__ import annotations

import gc
import weakref

import pytest

from routing.garbage import WITHOUT_LEISURE, collect


class Node:
    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def only_when_told():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def dropped() -> weakref.ref[Node]:
    return weakref.ref(Node())


def test_a_cycle_is_freed_once_there_is_much_that_is_new(only_when_told):
    gone = dropped()
    collect()
    assert gone() is not None, "for a few objects nobody looks"
    many = [[number] for number in range(11_000)]
    collect(WITHOUT_LEISURE)
    assert gone() is not None, "without leisure it takes more"
    collect()
    assert gone() is None
    assert len(many) == 11_000


def test_where_python_looks_of_its_own_accord_it_is_left_to_it():
    assert gc.isenabled()
    gc.collect()
    before = gc.get_stats()[0]["collections"]
    many = [(number,) for number in range(100)]
    collect(1)
    assert gc.get_stats()[0]["collections"] == before
    assert len(many) == 100
