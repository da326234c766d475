"""A subscriber without partitions knows that Kafka does not answer, and for how long: its lag must not show 0."""

from __future__ import annotations

import time
from contextlib import closing

from consumers.subscriber import Subscriber
from schemas.ops.contact import SILENT_AFTER_S
from schemas.ops.health import Health

NOBODY = {"bootstrap.servers": "127.0.0.1:1", "group.id": "nobody"}


def test_without_partitions_too_silence_is_noticed_and_grows():
    health = Health()
    deadline = time.monotonic() + 120
    with closing(Subscriber(NOBODY, ["partner.west"], dict, lambda _gap: None, health)) as subscriber:
        assert subscriber.contact.silence_s() == 0
        while not subscriber.contact.silence_s():
            assert time.monotonic() < deadline, health.reasons()
            assert subscriber.poll(0.2, 10) == []
        assert not subscriber.placed
        assert subscriber.contact.silence_s() > SILENT_AFTER_S
        assert health.reasons()["kafka"].startswith("Kafka does not answer at 127.0.0.1:1")
