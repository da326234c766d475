"""Repeats are told from news, whatever comes in whatever order; an event_id is used once, and sequences rise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.state.sequence import SEEN_MOST, news, seen_after
from schemas.errors import Rejected
from tests.routing.state.remembered import an_incident


class Taken:
    """An incident whose events are taken one after another."""

    def __init__(self):
        self.incident = None

    def come(self, event_id, sequence, value):
        what = news(self.incident, event_id, sequence, value)
        if what != "repeat":
            self.incident = an_incident(sequence, seen=seen_after(self.incident, event_id, value))
        return what


def test_any_event_may_be_the_first():
    assert Taken().come("e-7", 7, b"x") == "first"


def test_the_next_is_the_next_and_one_left_out_is_a_gap():
    taken = Taken()
    assert [taken.come("a", 1, b"a"), taken.come("b", 2, b"b"), taken.come("d", 4, b"d")] == ["first", "next", "gap"]


def test_an_event_that_comes_again_is_a_repeat_even_after_others():
    taken = Taken()
    taken.come("a", 1, b"a")
    taken.come("b", 2, b"b")
    assert taken.come("a", 1, b"a") == taken.come("b", 2, b"b") == "repeat"


def test_an_event_id_with_other_content_is_refused_whatever_its_sequence():
    for sequence in (1, 2, 9):
        taken = Taken()
        taken.come("a", 1, b"a")
        with pytest.raises(Rejected) as refused:
            taken.come("a", sequence, b"other")
        assert refused.value.reason == "event-id-reused"


@pytest.mark.parametrize("sequence", [-1, 0, 1, 3])
def test_another_event_whose_sequence_is_not_above_the_last_is_refused(sequence):
    taken = Taken()
    taken.come("c", 3, b"c")
    with pytest.raises(Rejected) as refused:
        taken.come("d", sequence, b"d")
    assert refused.value.reason == "out-of-sequence"


def test_a_first_event_that_does_not_count_is_refused():
    with pytest.raises(Rejected):
        Taken().come("a", 0, b"a")


def test_of_very_many_events_the_oldest_are_forgotten_and_refused_not_taken_again():
    taken = Taken()
    for sequence in range(1, SEEN_MOST + 2):
        taken.come(f"e-{sequence}", sequence, b"%d" % sequence)
    assert len(taken.incident.seen) == SEEN_MOST * 16
    assert taken.come("e-2", 2, b"2") == "repeat"
    with pytest.raises(Rejected):
        taken.come("e-1", 1, b"1")


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 6), st.binary(max_size=2)), max_size=30))
def test_no_event_is_taken_twice_and_none_out_of_order(coming):
    """Against a model that remembers everything."""
    taken, contents, last = Taken(), {}, 0
    for event_id, sequence, value in coming:
        try:
            what = taken.come(event_id, sequence, value)
        except Rejected as refused:
            what = refused.reason
        if event_id in contents:
            assert what == ("repeat" if contents[event_id] == value else "event-id-reused")
        elif sequence <= last:
            assert what == "out-of-sequence"
        else:
            assert what == ("first" if not contents else "next" if sequence == last + 1 else "gap")
            contents[event_id], last = value, sequence
