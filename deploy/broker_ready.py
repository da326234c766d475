"""Readiness of a broker, proven by doing: a committed transaction, not an open port.

A Kafka that has just started accepts connections before its transaction coordinator has loaded.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.errors import Fatal

PROBE: Final = "huecry.readiness"


def prove_transactions(bootstrap: str, deadline: float, alive: Callable[[], bool]) -> None:
    """Return when a transaction has been committed at ``bootstrap``, trying until ``deadline`` (monotonic seconds).

    The probe's topic is deleted again.

    Raises:
        Fatal: the broker ended (``alive`` said no) or the deadline passed.
    """
    _wait_for_port(bootstrap, deadline, alive)
    while True:
        try:
            _commit_one(bootstrap)
        except KafkaException as error:
            _go_on(deadline, alive, str(error.args[0]))
        else:
            return


def _wait_for_port(bootstrap: str, deadline: float, alive: Callable[[], bool]) -> None:
    """Knock first: a Kafka client would log each refused connection."""
    host, _, port = bootstrap.rpartition(":")
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError as error:
            _go_on(deadline, alive, str(error))
        else:
            return


def _go_on(deadline: float, alive: Callable[[], bool], cause: str) -> None:
    """Pause before the next attempt, or say that there is none."""
    if not alive():
        raise Fatal("Kafka ended while starting")
    if time.monotonic() > deadline:
        raise Fatal(f"Kafka was not ready in time ({cause})")
    time.sleep(0.05)


def _commit_one(bootstrap: str) -> None:
    client: dict[str, str | int | float | bool] = {"bootstrap.servers": bootstrap, "log_level": 0}
    admin = AdminClient(client)
    creation = admin.create_topics([NewTopic(PROBE, 1, 1)])[PROBE]
    try:
        creation.result(timeout=10)
    except KafkaException as error:
        if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
            raise
    producer = Producer(client | {"transactional.id": PROBE, "transaction.timeout.ms": 10_000})
    producer.init_transactions(10)
    producer.begin_transaction()
    producer.produce(PROBE, b"ready")
    producer.commit_transaction(10)
    admin.delete_topics([PROBE])[PROBE].result(timeout=10)
