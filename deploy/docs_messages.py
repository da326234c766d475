"""The reference page of messages: every record, field and enum of the newest schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from deploy.docs_markdown import table
from schemas.catalogue import Entry, Schema, catalogue

_Type = Schema | list[Any] | str
"""A schema as Avro writes it: a declaration, a union, or the name of a type."""

_DECLARED: Final = ("record", "enum", "fixed")


def messages_page() -> str:
    """Every message: the pinned ids, then each record, field and enum of the newest version."""
    page = f"""# Messages

Values are Avro in Confluent wire format: a zero byte, the schema id in 4 bytes, the body. Ids are pinned in the package
and served by `huecry registry serve`. `schemas/avro/*.avsc` is the truth; released files never change.

{table(["schema id", "record", "version", "carries"], map(_id_row, catalogue().entries))}
"""
    described: set[str] = set()
    for record in dict.fromkeys(entry.record for entry in catalogue().entries):
        for depth, declared in _declared_types(catalogue().current(record).schema, described):
            page += f"\n{'##' if depth == 0 else '###'} {_short(declared['name'])}\n\n{_description(declared)}\n"
    return page


def _id_row(entry: Entry) -> list[str]:
    carries = "" if entry.event_version is None else f"version {entry.event_version} of the event"
    return [str(entry.schema_id), f"[{entry.record}](#{entry.record.lower()})", str(entry.version), carries]


def _description(declared: Schema) -> str:
    if declared["type"] == "enum":
        described = ", ".join(f"`{symbol}`" for symbol in declared["symbols"])
    elif declared["type"] == "fixed":
        described = f"{declared['size']} bytes."
    else:
        rows = [
            [f"`{f['name']}`", _type_text(f["type"]), _default_text(f), f.get("doc", "")] for f in declared["fields"]
        ]
        described = table(["field", "type", "default", "what it says"], rows)
    return f"{declared['doc']}\n\n{described}" if declared.get("doc") else described


def _declared_types(schema: _Type, described: set[str], depth: int = 0) -> Iterator[tuple[int, Schema]]:
    """Records, enums and fixed types, each once, a record before the types of its fields."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _declared_types(branch, described, depth)
    elif isinstance(schema, dict) and schema["type"] in _DECLARED:
        if schema["name"] not in described:
            described.add(schema["name"])
            yield depth, schema
            for field in schema.get("fields", ()):
                yield from _declared_types(field["type"], described, depth + 1)
    elif isinstance(schema, dict):
        inner = schema.get("items") or schema.get("values") or schema["type"]
        yield from _declared_types(inner, described, depth)


def _type_text(schema: _Type) -> str:
    if isinstance(schema, list):
        return " or ".join(_type_text(branch) for branch in sorted(schema, key=lambda branch: branch == "null"))
    if isinstance(schema, str):
        return _link(schema) if _short(schema)[:1].isupper() else schema
    match schema:
        case {"type": "array", "items": inner}:
            text = f"list of {_type_text(inner)}"
        case {"type": "map", "values": inner}:
            text = f"map of text to {_type_text(inner)}"
        case {"logicalType": logical}:
            text = f"{schema['type']} ({logical})"
        case {"name": name}:
            text = _link(name)
        case _:
            text = _type_text(schema["type"])
    return text


def _link(name: str) -> str:
    return f"[{_short(name)}](#{_short(name).lower()})"


def _short(name: str) -> str:
    """A type's name without its namespace."""
    return name.rpartition(".")[2]


def _default_text(field: Schema) -> str:
    return f"`{json.dumps(field['default'])}`" if "default" in field else "required"
