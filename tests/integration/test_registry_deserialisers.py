"""Partners need no code of ours: confluent-kafka's own deserialiser, and the registry's address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from deploy.broker import EmbeddedBroker
from schemas.catalogue import catalogue
from schemas.codec import EventCodec, encode_address, encode_terms, stable_id
from schemas.errors import Rejected
from schemas.event import Classification, Contact, Control, IncidentEvent, Location, LogLine, Names, Person, Resource
from schemas.records import Disclosure
from schemas.registry_api import serve_registry
from schemas.sections import CONTROL, SECTIONS
from tests.schemas.made_up import DELIVERY_V1_OF_EVENT_V2, EVENT_V2, catalogue_of_two, event_v2

LIMIT = 256 * 1024
AT = datetime(2026, 2, 14, 19, 42, 10, 250_000, UTC)
COVERED = ("classification", "locations", "subjects")


@pytest.fixture(scope="module")
def client() -> Iterator[SchemaRegistryClient]:
    with serve_registry(0, catalogue_of_two()) as server, SchemaRegistryClient({"url": server.url}) as stock:
        yield stock


def incident(number: int) -> IncidentEvent:
    return IncidentEvent(
        origin="west-yorkshire",
        incident_id=f"WY-{number}",
        event_id=f"e-{number}",
        kind="created",
        mode="exercise",
        sent_at=AT,
        contact=Contact(desk="control room"),
        control=(Control(sequence=number, addressees=("greater-manchester",)),),
        classification=(Classification(category="public-safety/missing", flags=("high-risk",)),),
        locations=(Location(kind="last-seen", district="calderdale", as_of=AT),) * (number % 3),
        subjects=(Person(role="missing", names=Names(given="Invented", family=f"Walker {number}")),),
        narrative=(LogLine(entry_id="1", text="nobody but the origin reads this"),),
        resources=(Resource(callsign="WY21"),),
    )


def delivery(codec: EventCodec, framed: bytes, number: int, covers: tuple[str, ...] = COVERED) -> bytes:
    """A delivery as the router makes it: the frame of the pair, the terms, the cut event."""
    entry, opened = codec.open(framed, LIMIT)
    terms = Disclosure(
        delivery_id=stable_id("d", str(number)), to="greater-manchester", action="share", covers=covers, decided_at=AT
    )
    address = encode_address(terms.delivery_id, terms.to, "greater-manchester/0")
    return b"".join((codec.delivery_frame(entry), address, encode_terms(terms.to_avro()), opened.view(covers)))


def make_topics(broker: EmbeddedBroker, *names: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for made in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        made.result(10)


def produce(broker: EmbeddedBroker, transactional_id: str, records: list[tuple[str, bytes]]) -> None:
    """All records in one transaction."""
    settings = {"bootstrap.servers": broker.bootstrap, "transactional.id": transactional_id, "compression.type": "lz4"}
    producer = Producer(settings)
    producer.init_transactions(30)
    producer.begin_transaction()
    for topic, value in records:
        producer.produce(topic, value)
    producer.commit_transaction(30)


def consume(broker: EmbeddedBroker, topic: str, count: int, read: Callable[[bytes, Any], Any]) -> list[Any]:
    """Every record of a topic, each given to a deserialiser with its context, as a stock consumer does."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap,
            "group.id": topic,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        found = []
        while len(found) < count:
            messages = consumer.consume(count - len(found), 20)
            assert messages, f"{len(found)} of {count} records came"
            for message in messages:
                assert message.error() is None
                found.append(read(message.value(), SerializationContext(topic, MessageField.VALUE)))
        return found
    finally:
        consumer.close()


def test_a_partner_topic_is_read_by_the_stock_deserialiser(broker, unique, client):
    topic = f"partner.{unique}"
    make_topics(broker, topic)
    codec = EventCodec()
    events = [incident(number) for number in range(20)]
    produce(broker, unique, [(topic, delivery(codec, codec.encode(e.to_avro()), n)) for n, e in enumerate(events)])

    read = consume(broker, topic, len(events), AvroDeserializer(client))

    blank = {name: () for name in (CONTROL, *SECTIONS) if name not in COVERED}
    assert [value["event"] for value in read] == [event.model_copy(update=blank).to_avro() for event in events]
    assert [value["disclosure"]["delivery_id"] for value in read] == [stable_id("d", str(n)) for n in range(20)]
    assert {tuple(value["disclosure"]["covers"]) for value in read} == {COVERED}
    assert "nobody but the origin" not in str(read)


