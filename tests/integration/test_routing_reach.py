"""A member whose topics are not there is suspended or waits; all others flow, and nothing needs a restart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.codec import encode
from schemas.ops import metrics
from tests.integration.routing_scene import SETTINGS, Scene
from tests.routing.clocks import Set
from tests.routing.scene import NOW, control

NAMES = [f"i-{number}" for number in range(10)]


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique)
    yield made
    made.close()


def undeliverable(scene: Scene) -> set[str]:
    """The incidents that the origin was told its partner did not get, and those recorded so, which are the same."""
    told = {
        entry["incident_id"]
        for feedback in scene.records("feedback", scene.north)
        if (feedback["kind"], feedback["member"]) == ("UNDELIVERABLE", scene.west)
        for entry in feedback["entries"]
    }
    recorded = {
        record["incident_id"]
        for record in scene.records("disclosures", scene.north)
        for group in record["decisions"]
        for recipient in group["recipients"]
        if recipient["member"] == scene.west and recipient["undeliverable"] == "missing-topic"
    }
    assert told == recorded
    return recorded


def test_a_member_without_a_topic_is_suspended_and_flows_again_when_it_is_there(scene):
    """Without the suspension every transaction aborts, and nobody gets anything."""
    west = f"partner.{scene.west}"
    scene.delete(west)
    scene.publish(scene.north, NAMES)
    with scene.worker() as worker:
        worker.drain()
        assert metrics.reading("member_suspended", member=scene.west) == 1
        assert scene.delivered(scene.south).keys() == set(NAMES)
        assert undeliverable(scene) == set(NAMES)
        scene.create(west)
        worker.turn_until(lambda: metrics.reading("member_suspended", member=scene.west) == 0, "no longer suspended")
        later = [f"later-{number}" for number in range(10)]
        scene.publish(scene.north, later)
        worker.drain()
    assert scene.delivered(scene.west).keys() == set(later)
    assert undeliverable(scene) == set(NAMES)


def test_a_topic_deleted_while_the_router_runs_suspends_its_member_alone(scene):
    """No look at the list of topics is due here: a transaction that fails must be enough."""
    scene.publish(scene.north, NAMES)
    seldom = SETTINGS.model_copy(update={"topic_check_s": 3600, "transaction_timeout_ms": 3_000})
    with scene.worker(settings=seldom) as worker:
        worker.drain()
        scene.delete(f"partner.{scene.west}")
        later = [f"later-{number}" for number in range(10)]
        scene.publish(scene.north, later)
        worker.drain()
        assert metrics.reading("member_suspended", member=scene.west) == 1
    delivered = scene.delivered(scene.south)
    assert delivered.keys() == {*NAMES, *later}
    assert all(len(events) == 1 for events in delivered.values())
    assert undeliverable(scene) == set(later)


def test_a_correction_is_sent_once_its_holder_s_topic_is_there_again(scene):
    """By whichever worker has the partition then."""
    west, clock = f"partner.{scene.west}", Set(datetime(2026, 6, 1, 3, 10, tzinfo=UTC))
    scene.publish(scene.north, NAMES)
    with scene.worker(clock=clock) as worker:
        worker.drain()
        scene.delete(west)
        changes = [{"path": "grade", "reason": "wrong-grade", "wrong_from_start": True}]
        scene.publish(scene.north, NAMES, kind="CORRECTED", control=control(sequence=2, changes=changes))
        worker.drain()
    assert undeliverable(scene) == set(NAMES)
    scene.create(west)
    clock.move(minutes=5)
    with scene.worker(clock=clock, machine="another") as worker:
        worker.turn_until(lambda: len(scene.records("partner", scene.west)) >= len(NAMES), "corrections")
        for _ in range(20):
            worker.loop.turn(0.01)
    corrections = [delivery["disclosure"] for delivery in scene.records("partner", scene.west)]
    assert {(each["action"], each["number"]) for each in corrections} == {("CORRECT", 2)}
    recorded = {
        recipient["delivery_id"]
        for record in scene.records("disclosures", scene.north)
        for group in record["decisions"]
        for recipient in group["recipients"]
        if recipient["member"] == scene.west
    }
    assert len(corrections) == len(NAMES)
    assert {each["delivery_id"] for each in corrections} < recorded


def test_an_origin_without_its_disclosures_topic_waits_and_goes_on_when_it_is_there(scene):
    """A disclosure without a record must never happen: without the hold its events abort everybody's transactions."""
    disclosures = f"disclosures.{scene.north}"
    scene.delete(disclosures)
    scene.publish(scene.north, NAMES)
    scene.publish(scene.south, NAMES)
    with scene.worker() as worker:
        worker.drain(f"incidents.{scene.south}")
        assert metrics.reading("origin_paused", origin=scene.north) == 1
        assert scene.delivered(scene.south) == {}
        assert scene.delivered(scene.north).keys() == set(NAMES)
        scene.create(disclosures)
        worker.drain()
        worker.turn_until(lambda: metrics.reading("origin_paused", origin=scene.north) == 0, "no longer paused")
    assert scene.delivered(scene.south).keys() == set(NAMES)
    assert len(scene.read(disclosures)) == len(NAMES)


def test_a_receipt_whose_origin_cannot_be_told_waits_and_nobody_else_does(scene):
    """Without the wait its feedback, which can never be written, aborts the transactions of all."""
    feedback = f"feedback.{scene.north}"
    scene.delete(feedback)
    entry = {"origin": scene.north, "incident_id": "i-1", "event_id": "e-1", "delivery_id": "d-1", "at": NOW}
    receipt = encode("Receipt", {"member": scene.west, "kind": "DELIVERED", "sent_at": NOW, "entries": [entry]})
    scene.send(f"receipts.{scene.west}", f"{scene.west}/0", receipt)
    scene.publish(scene.south, NAMES)
    with scene.worker() as worker:
        worker.drain(f"incidents.{scene.south}")
        assert scene.lag(f"receipts.{scene.west}") == 1
        assert scene.delivered(scene.north).keys() == set(NAMES)
        scene.create(feedback)
        worker.drain()
    assert [told["kind"] for told in scene.records("feedback", scene.north)] == ["DELIVERED"]
