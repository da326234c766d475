"""Reading one record of an input again, by its offset: the latest event of an incident that somebody rules on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

from routing.effects import Record
from schemas.errors import Unavailable
from schemas.kafka import ClientSettings
from schemas.topics import incidents_topic

_WITHIN_S: Final = 5.0
_KEPT_MOST: Final = 64
_ONE_RECORD: Final[Mapping[str, str | int]] = {
    "auto.offset.reset": "error",
    "fetch.wait.max.ms": 10,
    "fetch.message.max.bytes": 64 * 1024,
}
_NOT_THERE: Final = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})  # noqa: SLF001


class Rereading:
    """A consumer of its own, made when first needed. Not for threads."""

    def __init__(self, clients: ClientSettings, group: str, taken_ms: Callable[[int], int]) -> None:
        self._config = clients.consumer_config(
            f"{group}.reread",
            # What is gone is said to be gone; one record is wanted, and not what follows it.
            **_ONE_RECORD,
        )
        self._taken_ms = taken_ms
        self._consumer: Consumer | None = None
        self._kept: dict[tuple[str, int, int], Record] = {}

    def event_at(self, origin: str, partition: int, offset: int) -> Record | None:
        """The event there; None: it is no longer on its topic.

        Raises:
            Unavailable: the broker does not give it.
        """
        place = (incidents_topic(origin), partition, offset)
        if (kept := self._kept.get(place)) is None:
            message = self._read(TopicPartition(*place))
            if message is None:
                return None
            kept = Record(*place, message.key(), message.value(), self._taken_ms(message.timestamp()[1]))
            if len(self._kept) >= _KEPT_MOST:
                self._kept.clear()
            self._kept[place] = kept
        return kept

    def close(self) -> None:
        """Leave."""
        if self._consumer is not None:
            self._consumer.close()

    def _read(self, place: TopicPartition) -> Any:  # noqa: ANN401  a Message, which has no public name at run time
        if self._consumer is None:
            self._consumer = Consumer(self._config)
        self._consumer.assign([place])
        deadline = time.monotonic() + _WITHIN_S
        try:
            while time.monotonic() < deadline:
                for message in self._consumer.consume(1, 0.1):
                    if (error := message.error()) is None:
                        # What retention took is skipped over: then the first that is left is another.
                        return message if message.offset() == place.offset else None
                    if error.code() in _NOT_THERE:
                        return None
        finally:
            self._consumer.unassign()
        raise Unavailable(f"an event of {place.topic} cannot be read again: does Kafka answer?")
