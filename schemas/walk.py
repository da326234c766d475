"""Checks bytes against a schema, one by one: whatever two decoders could read differently is refused here.

A decoder is lenient where Avro says nothing: it takes index -1 for the last branch, 2 for true, a number written in
more bytes than it needs, a block whose size is not what its items take. And Avro carries values that readers cannot
hold: a 32-bit int beyond 32 bits, the year 300000, a latitude of NaN. A value that was walked has none of these. How
its arrays are cut into blocks is left to the writer, as Avro leaves it.

The schema is compiled to one small function for each type: a fifth of the time of decoding and encoding again. Nothing
is built, so memory is bounded by what came; a schema with a type that holds itself, or with array items that may take
no byte, does not compile, so time is bounded too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from struct import unpack_from
from typing import Any, Final

from schemas.avro_form import Schema, parse
from schemas.errors import Rejected
from schemas.wire import read_long

Step = Callable[[bytes, int], int]
"""Checks the value that starts at a position and says where it ends. `IndexError`: the data ends before it does."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_RANGES: Final = {
    "int": (-(1 << 31), (1 << 31) - 1, "of 32 bits"),
    # Readers hold times as dates of the calendar: the years 1 to 9999 are what all of them can.
    "date": (
        date.min.toordinal() - _EPOCH.toordinal(),
        date.max.toordinal() - _EPOCH.toordinal(),
        "of days to a year from 1 to 9999",
    ),
    "timestamp-millis": (
        (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MS,
        (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MS,
        "of milliseconds to a year from 1 to 9999",
    ),
}
_MOST_DEGREES: Final = {("huecry.event.Point", "latitude"): 90.0, ("huecry.event.Point", "longitude"): 180.0}
REMEDY: Final = "publish what an Avro serialiser writes with this schema"


class Walker:
    """Checks values of one schema. Immutable."""

    def __init__(self, schema: Schema) -> None:
        self._step = _Compiler().step(parse(schema))

    def check(self, body: bytes, what: str = "the record") -> None:
        """Walk the whole body.

        Raises:
            Rejected: at the first byte that an honest writer would not write.
        """
        end = self.walk(body, 0, what)
        if end != len(body):
            raise Rejected("trailing", f"{what} ends at byte {end}, and {len(body) - end} more bytes came")

    def walk(self, body: bytes, at: int, what: str) -> int:
        """Where the value that starts at ``at`` ends.

        Raises:
            Rejected: at the first byte that an honest writer would not write.
        """
        try:
            return self._step(body, at)
        except IndexError:
            raise Rejected("truncated", f"{what} is not over where its data ends", remedy=REMEDY) from None
        except Rejected as error:
            raise Rejected(error.reason, f"{what}: {error}", remedy=error.remedy or REMEDY) from None


class _Compiler:
    """Makes the step of each type once; a named type is defined where it is first used."""

    def __init__(self) -> None:
        self._named: dict[str, Step] = {}
        self._takes_none: set[str] = {"null"}

    def step(self, schema: Any) -> Step:  # noqa: ANN401  a schema is a name, a list or a dict
        if isinstance(schema, list):
            return _union([self.step(branch) for branch in schema], schema)
        if isinstance(schema, str):
            return self._named.get(schema) or _primitive(schema)
        match schema["type"]:
            case "record":
                step = _record([self._field(schema["name"], field) for field in schema["fields"]])
                if all(self._is_empty(field["type"]) for field in schema["fields"]):
                    self._takes_none.add(schema["name"])
            case "enum":
                step = _index_below(len(schema["symbols"]), "enum")
            case "array":
                return _array(self._item(schema["items"]))
            case kind:
                return _primitive(kind, schema.get("logicalType"))
        self._named[schema["name"]] = step
        return step

    def _item(self, schema: Any) -> Step:  # noqa: ANN401
        step = self.step(schema)
        if self._is_empty(schema):
            msg = "an array's items must take a byte at least: a few bytes could state millions of them"
            raise ValueError(msg)
        return step

    def _is_empty(self, schema: Any) -> bool:  # noqa: ANN401
        name = schema.get("name", schema["type"]) if isinstance(schema, dict) else schema
        return isinstance(name, str) and name in self._takes_none

    def _field(self, record: str, field: Schema) -> Step:
        most = _MOST_DEGREES.get((record, field["name"]))
        return self.step(field["type"]) if most is None else _double(most)


def _primitive(kind: str, logical: str | None = None) -> Step:
    step = _PRIMITIVES.get(logical or kind) or _PRIMITIVES.get(kind)
    if step is None:
        msg = f"expected one of the types that messages of the exchange are made of, got {kind}"
        raise ValueError(msg)
    return step


def _record(steps: list[Step]) -> Step:
    def record(body: bytes, at: int) -> int:
        for step in steps:
            at = step(body, at)
        return at

    return record


def _union(steps: list[Step], schema: list[Any]) -> Step:
    index_below = _index_below(len(steps), "union")

    def optional(body: bytes, at: int) -> int:
        if not body[at]:
            return at + 1
        return second(body, at + 1) if body[at] == 2 else index_below(body, at)

    def union(body: bytes, at: int) -> int:
        end = index_below(body, at)
        return steps[body[at] >> 1](body, end)

    if len(steps) == 2 and schema[0] == "null":
        second = steps[1]
        return optional
    return union


def _index_below(limit: int, what: str) -> Step:
    if limit > 64:
        msg = f"expected a schema with at most 64 branches or symbols in one {what}, got {limit}"
        raise ValueError(msg)
    # Below 64 an index is one byte: twice its value (zigzag).
    indexes = frozenset(range(0, 2 * limit, 2))

    def index_below(body: bytes, at: int) -> int:
        if body[at] in indexes:
            return at + 1
        index, _ = read_long(body, at)
        raise Rejected("not-canonical", f"{what} at byte {at} has index {index}, expected 0 to {limit - 1}")

    return index_below


def _array(item: Step) -> Step:
    def array(body: bytes, at: int) -> int:
        while body[at]:
            count, start = read_long(body, at)
            stated_end = None
            if count < 0:
                size, start = read_long(body, start)
                count, stated_end = -count, start + size
            # An item takes a byte at least. Said here, a count that lies costs nothing.
            if count > len(body) - start:
                raise Rejected("truncated", f"a block at byte {at} states more items than bytes are left")
            end = start
            for _ in range(count):
                end = item(body, end)
            if stated_end is not None and stated_end != end:
                raise Rejected("not-canonical", f"the block at byte {at} ends at {end} and states {stated_end}")
            at = end
        return at + 1

    return array


def _boolean(body: bytes, at: int) -> int:
    if body[at] > 1:
        raise Rejected("not-canonical", f"boolean at byte {at} is neither 0 nor 1")
    return at + 1


def _number(least: int, most: int, what: str) -> Step:
    def number(body: bytes, at: int) -> int:
        value, end = read_long(body, at)
        if not least <= value <= most:
            raise Rejected("out-of-range", f"expected a number {what} at byte {at}, and it is not")
        return end

    return number


def _double(most: float | None) -> Step:
    def double(body: bytes, at: int) -> int:
        if at + 8 > len(body):
            raise IndexError
        (value,) = unpack_from("<d", body, at)
        if not isfinite(value) or (most is not None and abs(value) > most):
            limit = "a finite number" if most is None else f"degrees from -{most:g} to {most:g}"
            raise Rejected("out-of-range", f"expected {limit} at byte {at}, and it is not")
        return at + 8

    return double


def _bytes(body: bytes, at: int) -> int:
    length = body[at]
    # One byte, even: a length below 64, which most are.
    size, start = (length >> 1, at + 1) if length < 0x80 and not length & 1 else read_long(body, at)
    end = start + size
    if size < 0 or end > len(body):
        raise Rejected("truncated", f"expected {size} bytes at byte {start}, and {len(body) - start} are left")
    return end


def _text(body: bytes, at: int) -> int:
    end = _bytes(body, at)
    try:
        # The length is ASCII when it is one byte; else its bytes may not be text, and are left out.
        (body[at:end] if body[at] < 0x80 else body[read_long(body, at)[1] : end]).decode()
    except UnicodeDecodeError:
        raise Rejected("undecodable", f"text at byte {at} is not UTF-8") from None
    return end


_PRIMITIVES: Final[dict[str, Step]] = {
    "null": lambda _, at: at,
    "boolean": _boolean,
    "long": lambda body, at: read_long(body, at)[1],
    "double": _double(None),
    "bytes": _bytes,
    "string": _text,
    **{kind: _number(*limits) for kind, limits in _RANGES.items()},
}
