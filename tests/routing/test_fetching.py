"""Topics are dealt out among few clients: every partition to one, those of a topic together, topics evenly."""

from __future__ import annotations

from confluent_kafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from routing.fetching import CLIENTS_MOST, TOPICS_EACH, dealt_out


def starts(topics: int, partitions: int) -> list[TopicPartition]:
    return [TopicPartition(f"topic-{n}", number, n) for n in range(topics) for number in range(partitions)]


def place(each: TopicPartition) -> tuple[str, int, int]:
    return each.topic, each.partition, each.offset


@given(topics=st.integers(0, 150), partitions=st.integers(1, 6))
def test_every_partition_is_fetched_by_one_client_from_its_own_offset(topics, partitions):
    given_to = [place(each) for share in dealt_out(starts(topics, partitions)) for each in share]
    assert sorted(given_to) == sorted(map(place, starts(topics, partitions)))


@given(topics=st.integers(1, 150), partitions=st.integers(1, 6))
def test_partitions_of_a_topic_stay_together_and_topics_are_spread_evenly(topics, partitions):
    shares = [{each.topic for each in share} for share in dealt_out(starts(topics, partitions))]
    assert sum(map(len, shares)) == topics
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert len(shares) <= CLIENTS_MOST


def test_a_small_exchange_has_one_client_and_a_worker_without_partitions_none():
    assert len(dealt_out(starts(TOPICS_EACH, 6))) == 1
    assert dealt_out([]) == []
