"""Transactional producing, with librdkafka's outcomes told apart by what to do next.

`TransactionalProducer` is begin, produce, commit or abort. After each commit the caller knows one of three things: it
happened; it did not (`Aborted`); or nobody knows (`Indefinite`), and then the producer has been made afresh, which
settles the matter at the broker, and the caller must ask there for the committed offsets.

librdkafka lacks KIP-890: after a delayed commit a late marker can hit the next transaction. So after an indefinite
outcome, an error callback, or a commit or abort slower than the limit, the producer is recycled before the next begin:
a new ``init_transactions`` bumps the epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from routing.effects import Output
from routing.heart import Heart
from schemas.errors import Fatal, HueCryError, Unavailable
from schemas.ops import metrics
from schemas.ops.logs import get_logger

log = get_logger()

Setting = str | int | float | bool
_CALL_TIMEOUT_S: Final = 10.0
_LIST_TIMEOUT_S: Final = 2.0
_TOPIC_ERRORS: Final = {
    KafkaError.UNKNOWN_TOPIC_OR_PART: "missing-topic",
    KafkaError._UNKNOWN_TOPIC: "missing-topic",  # noqa: SLF001  librdkafka's own codes begin with an underscore
    KafkaError._UNKNOWN_PARTITION: "missing-topic",  # noqa: SLF001
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "refused",
    KafkaError.TOPIC_EXCEPTION: "refused",
}
_PURGED: Final = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})  # noqa: SLF001
_RECORD_ERRORS: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})


class Aborted(HueCryError):
    """The transaction did not happen: route its records again. Names the topics that refused, each with a reason."""

    def __init__(self, message: str, refused: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.refused = dict(refused or {})


class Indefinite(HueCryError):
    """Nobody here knows whether the transaction happened: ask the broker for the committed offsets."""


class Unpassable(HueCryError):
    """An output can never be written, whatever Kafka's state: its record is at fault."""


