"""Make a cluster's topics what ``exchange.yaml`` and ``topics.yaml`` say: create and configure, never delete.

    plan = provision(ClientSettings("localhost:9092"), load_exchange(path))

A topic whose partition count differs is refused, and then nothing at all is changed: with another count the same
incident would lie on two partitions, and its events would overtake each other.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not declared as exported
    AdminClient,
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from deploy.topic_plan import Difference, Plan, TopicPlan
from schemas.errors import Fatal, HueCryError, Rejected, Unavailable
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.topics import TopicSpec, topic_specs

_T = TypeVar("_T")

_ANSWER_S: Final = 10
_WORK_S: Final = 60
# One request for hundreds of topics can outlast a request timeout.
_TOPICS_AT_ONCE: Final = 100


def plan_topics(settings: ClientSettings, exchange: Exchange) -> Plan:
    """Compare the cluster with the exchange; changes nothing.

    Raises:
        Unavailable: no answer from the cluster.
        Fatal: the principal may not look.
    """
    return _compare(_admin(settings), exchange)


def provision(settings: ClientSettings, exchange: Exchange) -> Plan:
    """Make every topic what it must be and return what was done; again, it does nothing.

    When it returns, every topic has a leader and its settings: producers find it.

    Raises:
        Rejected: a partition count differs (nothing was changed), or the cluster refuses a setting.
        Unavailable: no answer from the cluster; what was made by then stays, and the next run goes on from there.
        Fatal: the principal may not create or alter topics.
    """
    admin = _admin(settings)
    plan = _compare(admin, exchange)
    plan.check()
    _create(admin, [topic.spec for topic in plan.of("create")])
    _configure(admin, plan.of("configure"))
    _wait_until_done(admin, exchange, plan)
    return plan


def _admin(settings: ClientSettings) -> AdminClient:
    return AdminClient(settings.config(log_level=0))


def _compare(admin: AdminClient, exchange: Exchange) -> Plan:
    specs = topic_specs(exchange)
    metadata = _metadata(admin)
    present = [spec.name for spec in specs if spec.name in metadata.topics]
    configs = _read_configs(admin, present)
    return Plan(tuple(_topic_plan(spec, metadata, configs) for spec in specs))


def _topic_plan(
    spec: TopicSpec, metadata: ClusterMetadata, configs: Mapping[str, Mapping[str, str | None]]
) -> TopicPlan:
    topic = metadata.topics.get(spec.name)
    if topic is None:
        return TopicPlan(spec, None)
    found = configs[spec.name]
    copies = min((len(partition.replicas) for partition in topic.partitions.values()), default=0)
    differences = {
        name: Difference(found.get(name), expected)
        for name, expected in spec.config.items()
        if found.get(name) != expected
    }
    return TopicPlan(spec, len(topic.partitions), copies, differences)


def _metadata(admin: AdminClient) -> ClusterMetadata:
    try:
        return admin.list_topics(timeout=_ANSWER_S)
    except KafkaException as error:
        raise _kind_of(error, "look at its topics") from error


def _read_configs(admin: AdminClient, names: Sequence[str]) -> dict[str, dict[str, str | None]]:
    found: dict[str, dict[str, str | None]] = {}
    for some in _batches(names):
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in some]
        for resource, answer in admin.describe_configs(resources, request_timeout=_WORK_S).items():
            entries: dict[str, ConfigEntry] = _result(answer, f"read the settings of {resource.name}")
            found[resource.name] = {name: entry.value for name, entry in entries.items()}
    return found


def _create(admin: AdminClient, specs: Sequence[TopicSpec]) -> None:
    for some in _batches(specs):
        topics = [NewTopic(s.name, s.partitions, s.replication, config=dict(s.config)) for s in some]
        for name, answer in admin.create_topics(topics, operation_timeout=_WORK_S, request_timeout=_WORK_S).items():
            _result(answer, f"create {name}")


def _configure(admin: AdminClient, plans: Sequence[TopicPlan]) -> None:
    for some in _batches(plans):
        resources = [_alteration(plan) for plan in some]
        for resource, answer in admin.incremental_alter_configs(resources, request_timeout=_WORK_S).items():
            _result(answer, f"configure {resource.name}")


def _alteration(plan: TopicPlan) -> ConfigResource:
    """Only what differs: settings that an operator added to a topic stay."""
    entries = [
        ConfigEntry(name, difference.expected, incremental_operation=AlterConfigOpType.SET)
        for name, difference in plan.differences.items()
    ]
    return ConfigResource(ResourceType.TOPIC, plan.spec.name, incremental_configs=entries)


def _wait_until_done(admin: AdminClient, exchange: Exchange, done: Plan) -> None:
    """Return when the brokers show what the controller acknowledged: they learn of it a moment later."""
    changed = {topic.spec.name for topic in (*done.of("create"), *done.of("configure"))}
    deadline = time.monotonic() + _WORK_S
    while waiting := _unfinished(admin, exchange, changed):
        if time.monotonic() > deadline:
            raise Unavailable(f"{len(waiting)} topics are not ready yet, {waiting[0]} among them: run this again")
        time.sleep(0.05)


def _unfinished(admin: AdminClient, exchange: Exchange, changed: Container[str]) -> list[str]:
    metadata = _metadata(admin)
    specs = [spec for spec in topic_specs(exchange) if spec.name in changed]
    leaderless = [spec.name for spec in specs if not _led(metadata, spec.name)]
    if leaderless:
        return leaderless
    configs = _read_configs(admin, [spec.name for spec in specs])
    return [spec.name for spec in specs if _topic_plan(spec, metadata, configs).differences]


def _led(metadata: ClusterMetadata, name: str) -> bool:
    topic = metadata.topics.get(name)
    return topic is not None and all(partition.leader >= 0 for partition in topic.partitions.values())


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _TOPICS_AT_ONCE):
        yield items[start : start + _TOPICS_AT_ONCE]


def _result(answer: Future[Any], doing: str) -> Any:  # noqa: ANN401  each request has its own kind of answer
    try:
        return answer.result(timeout=_WORK_S + _ANSWER_S)
    except KafkaException as error:
        raise _kind_of(error, doing) from error
    except FutureTimeoutError as error:
        raise Unavailable(f"Kafka did not {doing} within {_WORK_S} s: run this again") from error


def _kind_of(error: KafkaException, doing: str) -> HueCryError:
    """What to do next about an error of the cluster."""
    cause: KafkaError = error.args[0]
    if cause.code() in {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}:
        return Fatal(
            f"this principal may not {doing}: it needs Create, Alter, Describe and AlterConfigs on the cluster"
        )
    if cause.code() in {KafkaError.INVALID_REPLICATION_FACTOR, KafkaError.INVALID_CONFIG, KafkaError.POLICY_VIOLATION}:
        return Rejected("refused-by-cluster", f"the cluster refuses to {doing}: {cause.str()}; see `replication`")
    return Unavailable(
        f"no Kafka answered when asked to {doing} ({cause.str()}): start one (`huecry broker`), "
        "or name one that runs with --bootstrap HOST:PORT"
    )
