"""A remembered decision is the interpreter's own."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.agreements import Bundle, Considered, Place, decide, recipients
from routing.agreements.model import Attribute, Condition
from routing.deciding import READS, Decisions, _remembered, decide_afresh, decide_all
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


def test_what_states_too_much_is_decided_afresh_and_not_remembered():
    places = {"locations": [{"location_ref": "a", "kind": "incident", "district": "x" * 100_000}]}
    many = {"locations": [{"location_ref": "a", "kind": "incident", "district": "Leeds"}] * 5_000}
    _remembered.cache_clear()
    for stated in (places, many):
        record = event_record(**small(**stated))
        assert route(record, a_policy(max_event_bytes=1 << 20), NOW).fate == "routed"
    assert _remembered.cache_info().currsize == 0
    assert route(event_record(), a_policy(), NOW).fate == "routed"
    assert _remembered.cache_info().currsize == 1


def test_what_is_decided_afresh_is_not_remembered():
    exchange = an_exchange()
    bundle = a_bundle(exchange, a_share("r", ["south"], ["locations"], Condition("district", ("Leeds",))))
    plain = Considered(**NOTHING, origin="north", places=(Place("incident", "Leeds"),))
    before = _remembered.cache_info().currsize
    for places in [(Place("incident", "x" * 100_000),), (Place("incident", "Leeds"),) * 5_000]:
        event = replace(plain, places=places)
        for each in decide_afresh(bundle, event, NOW):
            assert replace(each.decision, recipient=each.recipient) == decide(bundle, event, each.recipient, NOW)
    assert _remembered.cache_info().currsize == before
    decide_all(bundle, plain, NOW)
    assert _remembered.cache_info().currsize > before


def test_what_every_attribute_reads_is_known():
    assert READS.keys() == set(_flat(Attribute))
    assert {name for names in READS.values() for name in names} <= {field.name for field in fields(Considered)}


def _flat(literal: object) -> list[str]:
    return [name for each in get_args(literal) for name in (_flat(each) if get_args(each) else [each])]
