"""Readers and writers over fastavro that treat hostile bytes as a `Rejected`, quickly and in bounded memory.

Bounds: the caller has checked the size (`wire.unframe`); no type of ours is recursive and no array item of ours takes
less than one byte, so what is decoded is bounded by what came. fastavro lets several malformed encodings through (union
or enum index -1, boolean 2, overlong numbers): `schemas.walk` refuses those, where bytes come from another organisation
or are passed on.
"""

from __future__ import annotations

from copy import deepcopy
from io import BytesIO
from typing import Any, Final

import fastavro

from schemas.errors import Rejected

Schema = dict[str, Any]

_PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


class Form:
    """One schema, ready to read and write bodies without a frame."""

    __slots__ = ("_parsed", "_reader")

    def __init__(self, schema: Schema, reader: Schema | None = None) -> None:
        self._parsed = parse(schema)
        self._reader = parse(reader) if reader else None

    def encode(self, value: Any) -> bytes:  # noqa: ANN401  any Avro value
        """The value as fastavro writes it: arrays as one block without a size.

        Raises:
            Rejected: it is not a value of this schema. The cause is left out: it quotes the value.
        """
        out = BytesIO()
        try:
            fastavro.schemaless_writer(out, self._parsed, value)
        except Exception as error:  # noqa: BLE001  fastavro raises a dozen kinds on values that do not fit
            message = f"expected a value of {self._parsed['name']}, and one of its fields does not fit"
            raise Rejected("unencodable", f"{message} ({type(error).__name__})") from None
        return out.getvalue()

    def decode(self, data: bytes, what: str) -> Any:  # noqa: ANN401
        """The value that ``data`` is, to its last byte.

        Raises:
            Rejected: it does not decode, or bytes are left over. The cause is left out: it may quote the data.
        """
        source = BytesIO(data)
        try:
            value = fastavro.schemaless_reader(source, self._parsed, self._reader)
        except Exception as error:  # noqa: BLE001  fastavro raises a dozen kinds on malformed bytes
            raise Rejected(
                "undecodable",
                f"{what} does not decode ({type(error).__name__} near byte {source.tell()} of {len(data)})",
                remedy="publish what an Avro serialiser writes with this schema",
            ) from None
        if (end := source.tell()) != len(data):
            raise Rejected("trailing", f"{what} ends at byte {end}, and {len(data) - end} more bytes came")
        return value


def parse(schema: Schema) -> Schema:
    """A record's schema as fastavro wants it: names in full, checked."""
    parsed = fastavro.parse_schema(schema, named_schemas={})
    if not isinstance(parsed, dict):
        msg = f"expected the schema of a record, got a {type(parsed).__name__}"
        raise TypeError(msg)
    return parsed


def without_logical_types(schema: Any) -> Any:  # noqa: ANN401
    """The same schema with logical types taken off: times stay integers, which is a good deal faster to read."""
    if isinstance(schema, list):
        return [without_logical_types(branch) for branch in schema]
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    return schema


def named_types(schema: Any, found: dict[str, Schema] | None = None) -> dict[str, Schema]:  # noqa: ANN401
    """Every named type defined in a parsed schema, by full name."""
    found = {} if found is None else found
    if isinstance(schema, list):
        for branch in schema:
            named_types(branch, found)
    elif isinstance(schema, dict):
        if schema["type"] in ("record", "enum", "fixed"):
            found[schema["name"]] = schema
        for inner in schema.get("fields", []):
            named_types(inner["type"], found)
        for key in ("items", "values"):
            if key in schema:
                named_types(schema[key], found)
    return found


def self_contained(schema: Any, types: dict[str, Schema]) -> Any:  # noqa: ANN401
    """A part of a parsed schema that can stand alone: each name is defined where it is first used."""
    return _define(deepcopy(schema), types, set())


def _define(schema: Any, types: dict[str, Schema], seen: set[str]) -> Any:  # noqa: ANN401
    if isinstance(schema, list):
        return [_define(branch, types, seen) for branch in schema]
    if isinstance(schema, str):
        if schema in _PRIMITIVES or schema in seen:
            return schema
        schema = deepcopy(types[schema])
    name = schema.get("name")
    if name in seen:
        return name
    if name:
        seen.add(name)
    if "fields" in schema:
        schema["fields"] = [{**field, "type": _define(field["type"], types, seen)} for field in schema["fields"]]
    for key in ("items", "values"):
        if key in schema:
            schema[key] = _define(schema[key], types, seen)
    return schema
