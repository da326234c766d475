"""Claims about the publisher against a link that fails as we please; tests/integration has the same on real Kafka."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from confluent_kafka import KafkaError, KafkaException

from producers.publisher import ALARM_AFTER_S, Publisher
from producers.setaside import listed, resubmit
from producers.sources.synthetic import SyntheticSource
from producers.spool import Spool
from schemas.errors import Unavailable
from schemas.ops import metrics
from schemas.ops.health import Health

TRANSPORT = KafkaError(KafkaError._TRANSPORT)
TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
NO_TOPIC = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
NOT_ALLOWED = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)


class Kafka:
    """A cluster in memory. ``verdict`` says of each poll's messages what becomes of them: None is taken."""

    def __init__(self) -> None:
        self.log: list[tuple[str, bytes]] = []
        self.links = self.probes = 0
        self.verdict: Callable[[list[bytes]], KafkaError | None] | None = lambda _: None

    def connect(self, _on_error: Callable[[KafkaError], None]) -> FakeLink:
        self.links += 1
        return FakeLink(self)


class FakeLink:
    """A producer that reports on poll, all that it holds at once, as one batch."""

    def __init__(self, kafka: Kafka) -> None:
        self.kafka = kafka
        self.held: list[tuple[bytes, bytes, Callable]] = []

    def produce(self, topic, value, key, *, on_delivery):
        assert topic == "incidents.kent"
        self.held.append((key, value, on_delivery))

    def poll(self, _timeout):
        if self.kafka.verdict is None or not self.held:
            return 0
        error = self.kafka.verdict([value for _, value, _ in self.held])
        held, self.held = self.held, []
        for key, value, report in held:
            if error is None:
                self.kafka.log.append((key.decode(), value))
            report(error, None)
        return len(held)

    def list_topics(self, topic, timeout):
        self.kafka.probes += 1
        if self.kafka.verdict is None:
            raise KafkaException(TRANSPORT)

    def purge(self, in_queue, in_flight, blocking):
        purged, self.held = self.held, []
        for _, _, report in purged:
            report(KafkaError(KafkaError._PURGE_QUEUE), None)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


class Scene:
    """A spool with events of a synthetic room, and a publisher to the fake cluster."""

    def __init__(self, spool: Spool) -> None:
        self.spool, self.kafka, self.health, self.clock = spool, Kafka(), Health(), Clock()
        self.room = SyntheticSource("kent", 9)
        self.room.resume(None)
        self.publisher = self.another()

    def another(self) -> Publisher:
        return Publisher(self.spool, "incidents.kent", self.kafka.connect, health=self.health, clock=self.clock)

    def capture(self, events: int) -> None:
        now = datetime.now(UTC)
        made = [(record, self.room.draft(record, now)) for record in self.room.read(events)]
        self.publisher.add(self.spool.capture(self.room.name, made, now).waiting)

    def turns(self, count: int = 20) -> None:
        for _ in range(count):
            self.clock.now += 0.5
            self.publisher.turn()

    def expected(self) -> list[tuple[str, bytes]]:
        rows = [waiting.row for waiting in self.spool.waiting()]
        return [(outgoing.incident_id, outgoing.framed) for outgoing in self.spool.outgoing(rows)]


@pytest.fixture
def scene(tmp_path):
    with Spool(tmp_path / "spool", origin="kent", system="synthetic") as spool:
        yield Scene(spool)


def in_order(log: list[tuple[str, bytes]], expected: list[tuple[str, bytes]]) -> bool:
    """Whether each incident's events stand in the log as they were captured, and all of them."""
    return all(
        [value for key, value in log if key == incident] == [value for key, value in expected if key == incident]
        for incident in {key for key, _ in expected}
    ) and len(log) == len(expected)


def test_everything_is_sent_once_in_order_with_the_incident_as_key(scene):
    scene.capture(300)
    expected = scene.expected()
    scene.turns()
    assert in_order(scene.kafka.log, expected)
    assert scene.publisher.unfinished == 0
    assert scene.spool.waiting() == []
    assert scene.publisher.acknowledged == 300


def test_after_a_failed_report_another_producer_starts_at_the_oldest_unacknowledged(scene):
    scene.capture(50)
    expected = scene.expected()
    verdicts = iter([TRANSPORT, TRANSPORT])
    scene.kafka.verdict = lambda _: next(verdicts, None)
    scene.turns()
    assert scene.kafka.links == 3
    assert in_order(scene.kafka.log, expected)


def test_while_kafka_is_silent_events_wait_and_the_process_says_so(scene):
    scene.kafka.verdict = None
    scene.capture(20)
    scene.turns(2)
    assert "publisher" not in scene.health.reasons()
    scene.clock.now += ALARM_AFTER_S
    scene.turns(2)
    assert "acknowledged nothing" in scene.health.reasons()["publisher"]
    scene.capture(20)
    scene.kafka.verdict = lambda _: None
    scene.turns()
    assert "publisher" not in scene.health.reasons()
    assert scene.publisher.unfinished == 0


