"""After each commit the caller knows one of three things; a doubtful producer never begins again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from routing import transactions
from routing.effects import Output
from routing.heart import Heart
from routing.transactions import Aborted, Indefinite, TransactionalProducer, Unpassable
from schemas.errors import Fatal
from schemas.ops import metrics

OUTPUT = Output("partner.west", b"key", b"value")
RETRIABLE = KafkaError(KafkaError._TIMED_OUT, "slow", retriable=True)
ABORTABLE = KafkaError(KafkaError.ILLEGAL_GENERATION, "rebalanced", txn_requires_abort=True)
FENCED = KafkaError(KafkaError._FENCED, "fenced", fatal=True)
FATAL_THOUGH_RETRIABLE = KafkaError(KafkaError._TIMED_OUT, "?", fatal=True, retriable=True)
UNCLEAR = KafkaError(KafkaError._STATE, "what state?")


class Message:
    def __init__(self, topic: str) -> None:
        self._topic = topic

    def topic(self) -> str:
        return self._topic


class ScriptedProducer:
    """Stands for librdkafka: each call fails with the errors scripted for it, in turn, and then works."""

    made: list[ScriptedProducer]
    script: dict[str, list[KafkaError | Callable[[ScriptedProducer], None] | BufferError]]

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.calls: list[str] = []
        self.produced: list[tuple[str, bytes, bytes]] = []
        self.made.append(self)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if not self.script[name]:
            return
        step = self.script[name].pop(0)
        if isinstance(step, KafkaError):
            raise KafkaException(step)
        if isinstance(step, BufferError):
            raise step
        step(self)

    def init_transactions(self, _timeout: float) -> None:
        self._call("init")

    def begin_transaction(self) -> None:
        self._call("begin")

    def produce(self, topic: str, value: bytes, key: bytes, _partition: int) -> None:
        self._call("produce")
        self.produced.append((topic, value, key))

    def send_offsets_to_transaction(self, _offsets: Any, _group: Any, _timeout: float) -> None:
        self._call("offsets")

    def commit_transaction(self, _timeout: float) -> None:
        self._call("commit")

    def abort_transaction(self, _timeout: float) -> None:
        self._call("abort")

    def poll(self, _timeout: float) -> None:
        self._call("poll")

    def purge(self) -> None:
        self._call("purge")

    def fails(self, topic: str, code: int) -> None:
        """What librdkafka reports of a record that could not be written."""
        self.config["on_delivery"](KafkaError(code), Message(topic))


@pytest.fixture
def script(monkeypatch):
    ScriptedProducer.made = []
    ScriptedProducer.script = defaultdict(list)
    monkeypatch.setattr(transactions, "Producer", ScriptedProducer)
    return ScriptedProducer.script


@pytest.fixture
def producer(script) -> TransactionalProducer:
    return TransactionalProducer({}, "t.route.r.0.a", Heart(), slow_commit_s=60.0)


def now() -> ScriptedProducer:
    """The librdkafka producer in use."""
    return ScriptedProducer.made[-1]


def commit(producer: TransactionalProducer) -> None:
    producer.begin()
    producer.produce(OUTPUT)
    producer.commit([], object())


def recycled() -> int:
    return len(ScriptedProducer.made) - 1


def test_a_commit_that_works_sends_the_offsets_with_it(producer):
    before = metrics.reading("transactions_total", outcome="committed")
    commit(producer)
    assert [c for c in now().calls if c != "poll"] == ["init", "begin", "produce", "offsets", "commit"]
    assert now().produced == [("partner.west", b"value", b"key")]
    assert now().config["transactional.id"] == "t.route.r.0.a"
    assert metrics.reading("transactions_total", outcome="committed") == before + 1
    assert recycled() == 0


@pytest.mark.parametrize("call", ["offsets", "commit"])
def test_a_retriable_error_repeats_the_same_call_and_no_other(producer, script, call):
    script[call] = [RETRIABLE, RETRIABLE]
    commit(producer)
    assert now().calls.count(call) == 3
    assert now().calls.count("begin") == now().calls.count("produce") == 1
    assert recycled() == 0


@pytest.mark.parametrize("call", ["offsets", "commit"])
def test_an_error_that_asks_for_an_abort_aborts_and_says_that_it_did_not_happen(producer, script, call):
    script[call] = [ABORTABLE]
    with pytest.raises(Aborted, match="ILLEGAL_GENERATION"):
        commit(producer)
    assert now().calls[-1] == "abort"
    assert recycled() == 0
    commit(producer)


@pytest.mark.parametrize("error", [FENCED, FATAL_THOUGH_RETRIABLE, UNCLEAR])
@pytest.mark.parametrize("call", ["offsets", "commit"])
def test_any_other_error_means_nobody_knows_and_the_producer_is_made_afresh(producer, script, call, error):
    before = metrics.reading("transactions_total", outcome="indefinite")
    script[call] = [error]
    with pytest.raises(Indefinite):
        commit(producer)
    assert recycled() == 1
    assert now().calls == ["init"], "a fresh epoch settles the old transaction at the broker, before anybody asks there"
    assert metrics.reading("transactions_total", outcome="indefinite") == before + 1


def test_an_abort_that_fails_makes_the_producer_afresh_which_aborts_too(producer, script):
    script["commit"], script["abort"] = [ABORTABLE], [FENCED]
    with pytest.raises(Aborted):
        commit(producer)
    assert recycled() == 1
    commit(producer)


def test_a_transaction_that_cannot_be_opened_did_not_happen(producer, script):
    script["begin"] = [UNCLEAR]
    with pytest.raises(Aborted):
        producer.begin()
    assert recycled() == 1
    commit(producer)


def test_a_slow_commit_is_a_commit_and_its_producer_does_not_begin_again(script):
    producer = TransactionalProducer({}, "t", Heart(), slow_commit_s=0.0)
    commit(producer)
    assert recycled() == 0
    producer.begin()
    assert recycled() == 1
    assert now().calls[:2] == ["init", "begin"]


def test_a_slow_abort_s_producer_does_not_begin_again(script):
    producer = TransactionalProducer({}, "t", Heart(), slow_commit_s=0.0)
    producer.begin()
    producer.abort()
    producer.begin()
    assert recycled() == 1


@pytest.mark.parametrize("call", ["poll", "commit"])
def test_after_an_error_callback_the_producer_does_not_begin_again(producer, script, call):
    commit(producer)
    script[call] = [lambda librdkafka: librdkafka.config["error_cb"](KafkaError(KafkaError._TRANSPORT))]
    if call == "commit":
        commit(producer)
    commit(producer)
    assert recycled() == 1
    commit(producer)
    assert recycled() == 1, "once is enough"


def test_topics_that_refused_are_named_with_their_reason(producer, script):
    def both(librdkafka: ScriptedProducer) -> None:
        librdkafka.fails("partner.west", KafkaError._UNKNOWN_TOPIC)
        librdkafka.fails("partner.west", KafkaError._PURGE_QUEUE)
        librdkafka.fails("feedback.north", KafkaError.TOPIC_AUTHORIZATION_FAILED)
        librdkafka.fails("partner.south", KafkaError._PURGE_INFLIGHT)
        raise KafkaException(ABORTABLE)

    script["commit"] = [both]
    with pytest.raises(Aborted) as aborted:
        commit(producer)
    assert aborted.value.refused == {"partner.west": "missing-topic", "feedback.north": "refused"}
    script["commit"] = [ABORTABLE]
    with pytest.raises(Aborted) as aborted:
        commit(producer)
    assert aborted.value.refused == {}, "of the transaction before"


def test_a_topic_that_librdkafka_refuses_at_once_is_named_too(producer, script):
    script["produce"] = [KafkaError(KafkaError._UNKNOWN_TOPIC)]
    producer.begin()
    with pytest.raises(Aborted) as aborted:
        producer.produce(OUTPUT)
    assert aborted.value.refused == {"partner.west": "missing-topic"}


def test_an_output_too_large_is_its_record_s_fault_whoever_says_so(producer, script):
    script["produce"] = [KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)]
    producer.begin()
    with pytest.raises(Unpassable, match="5 bytes is too large"):
        producer.produce(OUTPUT)
    producer.abort()

    def refuse(librdkafka: ScriptedProducer) -> None:
        librdkafka.fails("partner.west", KafkaError.MSG_SIZE_TOO_LARGE)
        raise KafkaException(ABORTABLE)

    script["commit"] = [refuse]
    with pytest.raises(Unpassable):
        commit(producer)
    assert now().calls[-1] == "abort"


def test_a_full_queue_is_waited_for(producer, script):
    script["produce"] = [BufferError(), BufferError()]
    commit(producer)
    assert len(now().produced) == 1


def test_starting_waits_for_a_broker_that_is_away(script):
    script["init"] = [RETRIABLE, RETRIABLE]
    TransactionalProducer({}, "t", Heart(), slow_commit_s=60.0)
    assert now().calls == ["init"] * 3


def test_a_producer_that_can_never_be_had_ends_the_worker_and_is_no_fault_of_a_record(script):
    script["init"] = [KafkaError(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)]
    with pytest.raises(Fatal, match="TRANSACTIONAL_ID_AUTHORIZATION_FAILED"):
        TransactionalProducer({}, "t", Heart(), slow_commit_s=60.0)


@pytest.mark.parametrize("call", ["init", "offsets", "commit", "abort"])
def test_calls_that_can_hang_are_seen_by_the_supervisor(script, call):
    seen = []
    heart = Heart()
    script[call] = [lambda _: seen.append(heart.in_call_s() > 0)]
    producer = TransactionalProducer({}, "t", heart, slow_commit_s=60.0)
    commit(producer)
    producer.begin()
    producer.abort()
    assert seen == [True]
    assert heart.in_call_s() == 0
