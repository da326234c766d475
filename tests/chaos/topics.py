"""Records as a stock library reads them from the topics, for the checker: not with our codec."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Literal

import fastavro

from schemas.catalogue import catalogue
from schemas.event import IncidentEvent
from schemas.sections import CONTROL, SECTIONS

_FRAME_BYTES = 5


@dataclass(frozen=True, slots=True)
class Published:
    """One record of a force's incidents topic."""

    partition: int
    offset: int
    key: bytes | None
    event: IncidentEvent

    @classmethod
    def of(cls, partition: int, offset: int, key: bytes | None, value: bytes) -> Published:
        """Decode a record."""
        return cls(partition, offset, key, IncidentEvent.from_avro(_decoded("IncidentEvent", value)))


@dataclass(frozen=True, slots=True)
class Sent:
    """One record of a recipient's partner topic, as far as it tells who was sent which sections."""

    delivery_id: str
    to: str
    action: str
    number: int
    """Of the incident's deliveries to this recipient."""
    stream: str
    stream_sequence: int
    origin: str
    incident_id: str
    event_id: str
    """Empty in a notice, whose event is made afresh."""
    covers: tuple[str, ...]
    filled: frozenset[str]
    """Sections that hold something, `control` among them."""

    @classmethod
    def of(cls, value: bytes) -> Sent:
        """Decode a record."""
        decoded = _decoded("Delivery", value)
        terms, event = decoded["disclosure"], decoded["event"]
        filled = frozenset(name for name in (CONTROL, *SECTIONS) if event[name])
        address = (terms[name] for name in ("delivery_id", "to", "action", "number", "stream", "stream_sequence"))
        identity = (event[name] for name in ("origin", "incident_id", "event_id"))
        return cls(*address, *identity, tuple(terms["covers"]), filled)


_Name = Literal["IncidentEvent", "Delivery"]


@cache
def _schema(record: _Name) -> Any:
    return fastavro.parse_schema(catalogue().current(record).schema)


def _decoded(record: _Name, value: bytes) -> dict[str, Any]:
    decoded = fastavro.schemaless_reader(BytesIO(value[_FRAME_BYTES:]), _schema(record))
    assert isinstance(decoded, dict)
    return decoded
