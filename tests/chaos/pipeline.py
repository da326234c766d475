"""The whole path in one process, with topics that are lists: control room → route → databases → receipts → ledger.

The parts are the real ones, only Kafka is not there. Between any two stages a bug can be planted on the topics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from consumers.delivery import Record as Received
from consumers.delivery import delivery_opener, open_batch
from consumers.ledger import LedgerSink, ledger_opener
from consumers.receipts import router_partition
from consumers.sinks.sql import SqlSink
from producers.sources.synthetic import synthetic_events
from routing.effects import Known, Policy, Record
from routing.route import route
from routing.state.incident import Incident
from schemas.codec import EventCodec
from schemas.partitioner import partition_of
from schemas.topics import disclosures_topic, feedback_topic, incidents_topic, partner_topic, receipts_topic
from tests.chaos.checker import World
from tests.chaos.exchange import PARTITIONS, Parties
from tests.chaos.topics import Published, Sent

NOW = datetime(2026, 3, 6, 21, 0, tzinfo=UTC)
MOST_BYTES = 512 * 1024
BATCH = 40
CODEC = EventCodec()

Stage = Literal["published", "routed", "receipted"]
"""What has just been done when a bug is planted."""
Bug = Callable[["Topics"], None]


@dataclass(frozen=True)
class Message:
    """One record on a topic."""

    key: bytes
    value: bytes
    partition: int = 0


@dataclass
class Topics:
    """Every topic as a list; offsets are places in it."""

    by_name: dict[str, list[Message]] = field(default_factory=dict)

    def of(self, topic: str) -> list[Message]:
        """The records of a topic, to read and to spoil."""
        return self.by_name.setdefault(topic, [])


@dataclass(frozen=True)
class Pipeline:
    """One run of everything."""

    parties: Parties
    seed: int
    incidents: int
    bugs: Mapping[Stage, Bug] = field(default_factory=dict)
    sink: type[SqlSink] = SqlSink

    def run(self) -> World:
        """Run everything to its end."""
        exchange, bundle = self.parties.write()
        policy = Policy(bundle, exchange)
        topics = Topics()
        told = {origin: list(synthetic_events(origin, self.seed, self.incidents)) for origin in self.parties.origins}
        for origin, events in told.items():
            for event in events:
                key = event.incident_id.encode()
                value = CODEC.encode(event.to_avro())
                topics.of(incidents_topic(origin)).append(Message(key, value, partition_of(key, PARTITIONS)))
        self._plant("published", topics)
        _route(topics, [incidents_topic(origin) for origin in told], policy)
        self._plant("routed", topics)
        receiving = {member: self.parties.folder / f"{member}.db" for member in self.parties.recipients}
        for member, path in receiving.items():
            sink = self.sink(path, member)
            _receive(topics, member, sink)
            sink.close()
        _route(topics, [receipts_topic(member) for member in receiving], policy)
        self._plant("receipted", topics)
        ledgers = {origin: self.parties.folder / f"{origin}-ledger.db" for origin in told}
        for origin, path in ledgers.items():
            ledger = LedgerSink(path, origin)
            _keep(topics, origin, ledger)
            ledger.close()
        published = {
            origin: [
                Published.of(message.partition, offset, message.key, message.value)
                for offset, message in enumerate(topics.of(incidents_topic(origin)))
            ]
            for origin in told
        }
        sent = {
            member: [Sent.of(message.value) for message in topics.of(partner_topic(member))] for member in receiving
        }
        return World(exchange, bundle, NOW, told, published, sent, receiving, ledgers)

    def _plant(self, stage: Stage, topics: Topics) -> None:
        if bug := self.bugs.get(stage):
            bug(topics)


def _route(topics: Topics, inputs: list[str], policy: Policy) -> None:
    known: dict[tuple[str, bytes], Incident] = {}
    streams: dict[int, dict[str, int]] = {}
    for topic in inputs:
        for offset, message in enumerate(topics.of(topic)):
            at = streams.setdefault(message.partition, {})
            before = Known(known.get((topic, message.key)), lambda member, at=at: at.get(member, 0))
            record = Record(topic, message.partition, offset, message.key, message.value)
            effects = route(record, policy, NOW, known=before)
            at.update(effects.streams)
            if effects.incident is not None:
                known[topic, message.key] = effects.incident
            for output in effects.outputs:
                topics.of(output.topic).append(Message(output.key, output.value))


def _receive(topics: Topics, member: str, sink: SqlSink) -> None:
    opener = delivery_opener(MOST_BYTES)
    for batch in _batches(topics, partner_topic(member)):
        sink.write(open_batch(batch, opener))
        waiting = sink.unsent_receipts(0, BATCH)
        for receipt in waiting:
            message = Message(receipt.stream.encode(), receipt.value, router_partition(receipt.stream))
            topics.of(receipts_topic(member)).append(message)
        sink.forget_receipts([receipt.receipt_number for receipt in waiting])


def _keep(topics: Topics, origin: str, ledger: LedgerSink) -> None:
    opener = ledger_opener(MOST_BYTES)
    for topic in (disclosures_topic(origin), feedback_topic(origin)):
        for batch in _batches(topics, topic):
            ledger.write(open_batch(batch, opener))


def _batches(topics: Topics, topic: str) -> Iterator[list[Received]]:
    records = [Received(topic, 0, offset, 0, message.value) for offset, message in enumerate(topics.of(topic))]
    for start in range(0, len(records), BATCH):
        yield records[start : start + BATCH]
