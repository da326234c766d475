"""Policy as a stream, on the real broker: workers follow the topic, between two transactions, without a restart."""

from __future__ import annotations

import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from confluent_kafka import KafkaException, Producer

from deploy.policy_publishing import PolicyDesk
from routing.agreements.bundle import Bundle
from routing.agreements.model import Area
from routing.geography.shapes import as_geometry
from routing.policy_topic import PolicyTopic, policy_key
from routing.supervisor import Supervisor
from routing.worker import Assignment
from schemas.ops.health import Health
from tests.integration.routing_scene import PATIENCE_S, SETTINGS, Scene, wait_for
from tests.routing.geography.drawn import border
from tests.routing.scene import a_bundle, a_share, stock

SHORT = SETTINGS.model_copy(update={"session_timeout_ms": 3_000, "workers": 2})


@pytest.fixture
def scene(broker, unique):
    made = Scene(broker, unique)
    yield made
    made.close()


@pytest.fixture
def desk(scene) -> PolicyDesk:
    return PolicyDesk(scene.exchange, scene.clients)


def granting(scene: Scene, version: int, *sections: str) -> Bundle:
    """Everybody gets these sections of everything."""
    return a_bundle(scene.exchange, a_share("all", scene.exchange.receivers(), sections), version=version)


@contextmanager
def following(scene: Scene) -> Iterator[Health]:
    """A supervisor with two worker processes that route under what the policy topic says."""
    stop, health = threading.Event(), Health()
    running = Supervisor(Assignment(scene.exchange, SHORT, scene.clients, None, "", 0), health)
    thread = threading.Thread(target=running.run, args=(stop,))
    thread.start()
    try:
        yield health
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def members_of_the_group(scene: Scene) -> int:
    group = f"{scene.exchange.exchange}.route"
    try:
        return len(scene.admin.describe_consumer_groups([group])[group].result(PATIENCE_S).members)
    except KafkaException:
        # The broker's first group: its coordinator is not ready yet.
        return 0


def put(scene: Scene, key: bytes, value: bytes) -> None:
    """Anything on the policy topic, past the desk that would refuse it."""
    producer = Producer(scene.clients.producer_config())
    producer.produce("policy", value, key, 0)
    assert producer.flush(PATIENCE_S) == 0


def test_without_a_policy_nothing_is_routed_and_the_first_one_sets_everything_going(scene, desk):
    scene.publish(scene.north, [f"i-{n}" for n in range(20)])
    with following(scene) as health:
        wait_for(lambda: members_of_the_group(scene) == 2, "the workers have joined")
        assert health.reasons(), "a router without a policy is not ready"
        desk.publish(granting(scene, 1, "classification"))
        wait_for(lambda: not health.reasons() and not scene.lag(), "routed after the first policy")
    assert len(scene.delivered(scene.south)) == 20
    assert {record["policy"]["version"] for record in scene.records("disclosures", scene.north)} == {1}


def test_a_newest_bundle_that_cannot_be_loaded_stops_routing_until_a_good_one_comes(scene, desk):
    desk.publish(granting(scene, 1, "classification"))
    with following(scene) as health:
        wait_for(lambda: not health.reasons(), "ready")
        put(scene, policy_key(scene.exchange.exchange, 2), b'{"from": "a later release"}')
        wait_for(lambda: "0 of 2" in str(health.reasons()), "no worker is ready under a bundle it cannot load")
        scene.publish(scene.north, ["i-late"])
        time.sleep(0.5)  # it must have had the chance to route it under version 1
        assert scene.lag() == 1, "an older bundle must not stand in for the newest"
        desk.publish(granting(scene, 3, "classification"))
        wait_for(lambda: not health.reasons() and not scene.lag(), "routed under the good one")
    assert [record["policy"]["version"] for record in scene.records("disclosures", scene.north)] == [3]


def test_a_change_under_load_is_live_within_a_second_and_no_event_is_decided_under_a_mixture(scene, desk):
    took_s = _changed_under_load(scene, desk, versions=6, areas=())
    assert statistics.median(took_s) < 1, took_s


def test_so_is_a_change_of_rules_however_many_areas_the_bundle_has(scene, desk):
    rng = np.random.default_rng(7)
    middles = rng.uniform((-4.0, 51.0), (0.0, 55.0), (40, 2)).tolist()
    drawn = (as_geometry([[border(rng, (x, y), 0.3, 1_000)]]) for x, y in middles)
    areas = tuple(Area(f"area-{number:02}", geometry) for number, geometry in enumerate(drawn))
    took_s = _changed_under_load(scene, desk, versions=4, areas=areas)
    assert statistics.median(took_s) < 1, took_s


