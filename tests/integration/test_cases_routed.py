"""Cases, rulings, deadlines and what is taken back, on the real broker: each once, whoever routes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing.agreements.model import Refer, RoleHolders, RulingTerms, Step
from routing.effects import Policy
from schemas import codec
from schemas.casework import Ruling
from schemas.ops import metrics
from tests.integration.routing_scene import Scene
from tests.routing.clocks import Set
from tests.routing.scene import a_bundle, a_share

INSPECTOR = "duty-inspector"
TERMS = RulingTerms("safeguarding", "Children Act 2004 s.11", 30)


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique)
    everybody = made.exchange.receivers()
    asked = Refer(id="asked", recipients=everybody, sections=("suspects",), path=(Step(INSPECTOR, 900),), ruling=TERMS)
    bundle = a_bundle(made.exchange, a_share("all", everybody, ["classification", "suspects"]), asked)
    made.bundle = replace(bundle, roles=(RoleHolders(INSPECTOR, made.north, ("insp.ahmed",)),))
    made.policy = Policy(made.bundle, made.exchange)
    yield made
    made.check_numbers(made.south)
    made.check_numbers(made.west)
    made.close()


def rule(scene: Scene, kind: str, incident: str, **changes: Any) -> None:
    said: dict[str, Any] = {
        "ruling_id": f"{kind}-{incident}",
        "member": scene.north,
        "incident_id": incident,
        "kind": kind,
        "person": "insp.ahmed",
        "role": INSPECTOR,
        "made_at": datetime.now(UTC),
        "recipients": (scene.south,),
        "seen_sequence": 1,
    }
    scene.send(f"rulings.{scene.north}", incident, codec.encode("Ruling", Ruling(**said | changes).to_avro()))


def kinds(scene: Scene) -> list[str]:
    return [told["kind"] for told in scene.records("feedback", scene.north)]


def notices(scene: Scene) -> list[str]:
    return [notice["kind"] for case in scene.records("cases", scene.north) for notice in case["notices"]]


def covered(scene: Scene, member: str) -> list[list[str]]:
    return [delivery["disclosure"]["covers"] for delivery in scene.records("partner", member)]


def test_what_a_person_releases_is_read_again_and_delivered(scene):
    scene.publish(scene.north, ["i-1"])
    with scene.worker() as worker:
        worker.drain()
        assert covered(scene, scene.south) == [["classification"]]
        rule(scene, "release", "i-1")
        worker.drain()
    assert covered(scene, scene.south) == [["classification"], ["classification", "suspects"]]
    assert covered(scene, scene.west) == [["classification"]]
    assert kinds(scene) == ["REFERRED", "REFERRED", "RELEASED"]
    assert metrics.reading("rulings_total", origin=scene.north, outcome="taken") == 1


def test_a_deadline_passes_once_and_in_a_transaction_of_its_own(scene):
    clock = Set(datetime(2026, 6, 1, 3, 10, tzinfo=UTC))
    scene.publish(scene.north, ["i-1", "i-2"])
    with scene.worker(clock=clock) as worker:
        worker.drain()
        clock.move(minutes=14)
        for _ in range(20):
            worker.loop.turn(0.01)
        assert notices(scene) == ["opened"] * 4
        clock.move(minutes=1)
        worker.turn_until(lambda: notices(scene).count("lapsed") == 4, "lapsed")
        for _ in range(20):
            worker.loop.turn(0.01)
    assert notices(scene) == ["opened"] * 4 + ["lapsed"] * 4
    assert kinds(scene).count("LAPSED") == 4
    with scene.worker(clock=clock, machine="another") as worker:
        worker.drain()
        clock.move(days=2)
        for _ in range(20):
            worker.loop.turn(0.01)
    assert notices(scene).count("lapsed") == 4


def test_deadlines_survive_a_restart_on_another_machine(scene):
    clock = Set(datetime(2026, 6, 1, 3, 10, tzinfo=UTC))
    scene.publish(scene.north, ["i-1"])
    with scene.worker(clock=clock) as worker:
        worker.drain()
    clock.move(minutes=15)
    with scene.worker(clock=clock, machine="another") as worker:
        worker.turn_until(lambda: notices(scene).count("lapsed") == 2, "lapsed")


def test_who_ruled_in_time_is_heard_before_the_deadline_passes_however_late_the_router_is(scene):
    """The ruling lies on its topic when a router comes that sees the deadline at once."""
    clock = Set(datetime(2026, 6, 1, 3, 10, tzinfo=UTC))
    scene.publish(scene.north, ["i-1"])
    with scene.worker(clock=clock) as worker:
        worker.drain()
    rule(scene, "release", "i-1", recipients=(scene.south, scene.west))
    scene.flush()
    late = Late(clock.at + timedelta(minutes=10), clock.at + timedelta(minutes=20))
    with scene.worker(clock=late, machine="another") as worker:
        worker.drain()
        for _ in range(50):
            worker.loop.turn(0.01)
    assert "lapsed" not in notices(scene)
    assert notices(scene).count("released") == 2


class Late:
    """It is now one time, and the broker took everything at another."""

    def __init__(self, taken: datetime, now: datetime) -> None:
        self._taken, self._now = taken, now

    def now(self) -> datetime:
        return self._now

    def taken_ms(self, _broker_ms: int) -> int:
        return int(self._taken.timestamp() * 1000)


def test_what_is_taken_back_is_asked_for_once_and_bars_what_comes_after(scene):
    scene.publish(scene.north, ["i-1"])
    with scene.worker() as worker:
        worker.drain()
        rule(scene, "retract", "i-1", recipients=(), reason="wrong-recipient", ask="erase")
        worker.drain()
        scene.publish(scene.north, ["i-1"])
        worker.drain()
    actions = [each["disclosure"]["action"] for each in scene.records("partner", scene.south)]
    assert actions == ["SHARE", "RETRACT"]
    assert kinds(scene).count("RETRACTED") == 2, "south and west held it"
