"""What a consumer does between batches is done in its turn, and never keeps deliveries waiting for long."""

from __future__ import annotations

import pytest

from consumers.chores import LONGEST_PUT_OFF, Chore, tend
from schemas.errors import Unavailable


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_chore_is_done_at_once_and_then_not_more_often_than_it_says() -> None:
    clock, done = Clock(), []
    chore = Chore(lambda: done.append(clock.at), every_s=10)
    for _ in range(25):
        tend([chore], is_quiet=False, clock=clock)
        clock.at += 1
    assert done == [100, 110, 120]


def test_what_is_for_quiet_moments_waits_for_one_but_not_for_ever() -> None:
    clock, done = Clock(), []
    chore = Chore(lambda: done.append(clock.at), every_s=10, in_quiet=True)
    chore.next_at = 100
    for _ in range(LONGEST_PUT_OFF * 10):
        tend([chore], is_quiet=False, clock=clock)
        clock.at += 1
    assert done == []
    tend([chore], is_quiet=False, clock=clock)
    assert done == [100 + LONGEST_PUT_OFF * 10]
    clock.at += 10
    tend([chore], is_quiet=True, clock=clock)
    assert len(done) == 2


def test_what_could_not_be_done_stays_due() -> None:
    clock, done = Clock(), []

    def away() -> None:
        if clock.at < 102:
            raise Unavailable("away")
        done.append(clock.at)

    chores = [Chore(away, every_s=10)]
    for _ in range(2):
        with pytest.raises(Unavailable):
            tend(chores, is_quiet=True, clock=clock)
        clock.at += 1
    tend(chores, is_quiet=True, clock=clock)
    assert done == [102]