def test_an_events_topic_is_read_by_the_stock_deserialiser_without_knowing_of_sized_blocks(broker, unique, client):
    topic = f"incidents.{unique}"
    make_topics(broker, topic)
    codec = EventCodec()
    events = [incident(number) for number in range(5)]
    produce(broker, unique, [(topic, codec.encode(event.to_avro())) for event in events])

    assert consume(broker, topic, 5, AvroDeserializer(client)) == [event.to_avro() for event in events]


@pytest.fixture
def two_versions(broker: EmbeddedBroker, unique: str) -> tuple[str, str, list[dict[str, Any]]]:
    """Events of both versions and their deliveries, turn and turn about, in one transaction; the events as written."""
    incidents, partner = f"incidents.{unique}", f"partner.{unique}"
    make_topics(broker, incidents, partner)
    codec = EventCodec(catalogue_of_two())
    values, records = [], []
    for number in range(6):
        value = incident(number).to_avro()
        version = 1 + number % 2
        if version == 2:
            value |= {"urgency": "now", "exhibits": [{"exhibit_ref": f"X{number}", "seals": ["s1", "s2"]}]}
        framed = codec.encode(value, version)
        records += [(incidents, framed), (partner, delivery(codec, framed, number, (*COVERED, "exhibits")))]
        values.append(value)
    produce(broker, unique, records)
    return incidents, partner, values


def test_two_versions_in_one_transaction_are_read_by_who_knows_both(broker, client, two_versions):
    incidents, partner, written = two_versions
    as_v2 = [{"urgency": None, "exhibits": [], **value} for value in written]

    with_reader_schema = AvroDeserializer(client, json.dumps(event_v2()))
    assert consume(broker, incidents, 6, with_reader_schema) == as_v2
    assert consume(broker, incidents, 6, AvroDeserializer(client)) == written  # each as its own version
    newest = json.dumps(catalogue_of_two().current("Delivery").schema)
    delivered = consume(broker, partner, 6, AvroDeserializer(client, newest))
    assert [(v["event"]["urgency"], v["event"]["exhibits"]) for v in delivered] == [
        (v["urgency"], v["exhibits"]) for v in as_v2
    ]


def test_two_versions_in_one_transaction_are_read_by_who_knows_only_the_first(broker, client, two_versions):
    incidents, partner, written = two_versions
    as_v1 = [{name: v for name, v in value.items() if name not in ("urgency", "exhibits")} for value in written]

    first_only = AvroDeserializer(client, json.dumps(catalogue().current("IncidentEvent").schema))
    assert consume(broker, incidents, 6, first_only) == as_v1
    first_delivery = AvroDeserializer(client, json.dumps(catalogue().current("Delivery").schema))
    delivered = [value["event"] for value in consume(broker, partner, 6, first_delivery)]
    blank: dict[str, Any] = {name: [] for name in (CONTROL, *SECTIONS) if name not in COVERED}
    assert delivered == [{**value, **blank} for value in as_v1]


def test_a_delivery_says_in_which_version_its_event_came(broker, two_versions):
    _, partner, _ = two_versions
    ids = consume(broker, partner, 6, lambda value, _: int.from_bytes(value[1:5]))

    assert set(ids[::2]) == {catalogue().current("Delivery").schema_id}
    assert set(ids[1::2]) == {DELIVERY_V1_OF_EVENT_V2}


def test_a_router_that_does_not_know_the_second_version_says_so(client):
    framed = EventCodec(catalogue_of_two()).encode(incident(1).to_avro(), 2)

    assert int.from_bytes(framed[1:5]) == EVENT_V2
    with pytest.raises(Rejected) as refused:
        EventCodec().open(framed, LIMIT)
    assert refused.value.reason == "unknown-schema"
