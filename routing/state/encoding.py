"""What is remembered, as bytes: RoutingState records, whose arrays are written as sized blocks.

A sized block can be stepped over, so a record is read by cutting it into its parts, each of which is mostly known
already. Any Avro library reads the whole (``tests/routing/state/test_state_encoding.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from routing.agreements.state import History
from routing.answers.expected import Expected
from routing.state.agenda import Appointment, Matter
from routing.state.in_records import (
    expected_of,
    expected_record,
    history_of,
    history_record,
    holdings_of,
    holdings_record,
    numbers_of,
    numbers_record,
    rulings_of,
    rulings_record,
)
from routing.state.incident import Incident, Latest, Numbers, Rulings, milliseconds_of
from routing.state.kept import Kept
from schemas.avro_form import Form, named_types, parse, self_contained
from schemas.catalogue import catalogue
from schemas.wire import FRAME_BYTES, frame, long_bytes, read_long, string_bytes

_REMEMBERED_MOST: Final = 8_192
"""Of each kind of part: a kilobyte each at most, of what is usual."""
_UNUSUAL_BYTES: Final = 2_048
"""A part that takes more is read afresh each time: nobody can fill the memory of others."""
_NULL: Final = b"\x00"

_NUMBERS: Final = ("numbers",)
_HOLDINGS: Final = ("grants", "kinds", "holders")
_HISTORY: Final = ("stated",)
_RULINGS: Final = ("barred", "rulings", "refusals", "lines")
_EXPECTED: Final = ("expected",)
_OPEN: Final = ("open",)


def encode(incident: Incident) -> bytes:
    """A framed RoutingState."""
    return b"".join(
        (
            _frame(),
            _optional(incident.keep_until_ms),
            long_bytes(incident.sequence),
            _optional(incident.last_event_ms),
            _optional(incident.closed_ms),
            long_bytes(len(incident.seen)),
            incident.seen,
            incident.numbers.encoded,
            incident.holdings.encoded,
            incident.history.encoded,
            incident.rulings.encoded,
            long_bytes(incident.latest.offset),
            string_bytes(incident.latest.event_id),
            incident.expected.encoded,
            _NOTHING_OF_A_PARTITION,
        )
    )


def decode(value: bytes) -> Incident:
    """The incident of a framed RoutingState that `encode` wrote."""
    at = _start(value)
    keep_until, at = _read_optional(value, at)
    sequence, at = read_long(value, at)
    last_event, at = _read_optional(value, at)
    closed, at = _read_optional(value, at)
    length, at = read_long(value, at)
    seen, at = value[at : at + length], at + length
    numbers, at = _cut(value, at, len(_NUMBERS))
    holdings, at = _cut(value, at, len(_HOLDINGS))
    history, at = _cut(value, at, len(_HISTORY))
    rulings, at = _cut(value, at, len(_RULINGS))
    latest, at = _read_latest(value, at)
    expected, at = _cut(value, at, len(_EXPECTED))
    return Incident(
        keep_until,
        sequence,
        last_event or 0,
        closed,
        seen,
        _numbers(numbers),
        _holdings(holdings),
        _history(history),
        _rulings(rulings),
        latest,
        _expected(expected),
    )


def _read_latest(value: bytes, at: int) -> tuple[Latest, int]:
    offset, at = read_long(value, at)
    length, at = read_long(value, at)
    return Latest(offset, value[at : at + length].decode()), at + length


def keep_until_of(value: bytes) -> int | None:
    """From when the incident of a framed RoutingState may be forgotten, without reading the rest."""
    return _read_optional(value, FRAME_BYTES)[0]


def encode_streams(streams: Mapping[str, int]) -> bytes:
    """A framed RoutingState of a partition: its streams and nothing else."""
    # Written for every transaction of a partition, so not by way of fastavro.
    rows = [string_bytes(member) + long_bytes(streams[member]) for member in sorted(streams)]
    return b"".join((_frame(), _NOTHING_OF_AN_INCIDENT, _sized(rows), _NULL, _NULL))


def decode_streams(value: bytes) -> dict[str, int]:
    """The streams of a partition's RoutingState."""
    _start(value)
    record = _whole().decode(value[FRAME_BYTES:], "what routing remembers of a partition")
    return {row["member"]: row["sequence"] for row in record["streams"]}


def encode_appointment(appointment: Appointment) -> bytes:
    """A framed RoutingState of an appointment: what is due of its incident, and nothing else."""
    rows = [matter._asdict() for matter in appointment.open]
    due = _optional(appointment.due_ms)
    return b"".join((_frame(), _NOTHING_OF_AN_INCIDENT, _NULL, due, _arrays(_OPEN, {"open": rows})))


def decode_appointment(value: bytes) -> Appointment:
    """The inverse of `encode_appointment`."""
    _start(value)
    record = _whole().decode(value[FRAME_BYTES:], "what routing remembers of an appointment")
    due = None if record["due_at"] is None else milliseconds_of(record["due_at"])
    return Appointment(due, tuple(Matter(row["kind"], row["member"], row["overdue"]) for row in record["open"]))


def kept_numbers(numbers: Numbers) -> Kept[Numbers]:
    """Numbers with their bytes."""
    return _numbers(_arrays(_NUMBERS, numbers_record(numbers)))


def kept_holdings(holdings: Iterable[Any]) -> Kept[tuple[Any, ...]]:
    """Holdings with their bytes."""
    return _holdings(_arrays(_HOLDINGS, holdings_record(tuple(holdings))))


def kept_history(history: History) -> Kept[History]:
    """A history with its bytes."""
    return _history(_arrays(_HISTORY, history_record(history)))


