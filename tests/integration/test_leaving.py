"""How a subscriber leaves its group: at once for those that stay, and without an answer that could hang.

The hanging that `schemas.kafka.leave` tells of is a matter of microseconds. So what is tested is that closing lets
nobody answer for a membership that has ended; the same of a router, in `test_routing_rebalance`.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from consumers.subscriber import Subscriber
from schemas.ops.health import Health
from tests.integration.routing_scene import PATIENCE_S, wait_for

UNHEARD_S = 2.0
"""For how long the group lets a member be silent."""


class Listening(Subscriber):
    """A subscriber of one topic, named as its group, which counts how often it was asked for its partitions."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.asked = 0
        super().__init__(config, [config["group.id"]], dict, lambda _gap: None, Health())

    def has_partitions(self) -> bool:
        self.poll(0.02, 1)
        return self.placed

    def _revoked(self, *arguments: Any) -> None:
        self.asked += 1
        super()._revoked(*arguments)


@pytest.fixture
def config(broker, unique) -> dict[str, Any]:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(unique, 2, 1)])[unique].result(PATIENCE_S)
    return {"bootstrap.servers": broker.bootstrap, "group.id": unique}


def test_whoever_comes_next_has_the_partitions_at_once(config):
    missed_later = {**config, "session.timeout.ms": int(PATIENCE_S * 2000)}
    leaving = Listening(missed_later)
    wait_for(leaving.has_partitions, "partitions")
    leaving.close()
    assert leaving.asked == 1
    staying = Listening(missed_later)
    wait_for(staying.has_partitions, "partitions of whoever has left")
    staying.close()


def test_whoever_was_thrown_out_is_not_asked_for_its_partitions_at_the_end(config):
    """Closed by librdkafka it would be, and might wait for ever for an answer to its answer."""
    unheard = Listening({**config, "session.timeout.ms": 1_500, "max.poll.interval.ms": int(UNHEARD_S * 1000)})
    wait_for(unheard.has_partitions, "partitions")
    assert unheard._consumer.memberid()
    wait_for(lambda: not unheard._consumer.memberid(), "thrown out")
    time.sleep(0.1)  # it is told of that a little later
    unheard.close()
    assert unheard.asked == 0
