"""The checker of versions finds what it should: tried on second versions that were never released."""

from __future__ import annotations

from copy import deepcopy
from io import BytesIO

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings

from schemas.avro_form import Schema
from tests.schemas.evolution import faults, incompatibilities
from tests.schemas.generated import values_of
from tests.schemas.made_up import event_v1, event_v2

UNHURRIED = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def field(schema: Schema, name: str) -> Schema:
    return next(field for field in schema["fields"] if field["name"] == name)


def person(schema: Schema) -> Schema:
    return field(schema, "suspects")["type"]["items"]


def remove(schema: Schema, name: str) -> None:
    schema["fields"].remove(field(schema, name))


def insert(schema: Schema, name: str, kind: object, **more: object) -> None:
    schema["fields"].insert(3, {"name": name, "type": kind, "doc": "Made up.", **more})


def swap(schema: Schema, one: int, other: int) -> None:
    schema["fields"][one], schema["fields"][other] = schema["fields"][other], schema["fields"][one]


INCOMPATIBLE = {
    "a new field without a default": lambda s: insert(s, "urgency", "string"),
    "a required field removed": lambda s: remove(s, "incident_id"),
    "a field's type changed": lambda s: field(s, "local_ref").update(type="long", default=0),
    "a field made nullable": lambda s: field(s, "local_ref").update(type=["null", "string"], default=None),
    "a nullable field made plain": lambda s: field(s, "primacy").update(type="string", default=""),
    "a union with a third branch": lambda s: field(s, "primacy")["type"].append("long"),
    "a union turned round": lambda s: field(s, "primacy").update(type=["string", "null"], default=""),
    "a number widened": lambda s: field(person(s), "height_cm").update(type=["null", "double"]),
    "a time made a plain number": lambda s: field(s, "sent_at").update(type="long"),
    "a record renamed": lambda s: field(s, "hazards")["type"]["items"].update(name="Danger"),
    "a code removed": lambda s: field(s, "kind")["type"]["symbols"].remove("SPLIT"),
    "a code put in the middle": lambda s: field(s, "kind")["type"]["symbols"].insert(2, "ESCALATED"),
    "fields swapped": lambda s: swap(s, 2, 3),
    "a section made part of the head": lambda s: field(s, "control").pop("section"),
    "deep inside: a new field without a default": lambda s: insert(person(s), "shoe_size", "int"),
    "deep inside: a required field removed": lambda s: field(s, "facts")["type"]["items"]["fields"].pop(0),
}
UNSOUND = {
    "a type that holds itself": lambda s: insert(person(s), "parent", ["null", "Person"], default=None),
    "items that take no byte": lambda s: insert(s, "nothing", {"type": "array", "items": "null"}, default=[]),
    "a map": lambda s: insert(s, "extras", {"type": "map", "values": "string"}, default={}),
    "an enum without UNKNOWN first": lambda s: field(s, "kind")["type"].update(symbols=["CREATED", "UNKNOWN"]),
    "an enum without a default": lambda s: field(s, "kind")["type"].pop("default"),
    "a field without a default": lambda s: field(s, "local_ref").pop("default"),
    "a default where none may be": lambda s: field(s, "incident_id").update(default=""),
    "a field after the sections": lambda s: s["fields"].append({"name": "late", "type": "string", "default": ""}),
    "a section that is no array": lambda s: field(s, "local_ref").update(section=True),
    "a section with something in it by default": lambda s: field(s, "hazards").pop("default"),
}


def test_a_new_field_a_new_section_and_a_new_code_are_compatible():
    assert faults(event_v2()) == []
    assert incompatibilities(event_v1(), event_v2()) == []


@pytest.mark.parametrize("change", INCOMPATIBLE)
def test_the_checker_finds(change):
    changed = event_v1()
    INCOMPATIBLE[change](changed)

    assert incompatibilities(event_v1(), changed) != []


@pytest.mark.parametrize("change", UNSOUND)
def test_the_checker_finds_unsound(change):
    changed = event_v1()
    UNSOUND[change](changed)

    assert faults(changed) != []


def decoded(value: object, writer: Schema, reader: Schema) -> dict:
    out = BytesIO()
    fastavro.schemaless_writer(out, writer, value)
    return fastavro.schemaless_reader(BytesIO(out.getvalue()), deepcopy(writer), deepcopy(reader))


@UNHURRIED
@given(values_of(event_v1()))
def test_the_newer_version_reads_what_the_older_wrote(value):
    assert decoded(value, event_v1(), event_v2()) == {**value, "urgency": None, "exhibits": []}


@UNHURRIED
@given(values_of(event_v2()))
def test_the_older_version_reads_what_the_newer_wrote(value):
    known = {name: inner for name, inner in value.items() if name not in ("urgency", "exhibits")}
    kind = "UNKNOWN" if value["kind"] == "ESCALATED" else value["kind"]

    assert decoded(value, event_v2(), event_v1()) == {**known, "kind": kind}
