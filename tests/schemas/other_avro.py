"""Avro by the letter of the specification, written for these tests: what other libraries write and read.

`write` cuts arrays into blocks in any way the specification allows. `read` trusts the size of a block where one is
stated, as decoders that skip do; fastavro ignores it. Bytes that the two read differently are what must never pass.
Times are integers. Source: Avro 1.12 specification, "Binary Encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.avro_form import Schema, named_types, parse, without_logical_types

Blocks = Callable[[list[bytes]], bytes]


def long(value: int) -> bytes:
    rest = (value << 1) ^ (value >> 63)
    out = []
    while rest >= 0x80:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def one_block(items: list[bytes]) -> bytes:
    """As Java, C# and fastavro write arrays."""
    return (long(len(items)) + b"".join(items) if items else b"") + b"\x00"


def sized_blocks(items: list[bytes]) -> bytes:
    """As Go's hamba/avro and Java's blocking encoder write arrays: every one, nested ones too."""
    content = b"".join(items)
    return (long(-len(items)) + long(len(content)) + content if items else b"") + b"\x00"


def a_block_each(items: list[bytes]) -> bytes:
    return b"".join(long(1) + item for item in items) + b"\x00"


def a_sized_block_each(items: list[bytes]) -> bytes:
    return b"".join(long(-1) + long(len(item)) + item for item in items) + b"\x00"


def mixed_blocks(items: list[bytes]) -> bytes:
    """The first item in a sized block, the rest in a plain one."""
    head, rest = items[:1], items[1:]
    return (sized_blocks(head)[:-1] if head else b"") + one_block(rest)


BLOCKS: dict[str, Blocks] = {
    blocks.__name__: blocks for blocks in (one_block, sized_blocks, a_block_each, a_sized_block_each, mixed_blocks)
}


@dataclass(frozen=True)
class Raw:
    """Bytes to stand where a value would: what no honest writer writes."""

    octets: bytes


class OtherAvro:
    """One schema, written and read by the letter."""

    def __init__(self, schema: Schema, blocks: Blocks = one_block) -> None:
        self.root = without_logical_types(parse(schema))
        self.types = named_types(self.root)
        self.blocks = blocks

    def write(self, value: Any) -> bytes:
        return self._write(self.root, value)

    def items(self, section: str, values: list[Any]) -> bytes:
        """The items of a section, encoded, without a block around them."""
        kind = next(field["type"] for field in self.root["fields"] if field["name"] == section)
        return b"".join(self._write(kind["items"], value) for value in values)

    def read(self, data: bytes) -> Any:
        value, end = self._read(self.root, data, 0)
        assert end == len(data)
        return value

    def _write(self, schema: Any, value: Any) -> bytes:
        if isinstance(value, Raw):
            return value.octets
        if isinstance(schema, list):
            index = 0 if value is None else 1
            return long(index) + self._write(schema[index], value)
        schema = self.types.get(schema, schema) if isinstance(schema, str) else schema
        match schema if isinstance(schema, str) else schema["type"]:
            case "record":
                return b"".join(self._write(field["type"], value[field["name"]]) for field in schema["fields"])
            case "array":
                return self.blocks([self._write(schema["items"], item) for item in value])
            case "enum":
                return long(schema["symbols"].index(value))
            case kind:
                return _WRITE[kind](value)

    def _read(self, schema: Any, data: bytes, at: int) -> tuple[Any, int]:
        if isinstance(schema, list):
            index, at = _read_long(data, at)
            return self._read(schema[index], data, at)
        schema = self.types.get(schema, schema) if isinstance(schema, str) else schema
        match schema if isinstance(schema, str) else schema["type"]:
            case "record":
                value = {}
                for field in schema["fields"]:
                    value[field["name"]], at = self._read(field["type"], data, at)
                return value, at
            case "array":
                return self._read_blocks(schema["items"], data, at)
            case "enum":
                index, at = _read_long(data, at)
                return schema["symbols"][index], at
            case kind:
                return _READ[kind](data, at)

    def _read_blocks(self, item: Any, data: bytes, at: int) -> tuple[list[Any], int]:
        values = []
        while True:
            count, at = _read_long(data, at)
            if count == 0:
                return values, at
            stated_end = None
            if count < 0:
                size, at = _read_long(data, at)
                stated_end = at + size
            for _ in range(abs(count)):
                value, at = self._read(item, data, at)
                values.append(value)
            at = at if stated_end is None else stated_end


def _read_long(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        result |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (result >> 1) ^ -(result & 1), at


def _read_sized(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _read_long(data, at)
    return data[at : at + size], at + size


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    raw, at = _read_sized(data, at)
    return raw.decode(), at


_WRITE: dict[str, Callable[[Any], bytes]] = {
    "null": lambda _: b"",
    "boolean": lambda value: bytes([value]),
    "int": long,
    "long": long,
    "double": lambda value: struct.pack("<d", value),
    "string": lambda value: long(len(value.encode())) + value.encode(),
    "bytes": lambda value: long(len(value)) + value,
}
_READ: dict[str, Callable[[bytes, int], tuple[Any, int]]] = {
    "null": lambda _, at: (None, at),
    "boolean": lambda data, at: (data[at] == 1, at + 1),
    "int": _read_long,
    "long": _read_long,
    "double": lambda data, at: (struct.unpack_from("<d", data, at)[0], at + 8),
    "string": _read_text,
    "bytes": _read_sized,
}
