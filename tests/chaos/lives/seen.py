"""What a run left on its topics, as a stock library reads it: all that the checker goes by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from routing.agreements import Bundle
from schemas.exchange import Exchange

IncidentKey = tuple[str, str]
"""(origin, incident_id)."""
Value = dict[str, Any]


def name(key: IncidentKey) -> str:
    """An incident, for whoever reads."""
    return f"incident {key[1]} of {key[0]}"


class Put(NamedTuple):
    """A record of an input."""

    topic: str
    partition: int
    offset: int
    taken_ms: int
    """When the broker took it, by the run's clock."""
    value: Value


@dataclass(frozen=True)
class Seen:
    """Everything that went in and came out."""

    exchange: Exchange
    bundle: Bundle
    inputs: list[Put]
    """Events, rulings and receipts, of each partition in its order."""
    outputs: Mapping[str, list[Value]]
    """By topic; what readers of committed records see of members' topics, in order."""
    due: Mapping[IncidentKey, frozenset[tuple[str, str]]]
    """What routing remembers that it waits for: kind and member."""
    ended: datetime
    """When it was looked: whatever was due well before must have happened."""

    def of(self, family: str, member: str) -> list[Value]:
        """What stands on one topic of an output; to be spoilt by whoever plants a fault."""
        return self.outputs.get(f"{family}.{member}", [])

    def put(self, family: str) -> Iterator[Put]:
        """The records of one family of inputs."""
        return (each for each in self.inputs if each.topic.startswith(f"{family}."))
