"""A record that cannot be routed stops itself and nobody else."""

from __future__ import annotations

import gzip
import json

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from routing.effects import Output
from routing.route import route
from schemas.errors import Unavailable
from schemas.ops import metrics
from schemas.partitioner import partition_of
from schemas.wire import frame
from tests.integration.routing_scene import PATIENCE_S, Scene
from tests.routing.scene import event_bytes

NAMES = [f"i-{number}" for number in range(40)]
POISON = "i-17"


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique)
    yield made
    made.close()


def logged(capfd, event: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def assert_all_but_the_poison(scene: Scene) -> None:
    assert scene.delivered(scene.south).keys() == set(NAMES) - {POISON}
    (kept,) = scene.records("quarantine", scene.north)
    assert kept["reason"] == "internal"
    assert kept["key"] == POISON.encode()
    assert b"mark of suspects" in kept["value"]
    (told,) = scene.records("feedback", scene.north)
    assert (told["kind"], told["reason"], told["source"]) == ("QUARANTINED", "internal", kept["source"])


def test_a_record_that_routing_fails_on_is_quarantined_and_all_others_are_routed(scene, capfd):
    """Without the halving the worker fails on the same batch for ever, or dies of it."""

    def router(record, policy, now, **known):
        if record.key == POISON.encode():
            raise RuntimeError("the call came from Elm Street")
        return route(record, policy, now, **known)

    scene.publish(scene.north, NAMES)
    before = metrics.reading("quarantined_records_total", member=scene.north, reason="internal")
    with scene.worker(router=router) as worker:
        worker.drain()
    assert_all_but_the_poison(scene)
    assert metrics.reading("quarantined_records_total", member=scene.north, reason="internal") == before + 1
    captured = capfd.readouterr().err
    assert "Elm Street" not in captured
    lines = [json.loads(line) for line in captured.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["event"] == "record quarantined"]
    assert (line["level"], line["reason"], line["topic"]) == ("error", "internal", f"incidents.{scene.north}")


def test_an_output_too_large_for_the_producer_is_its_record_s_fault(scene):
    def router(record, policy, now, **known):
        effects = route(record, policy, now, **known)
        if record.key != POISON.encode():
            return effects
        return type(effects)("routed", (*effects.outputs, Output(f"partner.{scene.south}", b"k", b"x" * 500_000)))

    scene.publish(scene.north, NAMES)
    with scene.worker(router=router) as worker:
        worker.drain()
    assert_all_but_the_poison(scene)


def test_an_output_too_large_for_the_broker_is_its_record_s_fault(scene):
    """The broker's own refusal: librdkafka reports it of one record and asks for an abort."""
    topic = ConfigResource(
        ResourceType.TOPIC,
        f"partner.{scene.south}",
        incremental_configs=[
            ConfigEntry("max.message.bytes", "4000", incremental_operation=AlterConfigOpType.SET),
            ConfigEntry("compression.type", "uncompressed", incremental_operation=AlterConfigOpType.SET),
        ],
    )
    (done,) = scene.admin.incremental_alter_configs([topic]).values()
    done.result(PATIENCE_S)
    # Alone in its transaction or not, a batch of small deliveries would be too large as well.
    before, after = NAMES[:2], NAMES[2:4]
    scene.publish(scene.north, before)
    scene.publish(scene.north, [POISON], vehicles=[{"vehicle_ref": str(n), "vrm": f"X{n}"} for n in range(2_000)])
    scene.publish(scene.north, after)
    with scene.worker() as worker:
        worker.drain()
    assert scene.delivered(scene.south).keys() == {*before, *after}
    (kept,) = scene.records("quarantine", scene.north)
    assert (kept["reason"], kept["key"]) == ("internal", POISON.encode())


@pytest.mark.parametrize("codec", ["lz4", "gzip"])
def test_a_message_that_is_small_only_while_compressed_is_quarantined_without_its_value(scene, codec):
    value = event_bytes(scene.north, "i-1", "e-1", narrative=[{"entry_id": "1", "text": "x" * 600_000}])
    assert len(gzip.compress(value)) < 10_000
    config = scene.clients.producer_config(scene.exchange.limits)
    sender = Producer({**config, "compression.type": codec, "message.max.bytes": 2_000_000})
    sender.produce(f"incidents.{scene.north}", value, b"i-1")
    assert sender.flush(PATIENCE_S) == 0
    scene.publish(scene.north, ["i-2"])
    with scene.worker() as worker:
        worker.turn_until(lambda: scene.delivered(scene.south), "the event after it")
    assert scene.delivered(scene.south).keys() == {"i-2"}
    (kept,) = scene.records("quarantine", scene.north)
    assert (kept["reason"], kept["value"], kept["value_bytes"]) == ("oversize", None, len(value))


def test_a_schema_that_only_the_registry_knows_holds_its_topic_and_no_other(scene, capfd):
    """Without the hold the event of an upgraded producer would be quarantined, and its incident overtaken."""
    newer = frame(1_212_599_999) + b"whatever is in it"
    scene.publish(scene.north, ["i-1"])
    scene.send(f"incidents.{scene.north}", "i-1", newer)
    scene.publish(scene.north, ["i-1"])
    scene.publish(scene.south, NAMES)
    topic = f"incidents.{scene.north}"
    with scene.worker(known_elsewhere=lambda schema_id: schema_id == 1_212_599_999) as worker:
        worker.drain(f"incidents.{scene.south}")
        worker.turn_until(lambda: metrics.reading("origin_paused", origin=scene.north) == 1, "origin paused")
        worker.turn_until(lambda: scene.lag(topic) == 2, "the event before it routed")
        assert worker.session.intake.held == {topic: "newer-schema"}
    assert scene.lag(topic) == 2, "the newer event and the one after it wait for an upgraded router"
    assert scene.records("quarantine", scene.north) == []
    assert scene.delivered(scene.north).keys() == set(NAMES)
    assert [line["reason"] for line in logged(capfd, "topic held")] == ["newer-schema"]


def test_while_the_registry_is_away_its_topic_waits_and_then_goes_on(scene):
    away = True

    def known_elsewhere(_schema_id: int) -> bool:
        if away:
            raise Unavailable("no registry")
        return False

    scene.send(f"incidents.{scene.north}", "i-1", frame(7) + b"body", partition_of(b"i-1", 2))
    scene.publish(scene.north, ["i-1"])
    with scene.worker(known_elsewhere=known_elsewhere) as worker:
        worker.turn_until(lambda: worker.session.intake.held, "held")
        away = False
        worker.drain()
    (kept,) = scene.records("quarantine", scene.north)
    assert kept["reason"] == "unknown-schema"
    assert scene.delivered(scene.south).keys() == {"i-1"}
