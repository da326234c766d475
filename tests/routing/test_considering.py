"""What is remembered of events that are alike is what is read of each by itself."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from routing import considering, stating
from routing.agreements.considered import Considered
from routing.agreements.measured import geography_of
from routing.considering import considered
from schemas.codec import EventCodec
from schemas.cut import OpenEvent
from tests.routing.scene import a_bundle, an_exchange, event_record, small

CODEC = EventCodec()
NOWHERE = geography_of(a_bundle(an_exchange()))


def opened(**stated: Any) -> OpenEvent:
    return CODEC.open(event_record(**small(**stated)).value, 1 << 20)[1]


def afresh(event: OpenEvent) -> Considered:
    """With nothing remembered."""
    for remembering in (stating._control_of, stating._classification_of, stating._places_of, stating._one_of_equal):
        remembering.cache_clear()
    for remembering in (stating._hazards_of, considering._without_control, considering._one_of_equal):
        remembering.cache_clear()
    considering._known.clear()
    considering._lastings.clear()
    return considered(event, NOWHERE)


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


stated = st.fixed_dictionaries(
    {},
    optional={
        "classification": st.lists(
            st.fixed_dictionaries({"qualifiers": st.none() | some(["drugs", "alcohol"]), "flags": some(["child"])}),
            max_size=1,
        ),
        "locations": st.lists(
            st.fixed_dictionaries(
                {"location_ref": st.sampled_from("ab"), "kind": st.just("incident"), "district": st.sampled_from("xy")}
            ),
            max_size=2,
        ),
        "hazards": st.lists(st.fixed_dictionaries({"kind": st.sampled_from(["dog", "bladed"])}), max_size=2),
        "grade": st.sampled_from(["EMERGENCY", "PRIORITY"]),
        "handling": st.none() | some(["P", "C"]),
        "kind": st.sampled_from(["CREATED", "CORRECTED"]),
    },
)


@given(st.lists(stated, min_size=2, max_size=5))
@settings(max_examples=80, deadline=None)
def test_an_event_is_read_as_if_it_were_the_first(several: list[dict[str, Any]]):
    events = [opened(**each) for each in several]
    alone = [afresh(event) for event in events]
    for _ in range(2):
        assert [considered(event, NOWHERE) for event in events] == alone


def test_events_that_are_alike_are_one_object_and_a_large_one_is_not_remembered():
    assert considered(opened(), NOWHERE) is considered(opened(), NOWHERE)
    places = [{"location_ref": "a", "kind": "incident", "district": "Leeds"}] * 2_000
    before = len(considering._known), len(considering._lastings)
    assert len(considered(opened(locations=places), NOWHERE).places) == 2_000
    assert (len(considering._known), len(considering._lastings)) == before
