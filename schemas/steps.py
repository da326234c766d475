"""One small function for each type of Avro, that checks a value's bytes and says where they end.

Put together for a schema by `schemas.walk`. Source: Avro 1.12 specification, "Binary Encoding".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from struct import unpack_from
from typing import Final

from schemas.errors import Rejected
from schemas.wire import read_long

Step = Callable[[bytes, int], int]
"""Checks the value that starts at a position and says where it ends. `IndexError`: the data ends before it does."""


Block = tuple[int, int, int]
"""One block of an array: how many items, where they start, where they end."""

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


def primitive(kind: str, logical: str | None = None) -> Step:
    """The step of a type without a name.

    Raises:
        ValueError: messages of the exchange are made without it.
    """
    step = _PRIMITIVES.get(logical or kind) or _PRIMITIVES.get(kind)
    if step is None:
        msg = f"expected one of the types that messages of the exchange are made of, got {kind}"
        raise ValueError(msg)
    return step


def record(fields: list[Step]) -> Step:
    """One field after the other."""

    def fields_end(body: bytes, at: int) -> int:
        for field in fields:
            at = field(body, at)
        return at

    return fields_end


def union(branches: list[Step], *, first_is_null: bool) -> Step:
    """The index of a branch, then a value of it."""
    index = index_below(len(branches), "union")

    def branch_end(body: bytes, at: int) -> int:
        start = index(body, at)
        return branches[body[at] >> 1](body, start)

    def optional_end(body: bytes, at: int) -> int:
        if not body[at]:
            return at + 1
        return stated(body, at + 1) if body[at] == 2 else index(body, at)

    if len(branches) == 2 and first_is_null:
        stated = branches[1]
        return optional_end
    return branch_end


def index_below(limit: int, what: str) -> Step:
    """An index of a branch or a symbol: 0 to ``limit - 1``.

    Raises:
        ValueError: the limit is above 64, which no schema of ours comes near.
    """
    if limit > 64:
        msg = f"expected a schema with at most 64 branches or symbols in one {what}, got {limit}"
        raise ValueError(msg)
    # Below 64 an index is one byte: twice its value (zigzag).
    indexes = frozenset(range(0, 2 * limit, 2))

    def index_end(body: bytes, at: int) -> int:
        if body[at] in indexes:
            return at + 1
        index, _ = read_long(body, at)
        raise Rejected("not-canonical", f"{what} at byte {at} has index {index}, expected 0 to {limit - 1}")

    return index_end


def array(item: Step) -> Step:
    """Blocks of items, and a zero."""

    def array_end(body: bytes, at: int) -> int:
        while body[at]:
            _, _, at = block(body, at, item)
        return at + 1

    return array_end


def block(body: bytes, at: int, item: Step) -> Block:
    """The block that starts at ``at``; a size that it states must be true."""
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
    return count, start, end


def _boolean(body: bytes, at: int) -> int:
    if body[at] > 1:
        raise Rejected("not-canonical", f"boolean at byte {at} is neither 0 nor 1")
    return at + 1


def _number(least: int, most: int, what: str) -> Step:
    def number_end(body: bytes, at: int) -> int:
        value, end = read_long(body, at)
        if not least <= value <= most:
            raise Rejected("out-of-range", f"expected a number {what} at byte {at}, and it is not")
        return end

    return number_end


def double(most: float | None = None) -> Step:
    """A finite number; degrees, no more of them than ``most``."""

    def double_end(body: bytes, at: int) -> int:
        if at + 8 > len(body):
            raise IndexError
        (value,) = unpack_from("<d", body, at)
        if not isfinite(value) or (most is not None and abs(value) > most):
            limit = "a finite number" if most is None else f"degrees from -{most:g} to {most:g}"
            raise Rejected("out-of-range", f"expected {limit} at byte {at}, and it is not")
        return at + 8

    return double_end


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
    "double": double(),
    "bytes": _bytes,
    "string": _text,
    **{kind: _number(*limits) for kind, limits in _RANGES.items()},
}