def _changed_under_load(scene: Scene, desk: PolicyDesk, versions: int, areas: tuple[Area, ...]) -> list[float]:
    """Publish one version after the other while events come in; how long each took to decide its first."""
    grants = {v: ("vehicles",) if v % 2 else ("classification", "suspects") for v in range(1, versions + 1)}
    bundles = {version: replace(granting(scene, version, *grants[version]), areas=areas) for version in grants}
    desk.publish(bundles[1])
    published_at: dict[int, float] = {}
    with following(scene) as health:
        wait_for(lambda: not health.reasons(), "ready")
        numbers = count()
        for version, bundle in bundles.items():
            if version > 1:
                published_at[version] = desk.publish(bundle).at.timestamp() * 1000
            ends = time.monotonic() + 1.2
            while time.monotonic() < ends:
                # Each of an incident of its own: who holds one under the version before goes on hearing of it.
                scene.publish(scene.north, [f"i-{next(numbers)}" for _ in range(10)], flush=False)
                scene.flush()
                time.sleep(0.02)
        wait_for(lambda: not scene.lag(), "everything routed")

    first_seen = _first_decisions(scene, grants)
    assert set(first_seen) == set(grants), "every version had its time"
    return [(first_seen[version] - at) / 1000 for version, at in published_at.items()]


def _first_decisions(scene: Scene, grants: dict[int, tuple[str, ...]]) -> dict[int, float]:
    """When each version decided first (ms since 1970); every record and its deliveries must be of one version."""
    first: dict[int, float] = {}
    version_of_event = {}
    for message in scene.read(f"disclosures.{scene.north}"):
        record = stock(message.value())
        version = record["policy"]["version"]
        version_of_event[record["event_id"]] = version
        first.setdefault(version, record["decided_at"].timestamp() * 1000)
    covers = defaultdict(set)
    for recipient in (scene.south, scene.west):
        for delivery in scene.records("partner", recipient):
            version = delivery["disclosure"]["policy_version"]
            assert version == version_of_event[delivery["event"]["event_id"]], "one event, one version, for everybody"
            covers[version].add(tuple(delivery["disclosure"]["covers"]))
    assert dict(covers) == {version: {sections} for version, sections in grants.items()}
    return first


def test_a_suspended_agreement_stops_at_once_and_a_lifted_one_goes_on(scene, desk):
    desk.publish(granting(scene, 1, "classification"))
    with following(scene) as health:
        wait_for(lambda: not health.reasons(), "ready")
        scene.publish(scene.north, ["i-before"])
        wait_for(lambda: not scene.lag(), "routed")
        desk.suspend("T-1", who="N. Owner", why="a leak")
        _wait_for_version(scene, 2)
        scene.publish(scene.north, ["i-suspended"])
        wait_for(lambda: not scene.lag(), "routed")
        desk.resume("T-1", who="N. Owner")
        _wait_for_version(scene, 3)
        scene.publish(scene.north, ["i-after"])
        wait_for(lambda: not scene.lag(), "routed")
    assert set(scene.delivered(scene.south)) == {"i-before", "i-after"}


def _wait_for_version(scene: Scene, version: int) -> None:
    """Until the workers decide by it, seen by what they record."""

    def decides() -> bool:
        scene.publish(scene.south, [f"i-probe-{time.monotonic_ns()}"])
        wait_for(lambda: not scene.lag(), "routed")
        return scene.records("disclosures", scene.south)[-1]["policy"]["version"] == version

    wait_for(decides, f"version {version} in force on the partition of the last probe")
    # Two workers: the other may be a moment behind.
    wait_for(lambda: all(decides() for _ in range(6)), f"version {version} in force everywhere")


def test_the_history_of_a_topic_is_read_to_its_end_before_anything_is_in_force(scene, desk):
    for version in range(1, 4):
        desk.publish(granting(scene, version, "classification"))
    reader = PolicyTopic(scene.clients, scene.exchange.exchange)
    try:
        seen = []
        wait_for(lambda: seen.append(reader.in_force(0.05)) or seen[-1].bundle is not None, "in force")
    finally:
        reader.close()
    assert {each.version for each in seen if each.bundle} == {3}, "an older version never was in force"


def test_another_exchanges_policy_on_the_same_cluster_is_not_ours(scene, desk):
    other = replace(granting(scene, 9, "classification"), published_by="another exchange")
    put(scene, policy_key(f"{scene.exchange.exchange}-other", 9), other.to_bytes())
    desk.publish(granting(scene, 1, "classification"))
    assert [each.version for each in desk.history()] == [1]
