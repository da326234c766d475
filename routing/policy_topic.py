"""The policy topic as a router reads it: the newest bundle, or why there is none to route under.

A record's key is ``<exchange>.<version>``, its value the bundle's canonical bytes. The newest is the one with the
highest version; of two with the same version, the one that stands first. A router never falls back on an older bundle:
what replaced it may protect somebody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from routing.agreements.bundle import Bundle
from schemas.errors import Rejected
from schemas.kafka import ClientSettings
from schemas.ops.logs import get_logger
from schemas.topics import policy_topic

log = get_logger()

_AT_ONCE: Final = 100
_CODES_OF_ABSENCE: Final = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})  # noqa: SLF001


def policy_key(exchange: str, version: int) -> bytes:
    """The key of a version's record."""
    return f"{exchange}.{version}".encode()


def version_of(key: bytes | None, exchange: str) -> int | None:
    """The version that a key of this exchange names; None: another exchange's, or no key of a bundle."""
    name, dot, number = (key or b"").decode(errors="replace").rpartition(".")
    is_number = number.isascii() and number.isdecimal() and not number.startswith("0") and len(number) < 19
    return int(number) if dot and name == exchange and is_number else None


def bundle_of(value: bytes | None, version: int) -> Bundle:
    """The bundle that a record of the policy topic holds.

    Raises:
        Rejected: it holds none that this release understands whole, or one of another version.
    """
    bundle = Bundle.from_bytes(value or b"")
    if bundle.version != version:
        raise Rejected("bad-bundle", f"expected policy version {version} under its key, found version {bundle.version}")
    return bundle


@dataclass(frozen=True, slots=True)
class InForce:
    """What a router routes under: a bundle, or nothing and the reason."""

    bundle: Bundle | None
    version: int = 0
    """The newest version published, whether it could be loaded or not; 0: none."""
    reason: str = ""


_READING: Final = InForce(None, reason="waiting for the policy topic")
_NONE: Final = InForce(
    None, reason="no policy has been published for this exchange: huecry agreements publish publishes one"
)


class Newest:
    """Which of the records seen is the newest bundle; pure, in the order in which they stand."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._version = 0
        self._value: bytes | None = None
        self._loaded = _NONE

    def see(self, key: bytes | None, value: bytes | None) -> bool:
        """Take in one record; whether it is the newest now."""
        version = version_of(key, self._exchange)
        if version is None or version <= self._version:
            return False
        self._version, self._value = version, value
        return True

    def in_force(self) -> InForce:
        """The newest bundle, loaded when first asked for: of a long history only the last is."""
        if self._loaded.version != self._version:
            self._loaded = _load(self._value, self._version)
        return self._loaded


def _load(value: bytes | None, version: int) -> InForce:
    try:
        bundle = bundle_of(value, version)
    except Rejected as why:
        reason = f"policy version {version} cannot be loaded by this release, nothing is routed: {why}"
        return InForce(None, version, reason)
    return InForce(bundle, version)


class Policies(Protocol):
    """Where a router learns what to route under."""

    def in_force(self) -> InForce:
        """What to route under now."""

    def close(self) -> None:
        """Leave."""


class OnePolicy:
    """One bundle for as long as the router runs, as read from a folder."""

    def __init__(self, bundle: Bundle) -> None:
        self._in_force = InForce(bundle, bundle.version)

    def in_force(self) -> InForce:
        """That bundle."""
        return self._in_force

    def close(self) -> None:
        """Nothing to leave."""


class PolicyTopic:
    """Follows the policy topic from its first record. Not for threads."""

    def __init__(self, clients: ClientSettings, exchange: str) -> None:
        # No offsets are ever committed under this name: every reader reads all.
        config = clients.consumer_config(f"{exchange}.policy", **{"enable.partition.eof": True, "log_level": 0})
        self._consumer = Consumer(config)
        self._place = TopicPartition(policy_topic(), 0, OFFSET_BEGINNING)
        self._consumer.assign([self._place])
        self._newest = Newest(exchange)
        self._is_read = False

    def in_force(self, timeout_s: float = 0.0) -> InForce:
        """What to route under now; looks for news, and waits for them so long.

        Until the topic has been read to its end once there is no bundle: the newest may be still to come.
        """
        for message in self._consumer.consume(_AT_ONCE, timeout_s):
            self._take(message)
        return self._newest.in_force() if self._is_read else _READING

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is None:
            if self._newest.see(message.key(), message.value()) and self._is_read:
                now = self._newest.in_force()
                log.warning("policy changed", version=now.version, reason="loaded" if now.bundle else "not-loadable")
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's own code
            self._is_read = True
        elif error.code() in _CODES_OF_ABSENCE:
            # Not provisioned yet: librdkafka gives such a partition up, so ask anew.
            self._consumer.assign([self._place])
