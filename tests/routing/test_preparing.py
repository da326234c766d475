"""A bundle with areas is routed under when they are ready, and nothing is routed before."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from routing import preparing
from routing.agreements.bundle import Bundle
from routing.agreements.model import Area
from routing.policy_topic import InForce
from routing.preparing import Preparation
from tests.routing.scene import a_bundle, an_exchange
from tests.routing.test_locating import square

PLAIN = a_bundle(an_exchange())
DRAWN = replace(PLAIN, areas=(Area("here", square(-1.8, 53.6, 0.1)),))
BROKEN = replace(PLAIN, areas=(Area("here", "{}"),))


def in_force(bundle: Bundle) -> InForce:
    return InForce(bundle, bundle.version)


def test_a_bundle_without_areas_is_ready_at_once():
    assert Preparation().ready(in_force(PLAIN)).bundle is PLAIN
    nothing = InForce(None, 3, "none")
    assert Preparation().ready(nothing) is nothing


def test_nothing_is_routed_while_areas_are_prepared_and_then_by_the_bundle(monkeypatch: pytest.MonkeyPatch):
    prepared, go_on = [], threading.Event()

    def slowly(bundle: Bundle) -> None:
        assert go_on.wait(60)
        prepared.append(bundle)

    monkeypatch.setattr(preparing, "geography_of", slowly)
    preparation = Preparation()
    for _ in range(3):
        now = preparation.ready(in_force(DRAWN))
        assert (now.bundle, now.version) == (None, DRAWN.version)
        assert "being prepared" in now.reason
    go_on.set()
    preparation.join(60)
    assert preparation.ready(in_force(DRAWN)).bundle is DRAWN
    assert prepared == [DRAWN], "asked three times, prepared once"


def test_whatever_goes_wrong_the_bundle_is_not_ready(monkeypatch: pytest.MonkeyPatch):
    def fail(bundle: Bundle) -> None:
        raise MemoryError

    monkeypatch.setattr(preparing, "geography_of", fail)
    preparation = Preparation()
    preparation.ready(in_force(DRAWN))
    preparation.join(60)
    now = preparation.ready(in_force(DRAWN))
    assert now.bundle is None
    assert "MemoryError" in now.reason


def test_an_area_that_is_none_keeps_the_bundle_out_and_the_next_may_be_sound():
    preparation = Preparation()
    preparation.ready(in_force(BROKEN))
    preparation.join(60)
    now = preparation.ready(in_force(BROKEN))
    assert now.bundle is None
    assert "area here: expected" in now.reason
    preparation.ready(in_force(DRAWN))
    preparation.join(60)
    assert preparation.ready(in_force(DRAWN)).bundle is DRAWN
