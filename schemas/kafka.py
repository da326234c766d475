"""How to reach Kafka: the settings that every client of ours starts from.

    settings = ClientSettings("localhost:9092", client_properties(path))
    Producer(settings.producer_config(**{"transactional.id": "north.route.a.0.a"}))

The file of ``--client-properties`` carries what a cluster's security asks for (librdkafka names, ``key=value``). It may
hold passwords: they never reach a log, a ``repr`` or an error message of ours.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, KafkaException, Producer

from schemas.errors import Rejected
from schemas.exchange import Limits
from schemas.topics import largest_batch_bytes

Setting = str | int | float | bool

_DEFAULT_LIMITS: Final = Limits()
_LEAVE_S: Final = 2.0

# Set by each client itself, from the command line and for reasons of its own: a file that sets them is mistaken.
NOT_FROM_A_FILE: Final = {
    "bootstrap.servers": "name it with --bootstrap",
    "metadata.broker.list": "name it with --bootstrap",
    "group.id": "each command has its own",
    "transactional.id": "each worker has its own",
    "partitioner": "all producers of an exchange use murmur2_random",
}
"""What a file of client properties may not say, and why."""


@dataclass(frozen=True)
class ClientSettings:
    """Where the cluster is, and what its security asks of a client."""

    bootstrap: str
    """``host:port``, or several with commas."""
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)

    def config(self, **extra: Setting) -> dict[str, Setting]:
        """Settings of any client; ``extra`` (librdkafka names) wins over the file's."""
        base: dict[str, Setting] = {"bootstrap.servers": self.bootstrap, "client.id": "huecry"}
        return base | dict(self.properties) | extra

    def producer_config(self, limits: Limits = _DEFAULT_LIMITS, **extra: Setting) -> dict[str, Setting]:
        """Settings of any producer: partitions as Java clients choose them, lz4, every record on all in-sync copies.

        A batch is never larger than the smallest topic takes: librdkafka does not split one that the broker refuses.
        """
        base: dict[str, Setting] = {
            # librdkafka's default is CRC32, which would put an incident on two partitions.
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "acks": "all",
            "enable.idempotence": True,
            "message.max.bytes": largest_batch_bytes("output", limits),
            "batch.size": limits.max_event_bytes,
        }
        return self.config() | base | extra

    def consumer_config(self, group: str, **extra: Setting) -> dict[str, Setting]:
        """Settings of any consumer: committed records only, from the first; who handles them commits the offsets."""
        base: dict[str, Setting] = {
            "group.id": group,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
        }
        return self.config() | base | extra


def leave(consumer: Consumer) -> None:
    """Have a member leave its group, so that others have its partitions at once. Then drop it, and do not close it.

    ``close`` hands out what the group has asked of the member meanwhile, after it may have ended the membership that
    the answer goes to, and then waits for ever (librdkafka 4884): a member that was asked for its partitions, did not
    poll for longer than ``max.poll.interval.ms`` and is closed hangs each time. Dropping the last reference asks
    nobody; but it leaves no group either.
    """
    consumer.unsubscribe()
    deadline = time.monotonic() + _LEAVE_S
    while consumer.memberid() and time.monotonic() < deadline:
        consumer.poll(0.02)


def client_properties(path: Path | None) -> dict[str, str]:
    """Read a ``--client-properties`` file: ``key=value`` lines, ``#`` comments; none without a path.

    Raises:
        Rejected: unreadable, a line without ``=``, a name that librdkafka does not know or that is not for this file.
            Names and line numbers are told, values never.
    """
    if path is None:
        return {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected("bad-client-properties", f"{path}: cannot be read: {type(error).__name__}") from error
    properties: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and name):
            raise Rejected("bad-client-properties", f"{path}, line {number}: expected key=value")
        if name in NOT_FROM_A_FILE:
            message = f"{path}, line {number}: {name} does not belong in this file: {NOT_FROM_A_FILE[name]}"
            raise Rejected("bad-client-properties", message)
        properties[name] = value
    _check(path, properties)
    return properties


def _check(path: Path, properties: Mapping[str, str]) -> None:
    """Let librdkafka judge the file as a whole; a client without an address connects to nothing."""
    try:
        Producer({"log_level": 0, **properties})
    except KafkaException as error:
        raise Rejected("bad-client-properties", f"{path}: {_reason(str(error.args[0].str()), properties)}") from None


def _reason(told: str, properties: Mapping[str, str]) -> str:
    """What librdkafka says, unless it quotes a value: then only the name that it is about."""
    if not any(value and value in told for value in properties.values()):
        return told
    culprit = next((name for name in properties if name in told), "a combination of settings")
    return f"{culprit} was refused by librdkafka: see its list of configuration properties"
