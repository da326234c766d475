"""Sends receipts from the outbox to Kafka, to the partition whose router process sent the deliveries."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from consumers.receipts import ANY_PARTITION, KINDS, router_partition
from consumers.sinks import Outbox, OutboxReceipt
from schemas.errors import Unavailable
from schemas.ops import metrics
from schemas.ops.logs import get_logger
from schemas.topics import receipts_topic

SENDING: Final[Mapping[str, int]] = {"message.timeout.ms": 0}
"""What a sender of receipts asks of librdkafka besides what every producer of ours does: none is given up."""
_MOST_IN_FLIGHT: Final = 1000
_FORGET_EVERY_S: Final = 0.5
_RETRY_S: Final = 5.0
_log = get_logger()


class ReceiptSender:
    """Sends what is in the outbox. Nothing here waits for Kafka but `close`.

    The settings are those of an idempotent producer; a message that Kafka does not take stays in the outbox and is
    sent again.
    """

    def __init__(self, outbox: Outbox, member: str, settings: Mapping[str, Any]) -> None:
        # Without end: the outbox is the durable copy, and bounds what is in flight.
        self._settings = {"log_level": 2, **settings, **SENDING}
        self._producer = Producer(self._settings)
        self._outbox = outbox
        self._member = member
        self._topic = receipts_topic(member)
        self._sent_up_to = 0
        self._taken: list[int] = []
        self._forget_at = 0.0
        self._again_at = 0.0
        for outcome in (*KINDS, "not-taken"):
            metrics.declare("receipts_total", recipient=member, outcome=outcome)

    def send(self) -> None:
        """Hand to Kafka what is new in the outbox, and forget what it has taken.

        Raises:
            Unavailable: the outbox cannot be read or written now.
        """
        self._producer.poll(0)
        now = time.monotonic()
        if now >= self._again_at:
            self._produce_new()
        if self._taken and now >= self._forget_at:
            self._forget()
            self._forget_at = now + _FORGET_EVERY_S

    def close(self, timeout_s: float) -> None:
        """Send what there is and wait for Kafka so long; what it has not taken then stays in the outbox."""
        # Whatever is away now: the outbox has it all, and the next process sends it.
        with suppress(Unavailable):
            self._produce_new()
            self._producer.flush(timeout_s)
            if self._taken:
                self._forget()

    def _produce_new(self) -> None:
        room = _MOST_IN_FLIGHT - len(self._producer)
        if room <= 0:
            return
        for receipt in self._outbox.unsent_receipts(self._sent_up_to, room):
            if not self._produce(receipt, router_partition(receipt.stream)):
                return
            self._sent_up_to = receipt.receipt_number

    def _produce(self, receipt: OutboxReceipt, partition: int) -> bool:
        """Hand one receipt to Kafka; False where it must wait.

        Where the topic has fewer partitions than the router thinks, the key decides: the router forwards what arrives
        on a partition of another process.
        """

        def report(error: KafkaError | None, message: Message) -> None:  # noqa: ARG001  the library's signature
            if error is None:
                self._taken.append(receipt.receipt_number)
                metrics.increment("receipts_total", receipt.deliveries, recipient=self._member, outcome=receipt.kind)
            elif error.code() == KafkaError._UNKNOWN_PARTITION and partition != ANY_PARTITION:  # noqa: SLF001  its name
                self._produce(receipt, ANY_PARTITION)
            else:
                self._failed(error)

        try:
            self._producer.produce(self._topic, receipt.value, receipt.stream, partition, on_delivery=report)
        except BufferError:
            return False
        except KafkaException as error:
            if partition == ANY_PARTITION:
                self._failed(error.args[0])
                return False
            return self._produce(receipt, ANY_PARTITION)
        return True

    def _failed(self, error: KafkaError) -> None:
        metrics.increment("receipts_total", recipient=self._member, outcome="not-taken")
        _log.warning(
            "receipts are not taken by Kafka; they wait in the outbox and are sent again",
            topic=self._topic,
            kafka_error=error.name(),
            retry_after_s=_RETRY_S,
        )
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001  its name
            self._producer = Producer(self._settings)
        # From the start of the outbox: repeats do no harm, and what was taken is about to be forgotten.
        self._sent_up_to = 0
        self._again_at = time.monotonic() + _RETRY_S

    def _forget(self) -> None:
        taken, self._taken = self._taken, []
        try:
            self._outbox.forget_receipts(taken)
        except BaseException:
            self._taken = taken + self._taken
            raise
