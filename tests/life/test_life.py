"""The life of incidents, in every order that chance can think of: the router does what the reference says."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.life.machine import Life

USUAL = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=False,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_whatever_happens_in_whatever_order_the_router_does_what_the_reference_says():
    run_state_machine_as_test(Life, settings=USUAL)


@pytest.mark.long
def test_and_so_it_does_for_hours():
    run_state_machine_as_test(Life, settings=settings(USUAL, max_examples=5_000, stateful_step_count=60))
