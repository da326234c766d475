"""What comes in and what goes out of `route`, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from routing.agreements.bundle import Bundle
from routing.agreements.decision import Outcome
from routing.state.incident import Incident
from schemas.exchange import Exchange

_UNMOVED: Final[Mapping[str, int]] = MappingProxyType({})


def _never(_member: str) -> int:
    return 0


def _nothing(_key: bytes) -> None:
    return None


def _gone(_origin: str, _partition: int, _offset: int) -> None:
    return None


class Record(NamedTuple):
    """One Kafka record of an input topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int = 0
    """When the broker took it; 0: not known."""
    by_way_of: str = ""
    """The topic that it was forwarded on, where partition and offset are of; empty: its own."""

    @property
    def lies_on(self) -> str:
        """The topic that its partition and offset are of."""
        return self.by_way_of or self.topic


@dataclass(frozen=True, slots=True)
class Policy:
    """All that a decision and its delivery depend on besides the record and the time."""

    bundle: Bundle
    exchange: Exchange
    suspended: Mapping[str, str] = field(default_factory=dict)
    """Members whose topic cannot be written, with the reason as a code: missing-topic, refused."""


class Output:
    """One record to produce within the transaction. No tuple: several are made for every event."""

    __slots__ = ("key", "partition", "topic", "value")

    def __init__(self, topic: str, key: bytes, value: bytes | None, partition: int = -1) -> None:
        self.topic = topic
        self.key = key
        self.value = value
        """None: what stood under the key may be forgotten."""
        self.partition = partition
        """-1: the key's."""


class Known:
    """What is remembered when a record comes: of its incident, and of its partition's streams."""

    __slots__ = ("event_at", "find", "incident", "stream")

    def __init__(
        self,
        incident: Incident | None = None,
        stream: Callable[[str], int] = _never,
        find: Callable[[bytes], Incident | None] = _nothing,
        event_at: Callable[[str, int, int], Record | None] = _gone,
    ) -> None:
        self.incident = incident
        self.stream = stream
        """Of a member, the position of the last delivery in its stream."""
        self.find = find
        """What is remembered of any incident of the record's partition, by its key (`routing.state.memory`)."""
        self.event_at = event_at
        """An event again, by its origin, partition and offset; None: it is no longer on its topic."""


NOTHING_KNOWN: Final = Known()

Fate = Literal["routed", "receipted", "quarantined", "repeated", "ruled", "forwarded", "elapsed"]


Outcomes = tuple[tuple[str, Outcome | Literal["undeliverable"]], ...]
"""Each member and what was decided; events that are decided alike have the same tuple."""


class Effects(NamedTuple):
    """Everything that follows from one record."""

    fate: Fate
    outputs: tuple[Output, ...]
    outcomes: Outcomes = ()
    """Of an event: each member and what was decided."""
    feedback: tuple[tuple[str, str], ...] = ()
    """Each member told, and of what kind of news."""
    reason: str = ""
    """Of a quarantined record: the code of the reason."""
    unknown_schema: int | None = None
    """Of a quarantined record: the schema id that this release does not know, which a registry may."""
    incident: Incident | None = None
    """What is to be remembered of its incident; None: what was remembered before."""
    others: tuple[tuple[bytes, Incident], ...] = ()
    """What is to be remembered of incidents, by their keys, where the record is no event."""
    streams: Mapping[str, int] = _UNMOVED
    """Where the streams of members stand that something was delivered to."""

    def write_any_of(self, topics: frozenset[str]) -> bool:
        """Whether anything of it is for one of these topics."""
        return bool(topics) and not topics.isdisjoint([output.topic for output in self.outputs])
