"""What is decided for all recipients at once, and remembered, is what the interpreter decides for each."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from routing import deciding
from routing.agreements import Bundle, Considered, Place, decide, recipients
from routing.agreements.model import Condition
from routing.deciding import ENGINES_MOST, Decisions, decide_afresh, decide_all, prepare
from routing.route import route
from tests.routing.agreements.test_agreement_properties import bundles, events, moments
from tests.routing.scene import NOW, a_bundle, a_policy, a_share, an_exchange, event_record, small

NOTHING: dict[str, Any] = {
    **dict.fromkeys(("category", "qualifiers", "flags", "caveats", "handling")),
    **dict.fromkeys(("grade", "status", "kind", "marking"), "unknown"),
    "mode": "actual",
    "sections": frozenset(),
    "addressees": frozenset(),
}


@given(bundles(), st.lists(events, min_size=2, max_size=6), moments)
@settings(max_examples=150, deadline=None)
def test_what_is_remembered_is_what_the_interpreter_decides(bundle: Bundle, several: list[Considered], now: datetime):
    alike = [replace(event, origin=several[0].origin) for event in several]
    for event in (*several, *alike, *reversed(several)):
        decided = decide_all(bundle, event, now)
        assert decide_all(bundle, event, now) is decided
        _same(decided, decide_afresh(bundle, event, now))
        for recipient, each in zip(recipients(bundle, event.origin), decided, strict=True):
            afresh = decide(bundle, event, recipient, now)
            assert each.recipient == recipient
            assert replace(each.decision, recipient=recipient) == afresh


@given(bundles(), events, moments)
@settings(max_examples=60, deadline=None)
def test_a_day_is_remembered_for_itself(bundle: Bundle, event: Considered, now: datetime):
    for hours in range(0, 72, 8):
        later = now + timedelta(hours=hours)
        for each in decide_all(bundle, event, later):
            expected = decide(bundle, event, each.recipient, later)
            assert replace(each.decision, recipient=each.recipient) == expected


@given(bundles(), events, moments)
@settings(max_examples=60, deadline=None)
def test_equal_decisions_have_one_wording_and_others_another(bundle: Bundle, event: Considered, now: datetime):
    decided = decide_all(bundle, event, now)
    for one in decided:
        for other in decided:
            assert (one.wording is other.wording) == (one.decision == other.decision)


def _same(one: Decisions, other: Decisions) -> None:
    assert [(each.recipient, each.decision) for each in one] == [(each.recipient, each.decision) for each in other]


def remembered_of(bundle: Bundle) -> int:
    """How many shapes of events are remembered with what was decided of them."""
    return sum(len(origin._of_shapes) for origin in deciding._engine(bundle)._origins.values())


def test_what_states_too_much_is_decided_afresh_and_not_remembered():
    places = {"locations": [{"location_ref": "a", "kind": "incident", "district": "x" * 100_000}]}
    many = {"locations": [{"location_ref": "a", "kind": "incident", "district": "Leeds"}] * 5_000}
    policy = a_policy(max_event_bytes=1 << 20)
    before = remembered_of(policy.bundle)
    for stated in (places, many):
        assert route(event_record(**small(**stated)), policy, NOW).fate == "routed"
    assert remembered_of(policy.bundle) == before
    assert route(event_record(flags=["child"], **small()), policy, NOW).fate == "routed"
    assert remembered_of(policy.bundle) == before + 1


def test_what_is_decided_afresh_is_not_remembered():
    exchange = an_exchange()
    bundle = a_bundle(exchange, a_share("r", ["south"], ["locations"], Condition("district", ("Leeds",))))
    plain = Considered(**NOTHING, origin="north", places=(Place("incident", "Leeds"),))
    before = remembered_of(bundle)
    for places in [(Place("incident", "x" * 100_000),), (Place("incident", "Leeds"),) * 5_000]:
        event = replace(plain, places=places)
        for each in decide_afresh(bundle, event, NOW):
            assert replace(each.decision, recipient=each.recipient) == decide(bundle, event, each.recipient, NOW)
    assert remembered_of(bundle) == before
    decide_all(bundle, plain, NOW)
    assert remembered_of(bundle) > before


def some_bundle(version: int) -> Bundle:
    return replace(a_bundle(an_exchange(), a_share("r", ["south"], ["locations"])), version=version)


def test_engines_of_a_few_bundles_are_kept_and_those_of_older_ones_made_again():
    plain = Considered(**NOTHING, origin="north", places=())
    several = [some_bundle(version) for version in range(10, 20)]
    for bundle in (*several, *several):
        (each,) = (each for each in decide_all(bundle, plain, NOW) if each.recipient == "south")
        assert each.decision == replace(decide(bundle, plain, "south", NOW), recipient="")
        assert len(deciding._engines) <= ENGINES_MOST


def test_a_bundle_is_prepared_in_another_thread_and_its_engine_is_the_one_that_decides():
    bundle = some_bundle(20)
    preparing = threading.Thread(target=prepare, args=(bundle, NOW))
    preparing.start()
    preparing.join()
    engine = deciding._engines[bundle.hash]
    decide_all(bundle, Considered(**NOTHING, origin="north", places=()), NOW)
    assert deciding._engines[bundle.hash] is engine
