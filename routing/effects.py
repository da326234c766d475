"""What comes in and what goes out of `route`, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from routing.agreements.bundle import Bundle
from routing.agreements.decision import Outcome
from schemas.exchange import Exchange


class Record(NamedTuple):
    """One Kafka record of an input topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int = 0
    """When the broker took it; 0: not known."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All that a decision and its delivery depend on besides the record and the time."""

    bundle: Bundle
    exchange: Exchange
    suspended: Mapping[str, str] = field(default_factory=dict)
    """Members whose topic cannot be written, with the reason as a code: missing-topic, refused."""


class Output(NamedTuple):
    """One record to produce within the transaction."""

    topic: str
    key: bytes
    value: bytes


Fate = Literal["routed", "receipted", "quarantined"]


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
