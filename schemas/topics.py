"""The topics of an exchange, from ``topics.yaml`` (families) and ``exchange.yaml`` (members, partitions, limits).

A topic's name is its family and its member: ``incidents.west-yorkshire``. The member in the name is who a record is
from or for, bound to the authenticated principal by access rules; nothing in a payload can change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict

from schemas.exchange import Exchange, Limits

FamilyName = Literal[
    "incidents",
    "receipts",
    "rulings",
    "partner",
    "feedback",
    "quarantine",
    "disclosures",
    "cases",
    "policy",
    "routing.state",
    "routing.inbox",
]
PartitionKind = Literal["input", "output", "single", "state"]

_DAY_MS: Final = 24 * 60 * 60 * 1000
# Key, headers and the framing of a batch; no event is near this in them.
_FRAMING_BYTES: Final = 16 * 1024
# What an output may carry besides the event it passes on: disclosure, reasons, the record of decisions.
OUTPUT_EXTRA_BYTES: Final = 64 * 1024
# Thousands of rules, and the borders of every member's area with all their corners.
_POLICY_BYTES: Final = 32 * 1024 * 1024


class TopicFamily(BaseModel):
    """One family of topics, as ``topics.yaml`` describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    each: Literal["publisher", "receiver", "member", "exchange"]
    record: str | None
    """The Avro record its values hold, of any released version; None: not Avro."""
    holds: str
    """What it is for, in words for the member that reads or writes it."""
    key: str
    """What the key of a record is."""
    written_by: str
    read_by: str
    partitions: PartitionKind
    kept_days: int | None
    """None: for ever."""
    compacted: bool = False
    """Of each key only the newest record is kept."""


class _TopicsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    families: dict[FamilyName, TopicFamily]
    config: dict[str, str]
    compacted: dict[str, str]


class TopicSpec(NamedTuple):
    """One topic as it must be."""

    name: str
    family: FamilyName
    member: str | None
    """Whom it is from or for; None: the exchange."""
    partitions: int
    replication: int
    config: Mapping[str, str]


@cache
def _topics_file() -> _TopicsFile:
    document = yaml.safe_load(Path(__file__).with_name("topics.yaml").read_text("utf-8"))
    return _TopicsFile.model_validate(document)


def families() -> Mapping[FamilyName, TopicFamily]:
    """Every family of topics, by name."""
    return _topics_file().families


def incidents_topic(member: str) -> str:
    """Where a force publishes its incidents."""
    return f"incidents.{member}"


def receipts_topic(member: str) -> str:
    """Where a member says what became of its deliveries."""
    return f"receipts.{member}"


def partner_topic(member: str) -> str:
    """Where a member receives its deliveries."""
    return f"partner.{member}"


def feedback_topic(member: str) -> str:
    """Where a force learns what became of its events."""
    return f"feedback.{member}"


def quarantine_topic(member: str) -> str:
    """Where a member finds the records of its own that were refused."""
    return f"quarantine.{member}"


def disclosures_topic(member: str) -> str:
    """Where a force's disclosure records stand."""
    return f"disclosures.{member}"


def cases_topic(member: str) -> str:
    """Where a force's desk learns what its people are asked."""
    return f"cases.{member}"


def rulings_topic(member: str) -> str:
    """Where a force's desk says what its people ruled."""
    return f"rulings.{member}"


def policy_topic() -> str:
    """Where policy bundles are published."""
    return "policy"


def state_topic(exchange: str) -> str:
    """Where the routers of an exchange keep what they remember; by exchange, since a cluster may serve several."""
    return f"routing.state.{exchange}"


def inbox_topic(exchange: str) -> str:
    """Where receipts and rulings go that arrived on another partition than their incident's; by exchange."""
    return f"routing.inbox.{exchange}"


@lru_cache(maxsize=4_096)
def member_of(topic: str) -> str | None:
    """The member a topic belongs to: for an incident, its origin. None: a topic of the exchange, or none of ours."""
    family, _, member = topic.partition(".")
    return member if member and family in families() else None


@lru_cache(maxsize=4_096)
def family_of(topic: str) -> FamilyName | None:
    """The family of a topic; None: none of ours."""
    return next((name for name in families() if topic == name or topic.startswith(f"{name}.")), None)


def topic_specs(exchange: Exchange) -> tuple[TopicSpec, ...]:
    """Every topic of the exchange as it must be: families in the catalogue's order, members sorted."""
    return tuple(
        TopicSpec(
            name=_name(name, member, exchange),
            family=name,
            member=member,
            partitions=exchange.partitions if family.partitions in ("input", "state") else 1,
            replication=exchange.replication,
            config=_config(family, exchange),
        )
        for name, family in families().items()
        for member in _owners(family, exchange)
    )


def input_topics(exchange: Exchange) -> tuple[str, ...]:
    """The topics that routing reads, each with ``exchange.partitions`` partitions."""
    kinds = families()
    return tuple(spec.name for spec in topic_specs(exchange) if kinds[spec.family].partitions == "input")


def largest_batch_bytes(kind: PartitionKind, limits: Limits) -> int:
    """``max.message.bytes`` of such topics; Kafka measures a batch, compressed as it is stored."""
    if kind == "single":
        return _POLICY_BYTES
    return limits.max_event_bytes + _FRAMING_BYTES + (0 if kind == "input" else OUTPUT_EXTRA_BYTES)


def _name(family: FamilyName, member: str | None, exchange: Exchange) -> str:
    if family == "routing.state":
        return state_topic(exchange.exchange)
    if family == "routing.inbox":
        return inbox_topic(exchange.exchange)
    return family if member is None else f"{family}.{member}"


def _owners(family: TopicFamily, exchange: Exchange) -> tuple[str | None, ...]:
    match family.each:
        case "publisher":
            return exchange.publishers()
        case "receiver":
            return exchange.receivers()
        case "member":
            return tuple(sorted(exchange.members))
        case "exchange":
            return (None,)


def _config(family: TopicFamily, exchange: Exchange) -> dict[str, str]:
    compacted = _topics_file().compacted if family.compacted else {}
    return (
        _topics_file().config
        | compacted
        | {
            "retention.ms": "-1" if family.kept_days is None else str(family.kept_days * _DAY_MS),
            "max.message.bytes": str(largest_batch_bytes(family.partitions, exchange.limits)),
            # Of three copies two must have a record before it is acknowledged.
            "min.insync.replicas": "2" if exchange.replication >= 3 else "1",
        }
    )
