"""Provisioning makes a real cluster what exchange.yaml says, again and again, and never touches a partition count."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from confluent_kafka.cimpl import NewTopic

from deploy.broker import EmbeddedBroker
from deploy.cli import cli
from deploy.provision import plan_topics, provision
from deploy.topic_plan import Difference
from schemas.errors import Rejected, Unavailable
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.topics import disclosures_topic, incidents_topic, partner_topic, quarantine_topic, topic_specs
from tests.integration.routing_scene import wait_for


def document(unique: str, partitions: int = 3) -> dict[str, object]:
    members = {
        f"{unique}-north": {"name": "North", "publishes": True, "receives": True},
        f"{unique}-ambulance": {"name": "Ambulance", "receives": True},
    }
    return {"exchange": unique, "partitions": partitions, "members": members}


@pytest.fixture
def exchange(unique: str) -> Exchange:
    return Exchange.model_validate(document(unique))


@pytest.fixture
def settings(broker: EmbeddedBroker) -> ClientSettings:
    return ClientSettings(broker.bootstrap)


@pytest.fixture
def admin(broker: EmbeddedBroker) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.bootstrap})


def config_of(admin: AdminClient, topic: str) -> dict[str, str | None]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    return {name: entry.value for name, entry in admin.describe_configs([resource])[resource].result(10).items()}


def create(admin: AdminClient, name: str, partitions: int, config: dict[str, str] | None = None) -> None:
    admin.create_topics([NewTopic(name, partitions, 1, config=config or {})])[name].result(10)
    # The controller answers first, and the broker learns of it a moment later.
    wait_for(lambda: name in admin.list_topics(timeout=10).topics, "the broker knows the topic")


def test_every_topic_is_made_as_the_catalogue_says(
    settings: ClientSettings, exchange: Exchange, admin: AdminClient
) -> None:
    provision(settings, exchange)
    topics = admin.list_topics(timeout=10).topics
    for spec in topic_specs(exchange):
        assert len(topics[spec.name].partitions) == spec.partitions, spec.name
        found = config_of(admin, spec.name)
        assert {name: found[name] for name in spec.config} == spec.config, spec.name


def test_a_second_run_changes_nothing(settings: ClientSettings, exchange: Exchange) -> None:
    provision(settings, exchange)
    again = provision(settings, exchange)
    assert {topic.action for topic in again.topics} == {"unchanged"}


def test_a_plan_changes_nothing(settings: ClientSettings, exchange: Exchange, admin: AdminClient) -> None:
    before = set(admin.list_topics(timeout=10).topics)
    plan = plan_topics(settings, exchange)
    ours = {topic.spec.name for topic in plan.of("create")}
    assert ours >= {spec.name for spec in topic_specs(exchange) if spec.member}
    assert not ours & set(admin.list_topics(timeout=10).topics)
    assert before <= set(admin.list_topics(timeout=10).topics)


def test_a_differing_setting_is_set_right_and_what_an_operator_added_stays(
    settings: ClientSettings, exchange: Exchange, admin: AdminClient
) -> None:
    topic = disclosures_topic(exchange.publishers()[0])
    create(admin, topic, 1, {"retention.ms": "1000", "compression.type": "producer", "flush.messages": "77"})
    done = {plan.spec.name: plan for plan in provision(settings, exchange).topics}
    assert done[topic].action == "configure"
    assert done[topic].differences["retention.ms"] == Difference("1000", "-1")
    assert "compression.type: producer -> lz4" in done[topic].reason
    found = config_of(admin, topic)
    assert (found["retention.ms"], found["compression.type"], found["flush.messages"]) == ("-1", "lz4", "77")


def test_another_partition_count_is_refused_and_nothing_is_changed(
    settings: ClientSettings, exchange: Exchange, admin: AdminClient
) -> None:
    force = exchange.publishers()[0]
    create(admin, incidents_topic(force), 5)
    create(admin, quarantine_topic(force), 1, {"retention.ms": "1000"})
    with pytest.raises(Rejected, match=rf"incidents\.{force}: expected partitions: 3, found: 5") as refused:
        provision(settings, exchange)
    assert refused.value.reason == "partition-count"
    topics = admin.list_topics(timeout=10).topics
    assert len(topics[incidents_topic(force)].partitions) == 5
    assert partner_topic(force) not in topics
    assert config_of(admin, quarantine_topic(force))["retention.ms"] == "1000"


def test_a_member_that_left_keeps_its_topics(settings: ClientSettings, unique: str, admin: AdminClient) -> None:
    both = Exchange.model_validate(document(unique))
    provision(settings, both)
    left = both.model_copy(update={"members": {f"{unique}-north": both.members[f"{unique}-north"]}})
    provision(settings, left)
    assert partner_topic(f"{unique}-ambulance") in admin.list_topics(timeout=10).topics


def test_more_copies_than_brokers_is_refused_by_name(settings: ClientSettings, exchange: Exchange) -> None:
    with pytest.raises(Rejected, match="replication"):
        provision(settings, exchange.model_copy(update={"replication": 3}))


def test_no_cluster_is_unavailable_and_says_what_to_do(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.provision._ANSWER_S", 1)
    with pytest.raises(Unavailable, match="huecry broker"):
        plan_topics(ClientSettings("127.0.0.1:1"), exchange)


def run(action: str, tmp_path: Path, broker: EmbeddedBroker, content: dict[str, object], *more: str) -> Result:
    path = tmp_path / "exchange.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    return CliRunner().invoke(
        cli, ["provision", action, "--exchange", str(path), "--bootstrap", broker.bootstrap, *more]
    )


def test_the_command_prints_one_line_per_topic(tmp_path: Path, broker: EmbeddedBroker, unique: str) -> None:
    content = document(unique)
    topics = topic_specs(Exchange.model_validate(content))
    for action, wanted in (("plan", "create"), ("apply", "create"), ("apply", "unchanged")):
        result = run(action, tmp_path, broker, content)
        lines = result.output.splitlines()
        assert result.exit_code == 0, result.output
        assert len(lines) == len(topics)
        actions = {line.split()[1]: line.split()[0] for line in lines}
        assert {actions[spec.name] for spec in topics if spec.member} == {wanted}


def test_json_tells_the_same_to_a_program(tmp_path: Path, broker: EmbeddedBroker, unique: str) -> None:
    run("apply", tmp_path, broker, document(unique))
    result = run("plan", tmp_path, broker, document(unique, partitions=4), "--json")
    told = {topic["topic"]: topic for topic in json.loads(result.stdout)["topics"]}
    incidents = told[incidents_topic(f"{unique}-north")]
    assert (incidents["action"], incidents["partitions"]) == ("refused", {"expected": 4, "found": 3})
    assert isinstance(result.exception, Rejected)


def test_a_plan_that_would_be_refused_shows_every_topic_first(
    tmp_path: Path, broker: EmbeddedBroker, unique: str
) -> None:
    run("apply", tmp_path, broker, document(unique))
    result = run("plan", tmp_path, broker, document(unique, partitions=4))
    assert f"refused    incidents.{unique}-north" in result.output
    assert f"unchanged  partner.{unique}-north" in result.output
    assert isinstance(result.exception, Rejected)


def publish(settings: ClientSettings, topic: str, values: list[bytes], **extra: str) -> list[object]:
    """Produce as all our producers do, and return what was not acknowledged."""
    failures: list[object] = []
    producer = Producer(settings.producer_config(**extra))
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(30) == 0
    return failures


def test_the_largest_event_and_the_fullest_batch_are_accepted(settings: ClientSettings, exchange: Exchange) -> None:
    provision(settings, exchange)
    largest = exchange.limits.max_event_bytes
    force = exchange.publishers()[0]
    incompressible = random.Random(1).randbytes
    assert publish(settings, incidents_topic(force), [incompressible(largest)]) == []
    assert publish(settings, partner_topic(force), [incompressible(largest + 64 * 1024)]) == []
    assert publish(settings, incidents_topic(force), [incompressible(3000) for _ in range(1000)]) == []


def test_an_event_far_too_large_is_refused_by_the_broker(settings: ClientSettings, exchange: Exchange) -> None:
    provision(settings, exchange)
    hostile = {"message.max.bytes": "1000000"}
    twice = random.Random(1).randbytes(2 * exchange.limits.max_event_bytes)
    [error] = publish(settings, incidents_topic(exchange.publishers()[0]), [twice], **hostile)
    assert isinstance(error, KafkaError)
    assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_zstd_sent_is_lz4_stored(broker: EmbeddedBroker, settings: ClientSettings, exchange: Exchange) -> None:
    provision(settings, exchange)
    topic = partner_topic(exchange.publishers()[0])
    assert publish(settings, topic, [b"hue and cry " * 100], **{"compression.type": "zstd"}) == []
    batch = (broker.data_dir / "log" / f"{topic}-0" / "00000000000000000000.log").read_bytes()
    attributes = int.from_bytes(batch[21:23], "big")  # of a record batch: its codec in the lowest three bits
    assert attributes & 0b111 == 3  # lz4; zstd is 4
    assert attributes & 0b1000  # LogAppendTime
