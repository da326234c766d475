"""The head of a disclosure record: which event, when, under which policy, and all that conditions could read of it.

What conditions read recurs from event to event in runs of attributes (the codes, the words, the places of an incident),
so the bytes of each run are remembered. The attributes and their order are those of the released schema.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.arrived import Arrived, milliseconds
from routing.circulation import EVENT
from routing.what_came_before import NOTHING
from schemas.catalogue import catalogue
from schemas.codec import id_rest, stable_ids
from schemas.parts import ID_LENGTH, opening
from schemas.wire import long_bytes, string_bytes

_FIELDS: Final = (
    *("record_id", "origin", "incident_id", "event_id", "sequence", "source", "decided_at", "policy", "considered"),
    *("state", "decisions"),
)
_NULL: Final = b"\x00"
_TOGETHER: Final = 5
"""Attributes that are remembered as one: the codes; the words; places, sections and what goes with them."""
_REMEMBERED_MOST: Final = 8_192
"""Of each such run."""

Encode = Callable[[Any], bytes]


def record_head(arrived: Arrived, bundle: Bundle, before: bytes = NOTHING, cause: str = EVENT) -> list[bytes]:
    """A framed DisclosureRecord as far as its decisions, in parts; ``before`` as `what_came_before` has it."""
    origin, incident_id, event_id = arrived.identity
    rest = id_rest(event_id) if cause == EVENT else id_rest(event_id, cause)
    (record_id,) = stable_ids(("record", origin, incident_id), (rest,))
    record, form = arrived.record, _considered_form()
    encode = form.remembering if arrived.is_usual else form.afresh
    return [
        _opening(),
        record_id,
        _text(origin),
        string_bytes(incident_id),
        string_bytes(event_id),
        _source(arrived.considered.sequence, record.lies_on, record.partition),
        long_bytes(record.offset),
        long_bytes(milliseconds(arrived.now)),
        _policy(bundle.version, bundle.hash),
        encode(arrived.considered),
        before,
    ]


@cache
def _opening() -> bytes:
    return opening("DisclosureRecord", _FIELDS) + ID_LENGTH


_text: Final = lru_cache(maxsize=4_096)(string_bytes)


@lru_cache(maxsize=4_096)
def _source(sequence: int, topic: str, partition: int) -> bytes:
    return b"".join((long_bytes(sequence), string_bytes(topic), long_bytes(partition)))


@lru_cache(maxsize=16)
def _policy(version: int, digest: str) -> bytes:
    return long_bytes(version) + string_bytes(digest)


class _ConsideredForm:
    """How what is considered stands in a record. Immutable."""

    def __init__(self) -> None:
        fields = catalogue().current("DisclosureRecord").schema["fields"]
        stated = next(field["type"]["fields"] for field in fields if field["name"] == "considered")
        runs = [stated[start : start + _TOGETHER] for start in range(0, len(stated), _TOGETHER)]
        self._reads = [attrgetter(*(field["name"] for field in run)) for run in runs]
        self._encoders = [_run_encoder([_encoder(field["type"]) for field in run]) for run in runs]
        self._remembering = [lru_cache(maxsize=_REMEMBERED_MOST)(encoder) for encoder in self._encoders]
        self._known: dict[int, tuple[Considered, bytes]] = {}
        """Of whole events that are alike and so one object (`considering.considered`), which is kept with its bytes."""

    def remembering(self, considered: Considered) -> bytes:
        """Some attributes after others; the bytes of what they state together are remembered."""
        known = self._known.get(id(considered))
        if known is None:
            runs = zip(self._reads, self._remembering, strict=True)
            known = considered, b"".join([encode(read(considered)) for read, encode in runs])
            if len(self._known) >= _REMEMBERED_MOST:
                self._known.clear()
            self._known[id(considered)] = known
        return known[1]

    def afresh(self, considered: Considered) -> bytes:
        """The same; for an event that states more than may be remembered of it."""
        return b"".join([encode(read(considered)) for read, encode in zip(self._reads, self._encoders, strict=True)])


@cache
def _considered_form() -> _ConsideredForm:
    return _ConsideredForm()


def _encoder(kind: Any) -> Encode:  # noqa: ANN401  a schema is a name, a list or a dict
    """Writes a value of a type as fastavro writes it; sets are arrays in order, records are objects with its fields."""
    match kind:
        case "string":
            return string_bytes
        case "boolean":
            return lambda value: b"\x01" if value else b"\x00"
        case ["null", stated]:
            encode = _encoder(stated)
            return lambda value: _NULL if value is None else b"\x02" + encode(value)
        case {"type": "array", "items": items}:
            return _array_encoder(_encoder(items))
        case {"type": "record", "fields": fields}:
            return _record_encoder([(field["name"], _encoder(field["type"])) for field in fields])
    msg = f"expected one of the types that what is considered is made of, got {kind}"
    raise ValueError(msg)


def _run_encoder(encoders: list[Encode]) -> Encode:
    return lambda values: b"".join([encode(value) for encode, value in zip(encoders, values, strict=True)])


def _array_encoder(encode: Encode) -> Encode:
    def array(values: Any) -> bytes:  # noqa: ANN401
        if not values:
            return _NULL
        ordered = sorted(values) if isinstance(values, frozenset) else values
        return b"".join((long_bytes(len(values)), *map(encode, ordered), _NULL))

    return array


def _record_encoder(fields: list[tuple[str, Encode]]) -> Encode:
    return lambda value: b"".join([encode(getattr(value, name)) for name, encode in fields])
