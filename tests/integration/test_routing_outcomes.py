"""Whatever becomes of a transaction, every event is delivered once and in order to whoever reads committed records."""

from __future__ import annotations

from collections import defaultdict

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from routing import transactions
from routing.transactions import Aborted
from schemas.ops import metrics
from tests.integration.routing_scene import Scene


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique, transaction_events=20)
    yield made
    made.check_numbers(made.south)
    made.close()


def published(scene: Scene, events: int, incidents: int) -> dict[str, list[str]]:
    """Publish events of several incidents in turn; returns the event ids of each in their order."""
    names = [f"i-{number % incidents}" for number in range(events)]
    expected = defaultdict(list)
    for incident, event in zip(names, scene.publish(scene.north, names), strict=True):
        expected[incident].append(event)
    return dict(expected)


def test_two_producers_used_in_turn_keep_the_order_of_every_partition_and_the_offsets(scene):
    """A hundred transactions, each on the other producer than the one before."""
    expected = published(scene, 2_000, 40)
    before = metrics.reading("transactions_total", outcome="committed")
    with scene.worker() as worker:
        worker.drain()
    assert metrics.reading("transactions_total", outcome="committed") - before >= 100
    for recipient in (scene.south, scene.west):
        assert scene.delivered(recipient) == expected
    ids = {message.key() for message in scene.read(f"disclosures.{scene.north}")}
    assert ids == {incident.encode() for incident in expected}
    assert scene.lag() == 0


def test_an_aborted_batch_is_routed_again_in_order_and_read_once(scene, monkeypatch):
    """Without `put_back` of the batch the aborted records are lost: the next offsets committed are beyond them."""
    expected = published(scene, 60, 5)
    with scene.worker() as worker:
        real, aborted = worker.session.commit, []

        def commit(batch):
            if len(aborted) < 2:
                producer = worker.session._producers[0]
                assert producer._producer.flush(10) == 0
                producer.abort()
                aborted.append(list(batch))
                raise Aborted("injected")
            real(batch)

        monkeypatch.setattr(worker.session, "commit", commit)
        worker.drain()
    assert scene.delivered(scene.south) == expected
    everything = scene.read(f"partner.{scene.south}", committed=False)
    assert len(everything) == 60 + sum(map(len, aborted)), "the aborted copies did stand on the topic"


class Doubtful(Producer):
    """librdkafka, but some commits end in an error that says nothing: before the commit or after it."""

    before: int
    after: int

    def commit_transaction(self, *args):
        if type(self).before:
            type(self).before -= 1
            raise KafkaException(KafkaError(KafkaError._STATE))
        super().commit_transaction(*args)
        if type(self).after:
            type(self).after -= 1
            raise KafkaException(KafkaError(KafkaError._STATE))


@pytest.mark.parametrize("happened", [False, True], ids=["had-not-happened", "had-happened"])
def test_after_an_outcome_nobody_knows_the_broker_is_asked_and_nothing_is_lost_or_doubled(scene, monkeypatch, happened):
    """Without `rewind`, positions stay behind the batch and what had not happened is lost; with the batch simply put
    back, what had happened is doubled."""
    monkeypatch.setattr(transactions, "Producer", Doubtful)
    Doubtful.before, Doubtful.after = (0, 3) if happened else (3, 0)
    expected = published(scene, 100, 5)
    recycled = metrics.reading("producers_recycled_total", reason="indefinite")
    with scene.worker() as worker:
        worker.drain()
    assert (Doubtful.before, Doubtful.after) == (0, 0)
    assert metrics.reading("producers_recycled_total", reason="indefinite") == recycled + 3
    for recipient in (scene.south, scene.west):
        assert scene.delivered(recipient) == expected


def test_a_slow_commit_s_producer_is_recycled_before_it_begins_again(scene, monkeypatch):
    """Without it a late marker of the slow transaction could hit the next one of the same epoch."""
    expected = published(scene, 100, 5)
    made = []

    class Counted(Producer):
        def __init__(self, config):
            made.append(config["transactional.id"])
            super().__init__(config)

    monkeypatch.setattr(transactions, "Producer", Counted)
    with scene.worker() as worker:
        for producer in worker.session._producers:
            producer._slow_commit_s = 0.0
        worker.drain()
    assert len(made) >= 5, "two at first, and one for each transaction that begins after a slow one of its own"
    assert scene.delivered(scene.south) == expected
