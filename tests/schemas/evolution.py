"""What a released schema must be, and what a later version may change.

Full transitive compatibility: every version reads what every other wrote. Source: Avro 1.12 specification, "Schema
Resolution"; narrower where readers differ (a name is matched in full, a number is never widened).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.avro_form import Schema, named_types, parse
from schemas.walk import Walker

REQUIRED = {
    "huecry.event.IncidentEvent": {"origin", "incident_id", "sent_at", "contact"},
}
"""Of the event: what a receiver must have even when the router makes one afresh. All else has a default."""


def faults(schema: Schema) -> list[str]:
    """What is wrong with one schema, taken by itself."""
    try:
        Walker(schema)
    except ValueError as error:
        return [str(error)]
    parsed = parse(schema)
    found = []
    for name, kind in named_types(parsed).items():
        if kind["type"] == "enum":
            if kind["symbols"][0] != "UNKNOWN" or kind.get("default") != "UNKNOWN":
                found.append(f"{name}: UNKNOWN is not the first symbol and the default")
            if len(kind["symbols"]) > 64:
                found.append(f"{name}: more than 64 symbols")
    return [*found, *_misstated_defaults(parsed), *_misplaced_sections(parsed)]


def _misstated_defaults(parsed: Schema) -> Iterator[str]:
    required = REQUIRED.get(parsed["name"])
    for field in parsed["fields"] if required else []:
        if ("default" in field) == (field["name"] in required):
            yield f"{parsed['name']}.{field['name']}: {'has' if 'default' in field else 'has no'} default"


def _misplaced_sections(parsed: Schema) -> Iterator[str]:
    sections = [bool(field.get("section")) for field in parsed["fields"]]
    if sections != sorted(sections):
        yield f"{parsed['name']}: a field stands after the first section and is not marked as one"
    for field in parsed["fields"]:
        is_array = isinstance(field["type"], dict) and field["type"]["type"] == "array"
        if field.get("section") and not (is_array and field.get("default") == []):
            yield f"{parsed['name']}.{field['name']}: a section must be an array that is empty by default"


def incompatibilities(older: Schema, newer: Schema) -> list[str]:
    """Why either of two versions could not read what the other wrote."""
    return [
        *(f"the newer reading the older: {why}" for why in _Reading(parse(newer), parse(older)).faults()),
        *(f"the older reading the newer: {why}" for why in _Reading(parse(older), parse(newer)).faults()),
        *_symbols_lost(named_types(parse(older)), named_types(parse(newer))),
    ]


def _symbols_lost(older: dict[str, Schema], newer: dict[str, Schema]) -> Iterator[str]:
    for name in older.keys() & newer.keys():
        before = older[name].get("symbols", [])
        if newer[name].get("symbols", [])[: len(before)] != before:
            yield f"{name}: symbols were removed or changed places; new ones go last"


class _Reading:
    """One schema reading what another wrote."""

    def __init__(self, reader: Schema, writer: Schema) -> None:
        self.reader, self.writer = reader, writer
        self.readers, self.writers = named_types(reader), named_types(writer)

    def faults(self) -> Iterator[str]:
        return self.compare(self.reader, self.writer, self.reader["name"].rpartition(".")[2])

    def compare(self, reader: Any, writer: Any, at: str) -> Iterator[str]:
        reader, writer = self.readers.get(_key(reader), reader), self.writers.get(_key(writer), writer)
        if isinstance(reader, list) != isinstance(writer, list):
            yield f"{at}: one is a union and the other is not"
        elif isinstance(reader, list):
            yield from self.unions(reader, writer, at)
        elif _kind(reader) != _kind(writer):
            yield f"{at}: {_kind(writer)} became {_kind(reader)}"
        elif isinstance(reader, dict) and "name" in reader and reader["name"] != writer["name"]:
            yield f"{at}: {writer['name']} became {reader['name']}"
        elif _kind(reader) == "array":
            yield from self.compare(reader["items"], writer["items"], f"{at}[]")
        elif _kind(reader) == "enum":
            if "default" not in reader and not set(writer["symbols"]) <= set(reader["symbols"]):
                yield f"{at}: symbols that the reader does not have, and no default"
        elif _kind(reader) == "record":
            yield from self.records(reader, writer, at)

    def unions(self, reader: list[Any], writer: list[Any], at: str) -> Iterator[str]:
        if len(reader) != len(writer):
            yield f"{at}: a union of {len(writer)} became one of {len(reader)}"
        for ours, theirs in zip(reader, writer, strict=False):
            yield from self.compare(ours, theirs, at)

    def records(self, reader: Schema, writer: Schema, at: str) -> Iterator[str]:
        written = _fields(writer)
        for name, field in _fields(reader).items():
            if name in written:
                yield from self.compare(field["type"], written[name]["type"], f"{at}.{name}")
                if bool(field.get("section")) != bool(written[name].get("section")):
                    yield f"{at}.{name}: a section in one version and part of the head in the other"
            elif "default" not in field:
                yield f"{at}.{name}: is not in what was written, and has no default"
        shared = [name for name in _fields(reader) if name in written]
        if shared != [name for name in written if name in _fields(reader)]:
            yield f"{at}: fields changed places"


def _fields(record: Schema) -> dict[str, Schema]:
    return {field["name"]: field for field in record["fields"]}


def _key(schema: Any) -> str | None:
    return schema if isinstance(schema, str) else None


def _kind(schema: Any) -> str:
    return schema if isinstance(schema, str) else schema.get("logicalType", schema["type"])
