"""What a cluster's topics need to be what an exchange says: a plan, made without touching anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from schemas.errors import Rejected
from schemas.topics import TopicSpec

Action = Literal["create", "configure", "unchanged", "refused"]


class Difference(NamedTuple):
    """A setting that is not what it must be."""

    found: str | None
    expected: str


@dataclass(frozen=True)
class TopicPlan:
    """What one topic needs."""

    spec: TopicSpec
    partitions_found: int | None
    """None: there is no such topic."""
    replication_found: int = 0
    differences: Mapping[str, Difference] = field(default_factory=dict)

    @property
    def action(self) -> Action:
        """What has to be done about it."""
        if self.partitions_found is None:
            return "create"
        if self.partitions_found != self.spec.partitions:
            return "refused"
        return "configure" if self.differences else "unchanged"

    @property
    def reason(self) -> str:
        """The action explained in a few words."""
        spec = self.spec
        match self.action:
            case "create":
                return f"partitions: {spec.partitions}, copies: {spec.replication}"
            case "refused":
                return f"expected partitions: {spec.partitions}, found: {self.partitions_found}"
            case "configure":
                return ", ".join(f"{name}: {d.found} -> {d.expected}" for name, d in self.differences.items())
            case "unchanged" if self.replication_found != spec.replication:
                return f"copies: {self.replication_found}, not {spec.replication}; kafka-reassign-partitions moves them"
        return ""

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "topic": self.spec.name,
            "action": self.action,
            "partitions": {"expected": self.spec.partitions, "found": self.partitions_found},
            "config": {name: difference._asdict() for name, difference in self.differences.items()},
        }


@dataclass(frozen=True)
class Plan:
    """What an exchange's topics need, in the catalogue's order."""

    topics: tuple[TopicPlan, ...]

    def of(self, action: Action) -> tuple[TopicPlan, ...]:
        """The topics about which this has to be done."""
        return tuple(topic for topic in self.topics if topic.action == action)

    def check(self) -> None:
        """Refuse a plan that would change a partition count.

        Raises:
            Rejected: naming each topic, with the count expected and the count found.
        """
        if refused := self.of("refused"):
            counts = "; ".join(f"{topic.spec.name}: {topic.reason}" for topic in refused)
            remedy = "set `partitions` in exchange.yaml to what the cluster has, or use a cluster of its own for it"
            raise Rejected(
                "partition-count",
                f"a partition count is fixed for the life of an exchange, nothing was changed: {counts}. {remedy}",
                remedy=remedy,
            )
