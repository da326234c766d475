"""The intake is fair between topics and never breaks the order within a partition."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from routing.effects import Record
from routing.intake import Intake

TOPICS = ("a", "b", "c")


def record(topic: str, partition: int, offset: int) -> Record:
    return Record(topic, partition, offset, b"key", b"value")


def records(topic: str, partition: int, *offsets: int) -> list[Record]:
    return [record(topic, partition, offset) for offset in offsets]


def place(taken: Record) -> tuple[str, int]:
    return taken.topic, taken.partition


@st.composite
def fetched(draw: st.DrawFn) -> list[Record]:
    """Records of several partitions in some mixed order, offsets rising within each."""
    order = draw(st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 2)), max_size=60))
    following: Counter[tuple[str, int]] = Counter()
    made = []
    for topic, partition in order:
        made.append(record(topic, partition, following[topic, partition]))
        following[topic, partition] += 1
    return made


@given(given_records=fetched(), most=st.integers(1, 20))
def test_everything_comes_out_once_and_in_the_order_of_its_partition(given_records, most):
    intake = Intake()
    intake.add(given_records)
    out: list[Record] = []
    while batch := intake.take(most):
        assert len(batch) <= most
        out += batch
        assert len(intake) == len(given_records) - len(out)
    assert sorted(out, key=repr) == sorted(given_records, key=repr)
    by_place = defaultdict(list)
    for taken in out:
        by_place[place(taken)].append(taken.offset)
    assert all(offsets == sorted(offsets) for offsets in by_place.values())


@given(given_records=fetched(), most=st.integers(1, 20))
def test_no_topic_supplies_more_than_its_share_while_others_wait(given_records, most):
    intake = Intake()
    intake.add(given_records)
    waiting = Counter(taken.topic for taken in given_records)
    while batch := intake.take(most):
        supplied = Counter(taken.topic for taken in batch)
        for topic in waiting:
            had_more = waiting[topic] > supplied[topic]
            assert not had_more or supplied[topic] >= max(supplied.values()) - 1
        waiting -= supplied


@given(given_records=fetched(), cuts=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=20))
def test_what_is_put_back_comes_first_again_and_nothing_changes_place(given_records, cuts):
    intake = Intake()
    intake.add(given_records)
    routed: list[Record] = []
    for most, keep in [*cuts, (1000, 1000)]:
        batch = intake.take(most)
        routed += batch[:keep]
        intake.put_back(batch[keep:])
    assert len(routed) == len(given_records)
    by_place = defaultdict(list)
    for taken in routed:
        by_place[place(taken)].append(taken.offset)
    assert all(offsets == list(range(len(offsets))) for offsets in by_place.values())


@given(given_records=fetched(), gone=st.tuples(st.sampled_from(TOPICS), st.integers(0, 2)))
def test_a_partition_dropped_leaves_nothing_behind(given_records, gone):
    intake = Intake()
    intake.add(given_records)
    intake.drop([gone])
    assert (intake.waiting(gone), intake.waiting_bytes(gone)) == (0, 0)
    left = intake.take(1000)
    assert gone not in {place(taken) for taken in left}
    assert len(left) == sum(place(taken) != gone for taken in given_records)
    intake.add([record(*gone, 100)])
    assert intake.take(1) == [record(*gone, 100)]


@given(given_records=fetched(), most=st.integers(1, 9))
def test_bytes_waiting_are_counted_through_taking_and_putting_back(given_records, most):
    intake = Intake()
    intake.add(given_records)
    batch = intake.take(most)
    intake.put_back(batch[1:])
    for topic in TOPICS:
        for partition in range(3):
            here = (topic, partition)
            assert intake.waiting_bytes(here) == len(b"keyvalue") * intake.waiting(here)


def test_a_held_topic_keeps_its_records_until_it_is_released():
    intake = Intake()
    intake.add([*records("a", 0, 0, 1), *records("b", 0, 0)])
    intake.hold("a", "why")
    assert intake.held == {"a": "why"}
    assert intake.take(10) == records("b", 0, 0)
    assert intake.idle
    assert len(intake) == 2
    intake.release("a")
    assert not intake.idle
    assert intake.take(10) == records("a", 0, 0, 1)


def test_the_oldest_of_a_topic_is_the_first_of_any_of_its_partitions_held_or_not():
    intake = Intake()
    assert intake.oldest() == {}
    times = [("a", 0, 500), ("a", 0, 700), ("a", 1, 300), ("b", 0, 900)]
    intake.add(Record(topic, partition, at_ms, b"k", b"v", at_ms) for topic, partition, at_ms in times)
    intake.hold("b", "why")
    assert intake.oldest() == {"a": 300, "b": 900}
    taken = intake.take(3)
    assert intake.oldest() == {"b": 900}
    intake.put_back(taken[:1])
    assert intake.oldest() == {"a": taken[0].timestamp_ms, "b": 900}


def test_one_topic_with_many_partitions_counts_as_one():
    intake = Intake()
    for partition in range(5):
        intake.add(records("flood", partition, *range(100)))
    intake.add(records("quiet", 0, *range(3)))
    supplied = Counter(taken.topic for taken in intake.take(8))
    assert supplied == {"flood": 5, "quiet": 3}


def test_partitions_of_a_topic_take_turns():
    intake = Intake()
    intake.add([*records("a", 0, *range(9)), *records("a", 1, *range(9))])
    assert Counter(taken.partition for taken in intake.take(8)) == {0: 4, 1: 4}


def test_with_room_for_one_every_topic_has_its_turn():
    intake = Intake()
    for topic in TOPICS:
        intake.add(records(topic, 0, *range(100)))
    assert Counter(intake.take(1)[0].topic for _ in range(30)) == dict.fromkeys(TOPICS, 10)
