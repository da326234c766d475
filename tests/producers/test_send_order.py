"""Claims about which event is sent next."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from producers.send_order import LIVE_MS, SendOrder
from producers.spool_records import Waiting

EMERGENCY, PRIORITY, SCHEDULED = 0, 1, 3
OLD, NOW = 0, 1_000_000


def rows(events: list[Waiting]) -> list[int]:
    return [event.row for event in events]


def test_the_most_urgent_goes_first():
    order = SendOrder()
    order.add([Waiting(1, "A", SCHEDULED, NOW), Waiting(2, "B", EMERGENCY, NOW), Waiting(3, "C", PRIORITY, NOW)])
    assert rows(order.take(3, NOW)) == [2, 3, 1]


def test_an_event_takes_the_earlier_ones_of_its_incident_with_it():
    order = SendOrder()
    order.add([Waiting(1, "A", SCHEDULED, OLD), Waiting(2, "B", PRIORITY, OLD), Waiting(3, "A", EMERGENCY, NOW)])
    assert rows(order.take(1, NOW)) == [1, 3]
    assert rows(order.take(1, NOW)) == [2]


def test_live_gets_at_least_half_beside_a_backlog_however_urgent():
    order = SendOrder()
    order.add([Waiting(row, f"old{row}", EMERGENCY, OLD) for row in range(1, 1001)])
    order.add([Waiting(row, f"live{row}", SCHEDULED, NOW) for row in range(1001, 1101)])
    taken = order.take(100, NOW)
    assert sum(event.incident_id.startswith("live") for event in taken) == 50
    assert sum(event.incident_id.startswith("old") for event in taken) == 50


def test_what_one_does_not_use_the_other_gets():
    order = SendOrder()
    order.add([Waiting(row, f"old{row}", EMERGENCY, OLD) for row in range(1, 91)])
    order.add([Waiting(row, f"live{row}", SCHEDULED, NOW) for row in range(91, 101)])
    assert len(order.take(100, NOW)) == 100


def test_live_becomes_backlog_with_time_and_is_sent_once():
    order = SendOrder()
    order.add([Waiting(row, f"i{row}", PRIORITY, NOW) for row in range(1, 11)])
    taken = rows(order.take(4, NOW)) + rows(order.take(100, NOW + LIVE_MS))
    assert sorted(taken) == list(range(1, 11))
    assert len(order) == 0


def test_what_did_not_arrive_stands_before_the_rest_of_its_incident_again():
    order = SendOrder()
    order.add([Waiting(row, "A", PRIORITY, NOW) for row in range(1, 7)])
    taken = order.take(3, NOW)
    order.put_back(taken)
    assert rows(order.take(10, NOW)) == [1, 2, 3, 4, 5, 6]


class Sent:
    """What happened so far, as a publisher sees it."""

    def __init__(self) -> None:
        self.order = SendOrder(live_ms=50)
        self.under_way: list[Waiting] = []
        self.arrived: list[Waiting] = []


actions = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("ABC"), st.integers(0, 4)),
        st.tuples(st.just("take"), st.integers(1, 6), st.just(0)),
        st.tuples(st.just("arrive"), st.integers(0, 6), st.just(0)),
        st.tuples(st.just("fail"), st.just(0), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 60), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(actions)
def test_whatever_fails_every_event_arrives_and_none_before_an_earlier_one_of_its_incident(history):
    sent, row, now = Sent(), 0, 0
    for what, value, rank in history:
        if what == "add":
            row += 1
            sent.order.add([Waiting(row, str(value), rank, now)])
        elif what == "take":
            sent.under_way += sent.order.take(int(value), now)
        elif what == "arrive":
            sent.arrived += sent.under_way[: int(value)]
            del sent.under_way[: int(value)]
        elif what == "fail":
            sent.order.put_back(sent.under_way)
            sent.under_way = []
        else:
            now += int(value)
    sent.order.put_back(sent.under_way)
    while taken := sent.order.take(3, now):
        sent.arrived += taken
    by_incident = defaultdict(list)
    for event in sent.arrived:
        by_incident[event.incident_id].append(event.row)
    assert sorted(event.row for event in sent.arrived) == list(range(1, row + 1))
    assert all(found == sorted(found) for found in by_incident.values())
    assert len(sent.order) == 0
