"""Events that are valid Avro in another form than ours (positive counts, several blocks) are rewritten in ours.

The slow path for serialisers other than ours. `walk` checks every byte against the schema first: sizes of blocks must
be true, indexes in range, numbers written shortly, text UTF-8; so whatever two decoders could read differently is
refused here, before it is read at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from schemas.avro_form import Schema, named_types, parse, without_logical_types
from schemas.cut import EventForm, NotSized, OpenEvent
from schemas.errors import Rejected
from schemas.wire import read_long

_FIXED_WIDTH: Final = {"float": 4, "double": 8}


def open_event(form: EventForm, body: bytes) -> OpenEvent:
    """Open an event in any valid form.

    Raises:
        Rejected: it is malformed, or two decoders could read it differently.
    """
    try:
        return form.open(body)
    except NotSized:
        _walker(id(form), form).check(body)
        return form.open(form.encode(form.decode(body)))


@lru_cache(maxsize=64)
def _walker(_identity: int, form: EventForm) -> Walker:
    return Walker(form.schema)


class Walker:
    """Checks bodies of one schema byte by byte. Some 20 times slower than fastavro: for the slow path only."""

    def __init__(self, schema: Schema) -> None:
        parsed = without_logical_types(parse(schema))
        self._root = parsed
        self._types = named_types(parsed)
        self._steps: Mapping[str, Callable[[bytes, int, Any], int]] = {
            "record": self._record,
            "enum": self._enum,
            "array": self._array,
        }

    def check(self, body: bytes) -> None:
        """Walk the whole body.

        Raises:
            Rejected: at the first byte that an honest writer would not write.
        """
        end = self._walk(body, 0, self._root)
        if end != len(body):
            raise Rejected("trailing", f"the event ends at byte {end}, and {len(body) - end} more bytes came")

    def _walk(self, body: bytes, at: int, schema: Any) -> int:  # noqa: ANN401
        if isinstance(schema, list):
            branch, at = self._index(body, at, len(schema), "union")
            return self._walk(body, at, schema[branch])
        kind = schema["type"] if isinstance(schema, dict) else schema
        if step := self._steps.get(kind):
            return step(body, at, schema)
        if kind in self._types:
            return self._walk(body, at, self._types[kind])
        return _primitive(body, at, kind)

    def _record(self, body: bytes, at: int, schema: Any) -> int:  # noqa: ANN401
        for field in schema["fields"]:
            at = self._walk(body, at, field["type"])
        return at

    def _enum(self, body: bytes, at: int, schema: Any) -> int:  # noqa: ANN401
        return self._index(body, at, len(schema["symbols"]), "enum")[1]

    def _array(self, body: bytes, at: int, schema: Any) -> int:  # noqa: ANN401
        while True:
            count, at = read_long(body, at)
            if count == 0:
                return at
            stated_end = None
            if count < 0:
                size, at = read_long(body, at)
                stated_end, count = at + size, -count
            if count > len(body) - at:
                raise Rejected("truncated", f"a block before byte {at} states more items than bytes are left")
            for _ in range(count):
                at = self._walk(body, at, schema["items"])
            if stated_end not in (None, at):
                raise Rejected("not-canonical", f"a block states that it ends at byte {stated_end} and ends at {at}")

    @staticmethod
    def _index(body: bytes, at: int, limit: int, what: str) -> tuple[int, int]:
        index, end = read_long(body, at)
        if not 0 <= index < limit:
            raise Rejected("not-canonical", f"{what} at byte {at} has index {index}, expected 0 to {limit - 1}")
        return index, end


def _primitive(body: bytes, at: int, kind: str) -> int:
    if kind == "null":
        return at
    if kind in ("int", "long"):
        return read_long(body, at)[1]
    if kind in ("string", "bytes"):
        size, start = read_long(body, at)
        end = _bounded(body, start, size)
        if kind == "string":
            _check_text(body, start, end)
        return end
    if kind == "boolean":
        end = _bounded(body, at, 1)
        if body[at] > 1:
            raise Rejected("not-canonical", f"boolean at byte {at} is neither 0 nor 1")
        return end
    return _bounded(body, at, _FIXED_WIDTH[kind])


def _bounded(body: bytes, at: int, size: int) -> int:
    if size < 0 or at + size > len(body):
        raise Rejected("truncated", f"expected {size} bytes at byte {at}, and {len(body) - at} are left")
    return at + size


def _check_text(body: bytes, start: int, end: int) -> None:
    try:
        body[start:end].decode()
    except UnicodeDecodeError:
        raise Rejected("undecodable", f"text at byte {start} is not UTF-8") from None