def kept_rulings(rulings: Rulings) -> Kept[Rulings]:
    """Rulings with their bytes."""
    return _rulings(_arrays(_RULINGS, rulings_record(rulings)))


def kept_expected(expected: Iterable[Expected]) -> Kept[tuple[Expected, ...]]:
    """Answers that members owe, with their bytes."""
    return _expected(_arrays(_EXPECTED, expected_record(tuple(expected))))


def _numbers(encoded: bytes) -> Kept[Numbers]:
    return _usual_numbers(encoded) if len(encoded) <= _UNUSUAL_BYTES else _read_numbers(encoded)


def _holdings(encoded: bytes) -> Kept[tuple[Any, ...]]:
    return _usual_holdings(encoded) if len(encoded) <= _UNUSUAL_BYTES else _read_holdings(encoded)


def _history(encoded: bytes) -> Kept[History]:
    return _usual_history(encoded) if len(encoded) <= _UNUSUAL_BYTES else _read_history(encoded)


def _rulings(encoded: bytes) -> Kept[Rulings]:
    return _usual_rulings(encoded) if len(encoded) <= _UNUSUAL_BYTES else _read_rulings(encoded)


def _expected(encoded: bytes) -> Kept[tuple[Expected, ...]]:
    return _usual_expected(encoded) if len(encoded) <= _UNUSUAL_BYTES else _read_expected(encoded)


def _read_numbers(encoded: bytes) -> Kept[Numbers]:
    return Kept(numbers_of(_read_arrays(_NUMBERS, encoded)), encoded)


def _read_holdings(encoded: bytes) -> Kept[tuple[Any, ...]]:
    return Kept(holdings_of(_read_arrays(_HOLDINGS, encoded)), encoded)


def _read_history(encoded: bytes) -> Kept[History]:
    return Kept(history_of(_read_arrays(_HISTORY, encoded)), encoded)


def _read_rulings(encoded: bytes) -> Kept[Rulings]:
    return Kept(rulings_of(_read_arrays(_RULINGS, encoded)), encoded)


def _read_expected(encoded: bytes) -> Kept[tuple[Expected, ...]]:
    return Kept(expected_of(_read_arrays(_EXPECTED, encoded)), encoded)


_usual_expected = lru_cache(maxsize=_REMEMBERED_MOST)(_read_expected)
_usual_numbers = lru_cache(maxsize=_REMEMBERED_MOST)(_read_numbers)
_usual_holdings = lru_cache(maxsize=_REMEMBERED_MOST)(_read_holdings)
_usual_history = lru_cache(maxsize=_REMEMBERED_MOST)(_read_history)
_usual_rulings = lru_cache(maxsize=_REMEMBERED_MOST)(_read_rulings)


class _Part(NamedTuple):
    """Some fields of the record, all arrays."""

    fields: Form
    """A record of these fields alone."""
    items: Mapping[str, Form]
    """Of each field a record with one field, ``item``."""


@cache
def _part(names: tuple[str, ...]) -> _Part:
    schema = parse(catalogue().current("RoutingState").schema)
    types = named_types(schema)
    fields = {field["name"]: field for field in schema["fields"]}
    items = {
        name: Form(self_contained(_record([{"name": "item", "type": fields[name]["type"]["items"]}]), types))
        for name in names
    }
    return _Part(Form(self_contained(_record([fields[name] for name in names]), types)), items)


def _record(fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "record", "name": "huecry.Part", "fields": fields}


def _arrays(names: tuple[str, ...], record: Mapping[str, list[Any]]) -> bytes:
    """Some of the record's arrays, each as one sized block."""
    forms = _part(names).items
    return b"".join(_sized([forms[name].encode({"item": item}) for item in record[name]]) for name in names)


def _sized(items: list[bytes]) -> bytes:
    if not items:
        return _NULL
    joined = b"".join(items)
    return b"".join((long_bytes(-len(items)), long_bytes(len(joined)), joined, _NULL))


def _read_arrays(names: tuple[str, ...], encoded: bytes) -> dict[str, list[Any]]:
    record: dict[str, list[Any]] = _part(names).fields.decode(encoded, "what routing remembers")
    return record


def _cut(value: bytes, at: int, arrays: int) -> tuple[bytes, int]:
    """So many arrays, each empty or one sized block, and the position after them."""
    start = at
    for _ in range(arrays):
        if value[at] == 0:
            at += 1
            continue
        _count, at = read_long(value, at)
        size, at = read_long(value, at)
        at += size + 1
    return value[start:at], at


@cache
def _frame() -> bytes:
    return frame(catalogue().current("RoutingState").schema_id)


@cache
def _whole() -> Form:
    return Form(catalogue().current("RoutingState").schema)


def _start(value: bytes) -> int:
    if value[:FRAME_BYTES] != _frame():
        msg = "what routing remembers was written with a schema of another release"
        raise ValueError(msg)
    return FRAME_BYTES


_NO_ARRAYS: Final = _NULL * (len(_NUMBERS) + len(_HOLDINGS) + len(_HISTORY) + len(_RULINGS))
_NOTHING_OF_AN_INCIDENT: Final = b"".join((_NULL * 5, _NO_ARRAYS, long_bytes(-1), _NULL, _NULL))
"""Its fields as they have to stand in the record of a partition or an appointment: times, arrays, the latest event."""
_NOTHING_OF_A_PARTITION: Final = _NULL * 3
"""Streams, when something is due, what waits."""


def _optional(number: int | None) -> bytes:
    return _NULL if number is None else b"\x02" + long_bytes(number)


def _read_optional(value: bytes, at: int) -> tuple[int | None, int]:
    return (None, at + 1) if value[at] == 0 else read_long(value, at + 1)