@pytest.mark.parametrize("error", [NO_TOPIC, NOT_ALLOWED, TRANSPORT], ids=lambda error: error.name())
def test_what_an_operator_can_mend_is_waited_for_with_an_alarm_and_nothing_is_set_aside(scene, error):
    scene.kafka.verdict = lambda _: error
    scene.capture(10)
    scene.turns()
    assert error.name() in scene.health.reasons()["publisher"]
    assert listed(scene.spool) == []
    assert scene.publisher.unfinished == 10
    links = scene.kafka.links
    scene.clock.now += 60
    scene.kafka.verdict = lambda _: None
    scene.turns()
    assert scene.kafka.links == links + 1
    assert scene.publisher.unfinished == 0


def test_it_waits_longer_between_attempts_that_fail(scene):
    scene.kafka.verdict = lambda _: TRANSPORT
    scene.capture(1)
    began = scene.clock.now
    while scene.clock.now < began + 60:
        scene.publisher.turn()
    assert 10 < scene.kafka.links < 25


def test_only_the_event_that_is_refused_alone_is_set_aside(scene):
    scene.capture(60)
    expected = scene.expected()
    culprit = expected[23][1]
    scene.kafka.verdict = lambda batch: TOO_LARGE if culprit in batch else None
    scene.turns(200)
    assert scene.publisher.refused == 1
    assert in_order(scene.kafka.log, [each for each in expected if each[1] != culprit])
    (aside,) = listed(scene.spool)
    assert aside.reason == "refused-by-kafka"
    assert scene.publisher.unfinished == 0


def test_an_event_refused_at_once_by_the_client_is_set_aside_too(scene):
    scene.capture(5)
    culprit = scene.expected()[2][1]
    produce = FakeLink.produce

    def picky(link, topic, value, key, *, on_delivery):
        if value == culprit:
            raise KafkaException(TOO_LARGE)
        produce(link, topic, value, key, on_delivery=on_delivery)

    scene.kafka.connect = lambda on_error: _with(FakeLink(scene.kafka), picky)
    scene.publisher = scene.another()
    scene.turns(50)
    assert (scene.publisher.refused, scene.publisher.acknowledged) == (1, 4)


def _with(link, produce):
    link.produce = lambda *args, **named: produce(link, *args, **named)
    return link


def test_a_fatal_error_of_the_client_ends_it_and_another_goes_on(scene):
    heard: list[Callable[[KafkaError], None]] = []
    connect = scene.kafka.connect

    def listening(on_error):
        heard.append(on_error)
        return connect(on_error)

    scene.kafka.connect = listening
    scene.publisher = scene.another()
    scene.kafka.verdict = None
    scene.capture(10)
    scene.turns(1)
    heard[0](KafkaError(KafkaError._FATAL, "fatal", fatal=True))
    scene.turns(1)  # what the discarded one still held is reported as purged: nobody's failure
    scene.kafka.verdict = lambda _: None
    scene.turns()
    assert len(heard) == 2
    assert scene.publisher.unfinished == 0


def test_a_spool_that_cannot_be_written_loses_no_acknowledgement(scene, monkeypatch):
    scene.capture(10)
    real = scene.spool.acknowledge

    def full(*_):
        raise Unavailable("the spool cannot be written now")

    monkeypatch.setattr(scene.spool, "acknowledge", full)
    with pytest.raises(Unavailable):
        scene.turns()
    assert scene.publisher.unfinished == 10
    monkeypatch.setattr(scene.spool, "acknowledge", real)
    scene.turns()
    assert (scene.publisher.unfinished, len(scene.kafka.log)) == (0, 10)


def test_an_idle_publisher_notices_that_kafka_is_away_and_that_it_is_back(scene):
    scene.turns()
    assert "kafka" not in scene.health.reasons()
    scene.kafka.verdict = None
    scene.turns(30)
    assert "Kafka does not answer" in scene.health.reasons()["kafka"]
    assert metrics.reading("component_ready", component="kafka") == 0
    scene.kafka.verdict = lambda _: None
    scene.turns(12)
    assert "kafka" not in scene.health.reasons()
    assert metrics.reading("component_ready", component="kafka") == 1


def test_a_busy_publisher_asks_nothing_beside_its_events(scene):
    for _ in range(100):
        scene.capture(1)
        scene.turns(1)
    assert scene.kafka.probes == 0


def test_what_an_earlier_process_left_is_sent_by_the_next(scene):
    scene.kafka.verdict = None
    scene.capture(10)
    scene.turns(3)
    scene.publisher.close()
    scene.kafka.verdict = lambda _: None
    scene.publisher = scene.another()
    assert scene.publisher.unfinished == 10
    scene.turns()
    assert len(scene.kafka.log) == 10


def test_what_another_process_spools_is_found_and_sent(scene):
    now = datetime.now(UTC)
    with Spool.existing(scene.spool.file.path) as beside:
        made = [(record, scene.room.draft(record, now)) for record in scene.room.read(3)]
        beside.capture("beside", made, now)
    scene.turns()
    assert len(scene.kafka.log) == 3


def test_nothing_can_be_resubmitted_from_a_synthetic_room(scene):
    with pytest.raises(Exception, match="come from no record"):
        resubmit(scene.spool, "0" * 32, scene.room.draft, datetime.now(UTC))


def test_the_age_of_the_oldest_event_is_known(scene):
    assert scene.publisher.oldest_ms() is None
    scene.kafka.verdict = None
    before = datetime.now(UTC).timestamp()
    scene.capture(3)
    scene.turns(2)
    assert before * 1000 - 1 <= scene.publisher.oldest_ms() <= datetime.now(UTC).timestamp() * 1000
