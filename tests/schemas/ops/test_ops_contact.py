"""Contact with Kafka and lag are true at the moment of asking, whatever the loop that states them does meanwhile."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ops import contact as contact_module
from schemas.ops import lag as lag_module
from schemas.ops.contact import SILENT_AFTER_S, Contact
from schemas.ops.lag import Lag


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def contact(clock):
    return Contact("broker.example:9092", clock=clock)


def test_nothing_asked_is_no_silence_however_long_it_lasts(contact, clock):
    clock.now_s += 10_000
    assert (contact.silence_s(), contact.trouble()) == (0, "")


def test_an_answer_may_take_a_while_and_then_kafka_counts_as_away_since_it_was_asked(contact, clock):
    contact.asked()
    clock.now_s += SILENT_AFTER_S
    assert contact.trouble() == ""
    clock.now_s += 1
    assert contact.silence_s() == SILENT_AFTER_S + 1
    assert contact.trouble() == "Kafka does not answer at broker.example:9092 (6 s)"


def test_asking_again_does_not_make_the_silence_shorter_and_any_answer_ends_it(contact, clock):
    for _ in range(10):
        contact.asked()
        clock.now_s += 2
    assert contact.silence_s() == 20
    contact.answered()
    clock.now_s += 100
    assert contact.trouble() == ""


def test_another_process_that_shares_the_memory_sees_the_same(clock):
    memory = [7.0, 8.0, 0.0, 9.0]
    asking, seeing = (Contact(cells=memory, cell=2, clock=clock) for _ in range(2))
    asking.asked()
    clock.now_s += 30
    assert seeing.silence_s() == 30
    asking.answered()
    assert seeing.silence_s() == 0
    assert (memory[:2], memory[3]) == ([7.0, 8.0], 9.0)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_lag_is_the_age_of_what_waits_or_the_time_of_not_knowing_whichever_is_more(age_s, blind_s):
    lag = Lag(lambda: blind_s, lambda: 2e9)
    lag.oldest((2e9 - age_s) * 1000)
    assert lag.seconds() == pytest.approx(max(age_s, blind_s), abs=1e-3)
    lag.oldest(None)
    assert lag.seconds() == blind_s


def test_lag_rises_while_nobody_states_it_and_is_never_below_nothing(clock):
    lag = Lag(clock=clock)
    lag.oldest(clock.now_s * 1000)
    clock.now_s += 60
    assert lag.seconds() == 60
    clock.now_s -= 90  # somebody set the clock back
    assert lag.seconds() == 0


@pytest.mark.parametrize("module", [contact_module, lag_module])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0
