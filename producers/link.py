"""The Kafka producer that a publisher sends with, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from confluent_kafka import KafkaError, Message, Producer

from schemas.exchange import Limits
from schemas.kafka import ClientSettings

Report = Callable[[KafkaError | None, Message], None]

NEVER: Final = frozenset(
    (
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_TIMESTAMP,
    )
)
"""What neither waiting nor an operator of Kafka changes for an event. Everything else is waited out."""


class Link(Protocol):
    """As much of a Kafka producer as a publisher uses; `confluent_kafka.Producer` is one."""

    def produce(self, topic: str, value: bytes, key: bytes, *, on_delivery: Report) -> None:
        """Take a message; raises BufferError when full, KafkaException when refused at once."""
        ...

    def poll(self, timeout: float) -> int:
        """Serve reports for at most so long."""
        ...

    def list_topics(self, topic: str, timeout: float) -> object:
        """Ask Kafka about a topic; raises KafkaException when it does not answer."""
        ...

    def purge(self, in_queue: bool, in_flight: bool, blocking: bool) -> None:  # noqa: FBT001  as confluent-kafka has it
        """Drop everything that was taken."""
        ...


Connect = Callable[[Callable[[KafkaError], None]], Link]
"""Makes a link; what is given hears of trouble that is no message's."""


SENDING: Final[Mapping[str, int]] = {
    "message.timeout.ms": 0,
    # A topic that was just made may be unknown for a moment; one that is missing is told within this.
    "topic.metadata.propagation.max.ms": 5_000,
    "linger.ms": 1,
    "reconnect.backoff.max.ms": 1_000,
    "retry.backoff.ms": 20,
    "retry.backoff.max.ms": 500,
}
"""What a publisher asks of librdkafka besides what every producer of ours does: it never gives an event up itself."""


def kafka_link(settings: ClientSettings, limits: Limits) -> Connect:
    """What makes a producer that never gives an event up by itself."""
    config = settings.producer_config(limits, **SENDING)

    def connect(on_error: Callable[[KafkaError], None]) -> Link:
        # Its own lines on stderr say what the publisher says in its way, and more often.
        return Producer({**config, "error_cb": on_error, "log_level": 0})

    return connect
