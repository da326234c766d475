"""What comes from a topic: records, the deliveries in them, and batches of either on their way to a sink."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, NamedTuple, TypeVar

from schemas.codec import SchemaLookup, decode
from schemas.codes import enum_code
from schemas.errors import Rejected

T = TypeVar("T")

IncidentKey = tuple[str, str]
"""(origin, incident_id): what identifies an incident everywhere."""

Positions = Mapping[tuple[str, int], int]
"""(topic, partition) → offset of the record to read next."""

_IDENTIFIERS: Final = ("origin", "incident_id", "event_id")
_NUL: Final = "\x00"
_INSTEAD_OF_NUL: Final = "\N{REPLACEMENT CHARACTER}"


class Record(NamedTuple):
    """One Kafka record, as bytes."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    value: bytes | None

    def is_before(self, positions: Positions) -> bool:
        """Whether a sink with these positions has it."""
        return self.offset < positions.get((self.topic, self.partition), 0)


@dataclass(frozen=True)
class Delivery:
    """One delivery, decoded: `terms` is its disclosure, `event` the incident with the covered sections."""

    record: Record
    terms: Mapping[str, Any]
    event: Mapping[str, Any]

    @cached_property
    def delivery_id(self) -> str:
        """The same however often this delivery is made."""
        return str(self.terms["delivery_id"])

    @cached_property
    def key(self) -> IncidentKey:
        """Which incident it is about."""
        return self.event["origin"], self.event["incident_id"]

    @cached_property
    def action(self) -> str:
        """What the receiver is asked to do: share, correct, restricted, withdraw or retract."""
        return enum_code(self.terms["action"])

    def without_nul(self) -> Delivery:
        """The same with U+FFFD wherever U+0000 stands, which not every database can hold."""
        return Delivery(self.record, without_nul(self.terms), without_nul(self.event))


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that can never be taken, and why. `delivery` is None where it did not even decode."""

    record: Record
    reason: str
    detail: str
    remedy: str
    delivery: Delivery | None = None

    @classmethod
    def of(cls, record: Record, error: Rejected, delivery: Delivery | None = None) -> SetAside:
        """What `error` says about `record`."""
        return cls(record, error.reason, str(error), error.remedy, delivery)


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Records in the order they were read: those that opened, those that did not, and where to read on."""

    taken: tuple[T, ...]
    set_aside: tuple[SetAside, ...]
    positions: Positions

    def __len__(self) -> int:
        return len(self.taken) + len(self.set_aside)


def firsts(batch: Batch[Any]) -> Positions:
    """The offset of the first record of each partition in a batch of what has a record."""
    found: dict[tuple[str, int], int] = {}
    for one in (*batch.taken, *batch.set_aside):
        record: Record = one.record
        place = record.topic, record.partition
        found[place] = min(record.offset, found.get(place, record.offset))
    return found


def open_batch(records: Sequence[Record], open_one: Callable[[Record], T]) -> Batch[T]:
    """Open every record; what is `Rejected` is set aside, and the others go on.

    Raises:
        Unavailable: whatever `open_one` needs is away; nothing is lost, open the same records again.
    """
    taken: list[T] = []
    set_aside: list[SetAside] = []
    positions: dict[tuple[str, int], int] = {}
    for record in records:
        positions[record.topic, record.partition] = record.offset + 1
        try:
            taken.append(open_one(record))
        except Rejected as error:
            set_aside.append(SetAside.of(record, error))
    return Batch(tuple(taken), tuple(set_aside), positions)


def without_nul(value: Any) -> Any:  # noqa: ANN401  whatever Avro holds
    """A value with U+FFFD wherever U+0000 stood."""
    if isinstance(value, str):
        return value.replace(_NUL, _INSTEAD_OF_NUL)
    if isinstance(value, dict):
        return {name: without_nul(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nul(one) for one in value]
    return value


def check_identifiers(*identifiers: str) -> None:
    """See that identifiers can be kept in any database and asked for again.

    Raises:
        Rejected: one holds U+0000, which would have to be changed.
    """
    if any(_NUL in identifier for identifier in identifiers):
        raise Rejected(
            "bad-identifier",
            "expected identifiers of visible characters, and one of this record holds U+0000",
            remedy="tell the operator of the exchange: no honest router or producer makes such a one",
        )


def delivery_opener(max_bytes: int, lookup: SchemaLookup | None = None) -> Callable[[Record], Delivery]:
    """What opens the records of a partner topic.

    Args:
        max_bytes: most bytes of a record that are looked at.
        lookup: where to find schemas newer than this release.
    """

    def open_delivery(record: Record) -> Delivery:
        value = decode("Delivery", record.value, max_bytes, lookup)
        terms, event = value["disclosure"], value["event"]
        check_identifiers(terms["delivery_id"], terms["stream"], *(event[name] for name in _IDENTIFIERS))
        return Delivery(record, terms, event)

    return open_delivery


def check_delivery(delivery: Delivery, member: str) -> None:
    """See that a delivery can be acted on.

    Raises:
        Rejected: it is for another member, or asks for something this release does not know.
    """
    if delivery.terms["to"] != member:
        raise Rejected(
            "not-for-us",
            f"expected a delivery to {member}, and one to another member came on its topic",
            remedy="do not use it, and tell the operator of the exchange: a router has addressed it wrongly",
        )
    if delivery.action not in ("share", "correct", "restricted", "withdraw", "retract"):
        raise Rejected(
            "unknown-action",
            "the delivery asks for an action that this release does not know",
            remedy="upgrade this consumer, then let the exchange send it again",
        )
