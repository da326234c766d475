"""An exchange of one test's own on the shared broker, and the means to watch it from outside."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from deploy.broker import EmbeddedBroker
from deploy.provision import provision
from routing.effects import Policy
from routing.heart import Heart
from routing.loop import Loop
from routing.session import Session
from routing.settings import RouterSettings
from schemas.exchange import Exchange, Limits, Member
from schemas.kafka import ClientSettings
from schemas.topics import topic_specs
from tests.routing.scene import a_bundle, control, event_bytes, small, stock, usual_rules

PATIENCE_S = 120.0
SETTINGS = RouterSettings(session_timeout_ms=6_000, topic_check_s=0.2)


def wait_for(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain: {what}"
        time.sleep(0.01)


class Scene:
    """Two forces and a partner, with topics, events and eyes of their own."""

    def __init__(
        self, broker: EmbeddedBroker, prefix: str, *, partitions: int = 2, without: Iterable[str] = (), **limits: int
    ) -> None:
        self.north, self.south, self.west = (f"{prefix}-{name}" for name in ("n", "s", "w"))
        members = {name: Member(name=name, publishes=True, receives=True) for name in (self.north, self.south)}
        members[self.west] = Member(name=self.west, receives=True)
        self.exchange = Exchange(exchange=prefix, partitions=partitions, members=members, limits=Limits(**limits))
        self.clients = ClientSettings(broker.bootstrap)
        self.bundle = a_bundle(self.exchange, *usual_rules(self.exchange))
        self.policy = Policy(self.bundle, self.exchange)
        self.admin = AdminClient(self.clients.config())
        provision(self.clients, self.exchange)
        self.delete(*without)
        self._producer = Producer(self.clients.producer_config(self.exchange.limits, **{"linger.ms": 2}))
        self._ends: dict[tuple[str, int], int] = {}
        self._sent: dict[str, int] = defaultdict(int)
        self._sequences: dict[tuple[str, str], int] = defaultdict(int)
        self._folder = TemporaryDirectory(prefix="routing-", ignore_cleanup_errors=True)
        self._machines = count(1)
        self._group = Consumer(self.clients.consumer_config(f"{prefix}.route"))

    def publish(self, origin: str, incidents: Iterable[str], *, flush: bool = True, **changes: Any) -> list[str]:
        """One event for each incident named, in this order; event ids count up for each origin, sequences for each
        incident."""
        made = []
        for incident in incidents:
            self._sent[origin] += 1
            made.append(event := f"e-{self._sent[origin]:06d}")
            self._sequences[origin, incident] += 1
            numbered = {"control": control(sequence=self._sequences[origin, incident])} | changes
            self.send(f"incidents.{origin}", incident, event_bytes(origin, incident, event, **small(**numbered)))
        if flush:
            self.flush()
        return made

    def send(self, topic: str, key: str, value: bytes, partition: int = -1) -> None:
        """Any bytes on any topic."""
        while True:
            try:
                self._producer.produce(topic, value, key.encode(), partition, on_delivery=self._note)
            except BufferError:
                self._producer.poll(0.05)
            else:
                return

    def flush(self) -> None:
        assert self._producer.flush(PATIENCE_S) == 0

    def poll(self) -> None:
        self._producer.poll(0)

    def _note(self, error: KafkaError | None, message: Any) -> None:
        assert error is None, error
        self._ends[message.topic(), message.partition()] = message.offset() + 1

    def lag(self, *topics: str) -> int:
        """How many published records the group has not yet committed."""
        ends = {place: end for place, end in self._ends.items() if not topics or place[0] in topics}
        if not ends:
            return 0
        try:
            committed = self._group.committed([TopicPartition(*place) for place in ends], PATIENCE_S)
        except KafkaException as error:
            # The coordinator of a group that is new may still be loading.
            if error.args[0].code() not in (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS):
                raise
            return sum(ends.values())
        return sum(ends[at.topic, at.partition] - max(at.offset, 0) for at in committed)

    def delete(self, *topics: str) -> None:
        for name, done in self.admin.delete_topics(list(topics)).items() if topics else ():
            done.result(PATIENCE_S)
            wait_for(lambda name=name: name not in self.admin.list_topics(timeout=10).topics, "topic deleted")

    def create(self, topic: str) -> None:
        spec = next(spec for spec in topic_specs(self.exchange) if spec.name == topic)
        new = NewTopic(spec.name, spec.partitions, spec.replication, config=dict(spec.config))
        self.admin.create_topics([new])[topic].result(PATIENCE_S)

    @contextmanager
    def worker(self, slot: int = 0, *, policy: Policy | None = None, **options: Any) -> Iterator[Worker]:
        """A worker of this process, turned by hand; `settings` and what `Loop` takes are options.

        Each is as on a machine of its own: it finds no copy of what another remembers, unless `machine` names one.
        """
        settings = self.on_machine(options.pop("settings", SETTINGS), options.pop("machine", None))
        session = Session(self.exchange, settings, slot, self.clients, Heart(), options.pop("clock", None))
        worker = Worker(
            session,
            Loop(session, self.exchange, policy or self.policy, topic_check_s=settings.topic_check_s, **options),
            self,
        )
        try:
            yield worker
        finally:
            worker.loop.close()
            session.close()

    def on_machine(self, settings: RouterSettings, name: str | None = None) -> RouterSettings:
        """The settings of a router on a machine of that name, or on a new one."""
        folder = Path(self._folder.name) / (name or f"machine-{next(self._machines)}")
        return settings.model_copy(update={"state_folder": folder})

    def read(self, topic: str, *, committed: bool = True) -> list[Any]:
        """Every message of a topic from its first to its last, in the order of each partition."""
        level = "read_committed" if committed else "read_uncommitted"
        config = self.clients.consumer_config(f"{topic}.eyes", **{"isolation.level": level})
        reader = Consumer({**config, "enable.partition.eof": True})
        partitions = reader.list_topics(topic, PATIENCE_S).topics[topic].partitions
        reader.assign([TopicPartition(topic, number, 0) for number in partitions])
        found, open_ends = [], set(partitions)
        try:
            while open_ends:
                message = reader.poll(PATIENCE_S)
                assert message is not None, f"{topic} does not end"
                if (error := message.error()) is None:
                    found.append(message)
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    open_ends.discard(message.partition())
        finally:
            reader.close()
        return found

    def records(self, family: str, member: str) -> list[dict[str, Any]]:
        """What stands on a member's topic, decoded by plain fastavro."""
        return [stock(message.value()) for message in self.read(f"{family}.{member}")]

    def delivered(self, recipient: str) -> dict[str, list[str]]:
        """Event ids by incident, in the order in which the recipient reads them."""
        found: dict[str, list[str]] = defaultdict(list)
        for delivery in self.records("partner", recipient):
            found[delivery["event"]["incident_id"]].append(delivery["event"]["event_id"])
        return dict(found)

    def check_numbers(self, recipient: str) -> None:
        """Whoever reads committed records counts its deliveries of each incident, and of each stream, without a gap."""
        numbers: dict[str, list[int]] = defaultdict(list)
        streams: dict[str, list[int]] = defaultdict(list)
        for delivery in self.records("partner", recipient):
            terms = delivery["disclosure"]
            numbers[delivery["event"]["origin"] + "/" + delivery["event"]["incident_id"]].append(terms["number"])
            streams[terms["stream"]].append(terms["stream_sequence"])
        for counted in (*numbers.values(), *streams.values()):
            assert counted == list(range(1, len(counted) + 1))

    def close(self) -> None:
        self._group.close()
        self._folder.cleanup()
        # Topics of finished tests would slow down the listing of topics for all others.
        self.admin.delete_topics([spec.name for spec in topic_specs(self.exchange) if spec.family != "policy"])


class Worker:
    """A session and its loop."""

    def __init__(self, session: Session, loop: Loop, scene: Scene) -> None:
        self.session = session
        self.loop = loop
        self._scene = scene

    def turn_until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"turned {PATIENCE_S} s in vain: {what}"
            self.loop.turn(0.02)

    def join(self) -> None:
        self.turn_until(lambda: self.session.is_ready, "partitions assigned, and what is remembered of them read")

    def drain(self, *topics: str) -> None:
        """Route everything that was published, and see how the last commit ended."""
        self._scene.flush()
        self.turn_until(lambda: self.session.intake.idle and not self._scene.lag(*topics), "everything routed")
        # Others see a commit before the worker does whose it is.
        self.loop.turn(0.0)

    def fetch(self, records: int) -> None:
        """Fetch without routing, until that many wait."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.session.intake) < records or not self.session.is_ready:
            assert time.monotonic() < deadline, f"fetched {len(self.session.intake)} of {records} in {PATIENCE_S} s"
            self.session.fetch(0.02)
