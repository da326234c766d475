"""On a real broker: whoever is told places coarsely reads cells with an ordinary deserialiser, and nothing finer."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from routing.agreements.model import Area, Condition
from routing.effects import Policy
from routing.geography.shapes import as_geometry
from schemas.catalogue import catalogue
from schemas.registry_api import serve_registry
from schemas.topics import partner_topic
from tests.integration.routing_scene import Scene
from tests.routing.scene import a_bundle, a_share

HERE = {"latitude": 53.641234, "longitude": -1.789876}
ADDRESS = {"kind": "incident", "point": HERE, "address": "14 Made Up Row", "postcode": "HD1 9ZZ"}
AREA = as_geometry([[[(-2.0, 53.5), (-1.5, 53.5), (-1.5, 53.8), (-2.0, 53.8), (-2.0, 53.5)]]])


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique, partitions=1)
    yield made
    made.close()


def test_an_event_in_an_area_is_delivered_in_cells_to_one_and_exactly_to_another(scene: Scene):
    within = Condition("area", ("valley",))
    coarse: Any = replace(a_share("coarse", [scene.south], ["locations", "suspects"], within), locate="1km")
    exact = a_share("exact", [scene.west], ["locations"], within)
    bundle = replace(a_bundle(scene.exchange, coarse, exact), areas=(Area("valley", AREA),))
    away = {"kind": "incident", "point": {"latitude": 55.0, "longitude": -3.0}}
    with scene.worker(policy=Policy(bundle, scene.exchange)) as worker:
        scene.publish(scene.north, ["here"], locations=[ADDRESS], suspects=[{"person_ref": "p", "home": ADDRESS}])
        scene.publish(scene.north, ["elsewhere"], locations=[away])
        worker.drain()
    (message,) = scene.read(partner_topic(scene.south))
    with serve_registry(0, catalogue()) as server, SchemaRegistryClient({"url": server.url}) as registry:
        event = AvroDeserializer(registry)(message.value(), SerializationContext(message.topic(), MessageField.VALUE))[
            "event"
        ]
    assert event["incident_id"] == "here"
    for place in (event["locations"][0], event["suspects"][0]["home"]):
        assert (place["kind"], place["cell"], place["cell_size"]) == ("incident", "SE1316", "1km")
        assert {place["point"], place["address"], place["postcode"]} == {None}
    for finer in (b"Made Up", b"HD1 9ZZ", *(struct.pack("<d", degrees) for degrees in HERE.values())):
        assert finer not in message.value()
    (told,) = scene.read(partner_topic(scene.west))
    assert struct.pack("<d", HERE["latitude"]) in told.value()
    regions = [record["considered"]["places"][0]["inside"] for record in scene.records("disclosures", scene.north)]
    assert regions == [["valley"], []]
