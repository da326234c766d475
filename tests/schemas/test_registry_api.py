"""The read-only registry answers stock clients as a Confluent Schema Registry does, and takes nothing."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from schemas.catalogue import catalogue
from schemas.errors import Fatal
from schemas.ops.serving import Serving
from schemas.registry_answers import RegistryAnswers
from schemas.registry_api import serve_registry
from tests.schemas.made_up import DELIVERY_V1_OF_EVENT_V2, EVENT_V2, catalogue_of_two

TOPICS = ("incidents.west-yorkshire", "partner.greater-manchester", "policy")
EVENT = catalogue().current("IncidentEvent")
DELIVERY = catalogue().current("Delivery")


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serve_registry(0, catalogue(), TOPICS) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Serving) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": server.url, "max.retries": 0}) as stock:
        yield stock


def ask(server: Serving, method: str, path: str, body: Any = None) -> tuple[int, Any, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers
    finally:
        connection.close()


def refusal(act: Any, *arguments: Any, **more: Any) -> tuple[int, int]:
    with pytest.raises(SchemaRegistryError) as refused:
        act(*arguments, **more)
    return refused.value.http_status_code, refused.value.error_code


def test_every_id_of_the_catalogue_is_its_schema(client):
    for entry in catalogue().entries:
        assert json.loads(client.get_schema(entry.schema_id).schema_str) == entry.schema


def test_a_topic_has_the_schemas_of_its_family_as_versions(client):
    latest = client.get_latest_version("partner.greater-manchester-value")

    assert client.get_versions("partner.greater-manchester-value") == [1]
    assert (latest.schema_id, latest.version) == (DELIVERY.schema_id, 1)
    assert json.loads(latest.schema.schema_str) == DELIVERY.schema
    assert client.get_version("partner.greater-manchester-value", 1).schema_id == DELIVERY.schema_id


@pytest.mark.parametrize(
    ("topic", "record"),
    [
        ("incidents.any-force", "IncidentEvent"),
        ("partner.any-member", "Delivery"),
        ("receipts.any-member", "Receipt"),
        ("feedback.any-force", "Feedback"),
        ("disclosures.any-force", "DisclosureRecord"),
        ("quarantine.any-member", "Quarantined"),
    ],
)
def test_a_topic_that_nobody_named_has_its_subject_all_the_same(client, topic, record):
    assert client.get_latest_version(f"{topic}-value").schema_id == catalogue().current(record).schema_id


def test_subjects_are_the_topics_named_and_the_records(client):
    topics = ["incidents.west-yorkshire-value", "partner.greater-manchester-value"]

    assert set(topics) < set(client.get_subjects())
    assert client.get_subjects(subject_prefix="partner.") == topics[1:]
    assert "policy-value" not in client.get_subjects()


def test_a_record_is_found_by_its_full_name(client):
    assert client.get_latest_version("huecry.delivery.Delivery").schema_id == DELIVERY.schema_id


def test_an_id_says_where_it_is_used(client):
    assert client.get_subjects_by_schema_id(EVENT.schema_id) == [
        "huecry.event.IncidentEvent",
        "incidents.west-yorkshire-value",
    ]
    assert [(found.subject, found.version) for found in client.get_schema_versions(EVENT.schema_id)] == [
        ("huecry.event.IncidentEvent", 1),
        ("incidents.west-yorkshire-value", 1),
    ]


def test_what_it_holds_to_and_that_it_is_read_only_can_be_asked(client, server):
    assert client.get_compatibility() == "FULL_TRANSITIVE"
    assert client.get_compatibility("incidents.west-yorkshire-value") == "FULL_TRANSITIVE"
    assert client.get_global_mode() == "READONLY"
    assert client.get_schema_types() == ["AVRO"]
    assert client.get_contexts() == ["."]
    assert client.get_referenced_by("incidents.west-yorkshire-value", 1) == []
    assert ask(server, "GET", "/")[:2] == (200, {})
    assert ask(server, "GET", f"/schemas/ids/{EVENT.schema_id}/schema")[1] == EVENT.schema
    assert ask(server, "GET", "/subjects/incidents.a-value/versions/latest/schema")[1] == EVENT.schema


def test_a_schema_is_looked_up_by_its_text(client):
    found = client.lookup_schema("partner.a-value", Schema(json.dumps(DELIVERY.schema), "AVRO"))

    assert (found.schema_id, found.version) == (DELIVERY.schema_id, 1)


def test_what_is_not_there_has_the_registrys_own_error_codes(client):
    other = Schema(json.dumps(EVENT.schema), "AVRO")

    assert refusal(client.get_versions, "nobody.knows-value") == (404, 40401)
    assert refusal(client.get_versions, "incidents.-value") == (404, 40401)
    assert refusal(client.get_versions, "incidents.west-yorkshire-key") == (404, 40401)
    assert refusal(client.get_versions, "policy-value") == (404, 40401)
    assert refusal(client.get_version, "partner.a-value", 2) == (404, 40402)
    assert refusal(client.get_version, "partner.a-value", 0) == (422, 42202)
    assert refusal(client.get_version, "partner.a-value", "newest") == (422, 42202)
    assert refusal(client.get_schema, 1) == (404, 40403)
    assert refusal(client.get_schema, 10**30) == (404, 40403)
    assert refusal(client.lookup_schema, "partner.a-value", other) == (404, 40403)
    assert refusal(client.lookup_schema, "partner.a-value", Schema("{", "AVRO")) == (422, 42201)
    assert refusal(client.lookup_schema, "nobody.knows-value", other) == (404, 40401)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/subjects/incidents.west-yorkshire-value/versions"),
        ("DELETE", "/subjects/incidents.west-yorkshire-value"),
        ("DELETE", "/subjects/incidents.west-yorkshire-value/versions/1"),
        ("PUT", "/config"),
        ("PUT", "/mode"),
        ("PATCH", "/subjects"),
        ("POST", "/compatibility/subjects/incidents.west-yorkshire-value/versions/latest"),
    ],
)
def test_nothing_can_be_written(server, method, path):
    status, body, headers = ask(server, method, path, {"schema": "{}"})

    assert (status, body["error_code"]) == (405, 405)
    assert "read-only" in body["message"]
    assert headers["Allow"] == "GET"


def test_a_client_that_registers_by_default_is_told_what_to_set(client):
    with pytest.raises(SchemaRegistryError, match=r"auto\.register\.schemas=false"):
        client.register_schema("incidents.a-value", Schema(json.dumps(EVENT.schema), "AVRO"))


@pytest.mark.parametrize("path", ["/schemas/ids/1", "/subjects", "/no/such/path"])
def test_every_answer_is_json_of_the_registrys_own_type(server, path):
    assert ask(server, "GET", path)[2]["Content-Type"] == "application/vnd.schemaregistry.v1+json"


def test_one_connection_carries_many_requests(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for _ in range(3):
        connection.request("GET", "/subjects")
        assert connection.getresponse().read()
    connection.close()


def test_a_request_without_measure_is_refused_unread(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", "/subjects/incidents.a-value")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("target", ["", "/", "//[", "/%", "/subjects/%ff%00-value/versions", "/schemas/ids/٣", "/?a=%"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_any_target_has_an_answer(method, target):
    assert 200 <= RegistryAnswers(catalogue()).answer(method, target, b"\xff").status < 500


def test_two_versions_are_listed_oldest_first_and_the_latest_is_the_newer():
    with (
        serve_registry(0, catalogue_of_two(), TOPICS) as server,
        SchemaRegistryClient({"url": server.url, "max.retries": 0}) as client,
    ):
        assert client.get_versions("incidents.a-value") == [1, 2]
        assert client.get_latest_version("incidents.a-value").schema_id == EVENT_V2
        assert client.get_latest_version("partner.a-value").schema_id == DELIVERY_V1_OF_EVENT_V2
        assert client.get_version("partner.a-value", 1).schema_id == DELIVERY.schema_id


def test_what_the_stock_serialiser_writes_the_stock_deserialiser_reads_and_so_do_we(client):
    from schemas.codec import decode

    conf = {"auto.register.schemas": False, "use.latest.version": True}
    context = SerializationContext("receipts.greater-manchester", MessageField.VALUE)
    value = {"member": "greater-manchester", "kind": "DELIVERED", "sent_at": 0, "entries": []}
    framed = AvroSerializer(client, conf=conf)(value, context)

    assert AvroDeserializer(client)(framed, context) == decode("Receipt", framed, 1000)


def test_the_stock_serialiser_finds_its_own_schema_registered(client):
    context = SerializationContext("receipts.greater-manchester", MessageField.VALUE)
    schema = json.dumps(catalogue().current("Receipt").schema)
    value = {"member": "greater-manchester", "sent_at": 0}
    framed = AvroSerializer(client, schema, conf={"auto.register.schemas": False})(value, context)

    assert int.from_bytes(framed[1:5]) == catalogue().current("Receipt").schema_id


def test_a_port_in_use_is_said_to_be(server):
    with pytest.raises(Fatal, match="--port"):
        serve_registry(server.port, catalogue())
