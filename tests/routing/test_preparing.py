"""A bundle with areas is routed under when they are read, and nothing is routed before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from routing import preparing
from routing.agreements.bundle import Bundle
from routing.agreements.measured import geography_of
from routing.agreements.model import Agreement, Area, Condition, Limit
from routing.geography import measuring
from routing.geography.measuring import Geography
from routing.geography.shapes import Shape
from routing.policy_topic import InForce
from routing.preparing import Preparation
from tests.routing.scene import a_bundle, an_exchange
from tests.routing.test_locating import square

PLAIN = a_bundle(an_exchange())
WAIT_S = 60


def in_force(bundle: Bundle) -> InForce:
    return InForce(bundle, bundle.version)


def drawn(name: str, west: float = -1.8) -> Bundle:
    """With an area that no other test has."""
    return replace(PLAIN, areas=(Area(name, square(west, 53.6, 0.1)),))


def with_another_rule(bundle: Bundle) -> Bundle:
    """The same areas, and a rule about one of them."""
    rule = Limit(id="r", recipients=("any",), when=(Condition("area", (bundle.areas[0].name,)),), locate="1km")
    more = replace(bundle.agreements[0], id="MORE", rules=(rule,))
    assert isinstance(more, Agreement)
    return replace(bundle, version=bundle.version + 1, agreements=(*bundle.agreements, more))


def test_a_bundle_without_areas_needs_no_more_than_its_rules_compiled():
    preparation, now = Preparation(), in_force(PLAIN)
    preparation.ready(now)
    preparation.join(WAIT_S)
    assert preparation.ready(now) is now
    nothing = InForce(None, 3, "none")
    assert preparation.ready(nothing) is nothing


def held_up(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on reading areas waits until the function returned is called."""
    go_on = threading.Event()

    def slowly(bundle: Bundle) -> Geography:
        assert go_on.wait(WAIT_S)
        return geography_of(bundle)

    monkeypatch.setattr(preparing, "geography_of", slowly)
    return go_on.set


def test_nothing_is_routed_while_areas_are_read_and_then_by_the_bundle(monkeypatch: pytest.MonkeyPatch):
    bundle, preparation = drawn("held-up"), Preparation()
    go_on = held_up(monkeypatch)
    for _ in range(3):
        now = preparation.ready(in_force(bundle))
        assert (now.bundle, now.version) == (None, bundle.version)
        assert "being prepared" in now.reason
    go_on()
    preparation.join(WAIT_S)
    assert preparation.ready(in_force(bundle)).bundle is bundle


def test_while_the_areas_of_a_newer_bundle_are_read_the_older_one_is_not_routed_under(monkeypatch: pytest.MonkeyPatch):
    older, newer, preparation = drawn("older"), drawn("newer", -2.8), Preparation()
    preparation.ready(in_force(older))
    preparation.join(WAIT_S)
    assert preparation.ready(in_force(older)).bundle is older
    go_on = held_up(monkeypatch)
    assert preparation.ready(in_force(newer)).bundle is None
    go_on()
    preparation.join(WAIT_S)
    assert preparation.ready(in_force(newer)).bundle is newer


def test_a_change_of_rules_alone_reads_no_area_again_and_makes_no_index(monkeypatch: pytest.MonkeyPatch):
    bundle, preparation = drawn("same"), Preparation()
    preparation.ready(in_force(bundle))
    preparation.join(WAIT_S)

    def never(*_: object) -> Shape:
        raise AssertionError

    monkeypatch.setattr("routing.agreements.measured.shape_of", never)
    monkeypatch.setattr(measuring, "Grid", never)
    changed = with_another_rule(bundle)
    preparation.ready(in_force(changed))
    preparation.join(WAIT_S)
    assert preparation.ready(in_force(changed)).bundle is changed
    assert geography_of(changed) is geography_of(bundle)


def test_routing_begins_before_the_index_is_made_and_the_answers_are_the_same(monkeypatch: pytest.MonkeyPatch):
    bundle, preparation, go_on = drawn("unindexed"), Preparation(), threading.Event()
    grid = measuring.Grid

    def slowly(*args: object) -> object:
        assert go_on.wait(WAIT_S)
        return grid(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(measuring, "Grid", slowly)
    while preparation.ready(in_force(bundle)).bundle is None:
        pass
    asked = [(longitude / 100, 53.6, radius) for longitude in range(-200, -160) for radius in (0.0, 50.0, 5e3, 5e4)]
    before = [geography_of(bundle).relations(*each) for each in asked]
    assert any(inside for inside, _ in before)
    assert any(partly for _, partly in before)
    go_on.set()
    preparation.join(WAIT_S)
    assert [geography_of(bundle).relations(*each) for each in asked] == before


def test_without_room_for_an_index_places_are_measured_all_the_same(monkeypatch: pytest.MonkeyPatch):
    def fail(_zones: object) -> None:
        raise MemoryError

    monkeypatch.setattr(measuring, "Grid", fail)
    bundle, preparation = drawn("no-room"), Preparation()
    preparation.ready(in_force(bundle))
    preparation.join(WAIT_S)
    assert preparation.ready(in_force(bundle)).bundle is bundle
    assert geography_of(bundle).relations(-1.8, 53.6) == ({"no-room"}, frozenset())


def test_whatever_goes_wrong_the_bundle_is_not_ready(monkeypatch: pytest.MonkeyPatch):
    def fail(bundle: Bundle) -> None:
        raise MemoryError

    monkeypatch.setattr(preparing, "geography_of", fail)
    bundle, preparation = drawn("failing"), Preparation()
    preparation.ready(in_force(bundle))
    preparation.join(WAIT_S)
    now = preparation.ready(in_force(bundle))
    assert now.bundle is None
    assert "MemoryError" in now.reason


def test_an_area_that_is_none_keeps_the_bundle_out_and_the_next_may_be_sound():
    broken, sound, preparation = replace(PLAIN, areas=(Area("here", "{}"),)), drawn("sound"), Preparation()
    preparation.ready(in_force(broken))
    preparation.join(WAIT_S)
    now = preparation.ready(in_force(broken))
    assert now.bundle is None
    assert "area here: expected" in now.reason
    preparation.ready(in_force(sound))
    preparation.join(WAIT_S)
    assert preparation.ready(in_force(sound)).bundle is sound
