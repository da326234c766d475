"""Partition n of every input must meet in one process."""

from __future__ import annotations

from confluent_kafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from routing.session import split_assignment


def places(*pairs: tuple[str, int]) -> list[TopicPartition]:
    return [TopicPartition(*pair) for pair in pairs]


@given(topics=st.sets(st.sampled_from("abcd")), numbers=st.sets(st.integers(0, 5)))
def test_the_same_numbers_of_every_topic_are_right_whichever_they_are(topics, numbers):
    assert split_assignment(places(*((topic, number) for topic in topics for number in numbers))) == ""


def test_a_number_of_one_topic_without_the_others_is_wrong_and_says_what_to_do():
    for pairs in ([("a", 0), ("a", 1), ("b", 0)], [("a", 0), ("b", 1)]):
        assert "huecry provision plan" in split_assignment(places(*pairs))