class TransactionalProducer:
    """One transactional producer. Not for threads, except for `topics`; at most one transaction open."""

    def __init__(
        self, config: Mapping[str, Setting], transactional_id: str, heart: Heart, slow_commit_s: float
    ) -> None:
        self.transactional_id = transactional_id
        self._config = config
        self._heart = heart
        self._slow_commit_s = slow_commit_s
        self._failed: dict[str, KafkaError] = {}
        self._suspect = ""
        self._producer = self._fresh()

    def begin(self) -> None:
        """Open a transaction, on a fresh producer if the last outcome was suspect.

        Raises:
            Aborted: it could not be opened.
        """
        self._producer.poll(0)
        if self._suspect:
            self.recycle(self._suspect)
        self._failed.clear()
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            self.recycle("begin-failed")
            raise Aborted(f"a transaction could not be opened: {_code(error)}") from None

    def produce(self, *outputs: Output) -> None:
        """Add records to the transaction, waiting for room if the queue is full.

        Raises:
            Unpassable: one is too large for any topic of ours.
            Aborted: librdkafka refuses one for another reason; call `abort`.
        """
        produce = self._producer.produce
        for output in outputs:
            while True:
                try:
                    produce(output.topic, output.value, output.key, output.partition)
                except BufferError:
                    self._heart.beat()
                    self._producer.poll(0.05)
                except KafkaException as error:
                    raise _refused(error, output) from None
                else:
                    break

    def commit(self, offsets: Sequence[TopicPartition], group: Any) -> None:  # noqa: ANN401  opaque to Python
        """Commit what was produced together with the input's offsets.

        Args:
            offsets: last + 1 of this batch, for each partition in it.
            group: the consumer's group metadata when the batch was taken: what fences a zombie.

        Raises:
            Aborted: it did not happen.
            Unpassable: it did not happen, because of one of the records.
            Indefinite: it may have happened.
        """
        started = time.monotonic()
        self._settle(lambda: self._producer.send_offsets_to_transaction(list(offsets), group, _CALL_TIMEOUT_S))
        self._settle(lambda: self._producer.commit_transaction(-1))
        metrics.observe("transaction_seconds", time.monotonic() - started)
        metrics.increment("transactions_total", outcome="committed")
        self._suspect_if_slow(started, "slow-commit")

    def abort(self) -> None:
        """Undo everything since `begin`; a producer that cannot even do that is made afresh, which undoes it too."""
        metrics.increment("transactions_total", outcome="aborted")
        started = time.monotonic()
        try:
            with self._heart.call():
                self._producer.abort_transaction(-1)
        except KafkaException:
            self.recycle("abort-failed")
        else:
            self._suspect_if_slow(started, "slow-abort")

    def recycle(self, reason: str) -> None:
        """Make the producer afresh: its predecessor's open transaction is ended and its epoch fenced."""
        metrics.increment("producers_recycled_total", reason=reason)
        log.warning("producer recycled", reason=reason)
        self._producer = self._fresh()
        self._suspect = ""

    def topics(self) -> frozenset[str]:
        """The topics that exist and can be seen.

        Raises:
            Unavailable: the broker does not answer.
        """
        self._heart.kafka.asked()
        try:
            listed = self._producer.list_topics(timeout=_LIST_TIMEOUT_S).topics
        except KafkaException as error:
            raise Unavailable(f"the broker does not list its topics: {_code(error)}") from None
        self._heart.kafka.answered()
        return frozenset(name for name, topic in listed.items() if topic.error is None)

    def close(self) -> None:
        """Forget what was not committed."""
        self._producer.purge()

    def _suspect_if_slow(self, started: float, reason: str) -> None:
        """A marker that comes late could hit the next transaction of the same epoch."""
        if time.monotonic() - started > self._slow_commit_s:
            self._suspect = self._suspect or reason

    def _fresh(self) -> Producer:
        producer = Producer(
            {
                **self._config,
                "transactional.id": self.transactional_id,
                "delivery.report.only.error": True,
                "on_delivery": self._on_failed_delivery,
                "error_cb": self._on_error,
            }
        )
        self._heart.kafka.asked()
        while True:
            try:
                with self._heart.call():
                    producer.init_transactions(_CALL_TIMEOUT_S)
            except KafkaException as error:
                if not error.args[0].retriable():
                    raise Fatal(f"no transactional producer can be had: {_code(error)}") from None
                self._heart.beat()
            else:
                self._heart.kafka.answered()
                return producer

    def _settle(self, call: Callable[[], None]) -> None:
        """Make a transactional call until its outcome is known."""
        self._heart.kafka.asked()
        while True:
            try:
                with self._heart.call():
                    call()
            except KafkaException as error:
                self._after(error.args[0])
            else:
                self._heart.kafka.answered()
                return

    def _after(self, error: KafkaError) -> None:
        """Return to make the same call again; raise otherwise."""
        if error.txn_requires_abort():
            self._producer.poll(0)
            failed = dict(self._failed)
            self.abort()
            if failed:
                # What the broker refused leaves a gap in the sequence, at which the next transaction would fail.
                self._suspect = self._suspect or "failed-delivery"
            if any(each.code() in _RECORD_ERRORS for each in failed.values()):
                raise Unpassable("the broker refused an output as too large")
            refused = {topic: _TOPIC_ERRORS[e.code()] for topic, e in failed.items() if e.code() in _TOPIC_ERRORS}
            raise Aborted(f"the transaction was aborted: {error.name()}", refused)
        if error.retriable() and not error.fatal():
            return
        metrics.increment("transactions_total", outcome="indefinite")
        self.recycle("indefinite")
        raise Indefinite(f"the outcome of a transaction is not known: {error.name()}")

    def _on_failed_delivery(self, error: KafkaError | None, message: Message) -> None:
        topic = message.topic()
        if error is not None and topic is not None and error.code() not in _PURGED:
            self._failed.setdefault(topic, error)

    def _on_error(self, _error: KafkaError) -> None:
        self._suspect = self._suspect or "error-callback"


def _refused(error: KafkaException, output: Output) -> Unpassable | Aborted:
    """Why librdkafka did not take a record."""
    code = error.args[0].code()
    if code in _RECORD_ERRORS:
        return Unpassable(f"an output of {len(output.value or b'')} bytes is too large for {output.topic}")
    refused = {output.topic: _TOPIC_ERRORS[code]} if code in _TOPIC_ERRORS else {}
    return Aborted(f"an output was refused: {_code(error)}", refused)


def _code(error: KafkaException) -> str:
    name: str = error.args[0].name()
    return name
