"""Garbage that reference counting does not free is freed when there is much of it, and only when it is told to be."""

from __future__ import annotations

import gc
import weakref

import pytest

from routing.garbage import collect


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
    collect()
    assert gone() is None
    assert len(many) == 11_000
