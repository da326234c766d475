"""The models say what the schemas say, field by field; nothing of either stands alone."""

from __future__ import annotations

import datetime as dt
import inspect
import re
import types
import typing
from importlib.resources import files
from typing import Any, get_args, get_origin

import pytest
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from schemas import casework, event, records, routing_state
from schemas.avro_form import Schema, named_types, parse
from schemas.catalogue import catalogue, schema_file
from schemas.codes import UNKNOWN, codes, enum_code, enum_names, enum_symbol, list_names
from schemas.model import Model
from schemas.sections import CONTROL, SECTIONS

MODELS: dict[str, type[Model]] = {
    "IncidentEvent": event.IncidentEvent,
    "Delivery": records.Delivery,
    "Receipt": records.Receipt,
    "Feedback": records.Feedback,
    "DisclosureRecord": records.DisclosureRecord,
    "Quarantined": records.Quarantined,
    "RoutingState": routing_state.RoutingState,
    "Ruling": casework.Ruling,
    "Case": casework.Case,
    "Forwarded": routing_state.Forwarded,
}
PLAIN = {
    "string": str,
    "boolean": bool,
    "double": float,
    "bytes": bytes,
    "date": dt.date,
    "timestamp-millis": AwareDatetime,
    "int": int,
    "long": int,
}
CODE_LIST = re.compile(r"[Cc]ode list `([a-z0-9-]+)`")


def parsed(record: str) -> tuple[Schema, dict[str, Schema]]:
    schema = parse(catalogue().current(record).schema)
    return schema, named_types(schema)


def pairs(model: type[Model], schema: Schema, named: dict[str, Schema]) -> dict[str, tuple[type[Model], Schema]]:
    """Every record within a schema with the model that stands for it, by the record's name."""
    found: dict[str, tuple[type[Model], Schema]] = {}

    def visit(model: type[Model], schema: Schema) -> None:
        if schema["name"] in found:
            return
        found[schema["name"]] = (model, schema)
        hints = typing.get_type_hints(model)
        for field in schema["fields"]:
            inner = record_within(field["type"], named)
            if inner is not None and field["name"] in hints:
                visit(model_within(hints[field["name"]]), inner)

    visit(model, schema)
    return found


def record_within(kind: Any, named: dict[str, Schema]) -> Schema | None:
    if isinstance(kind, list):
        kind = kind[-1]
    if isinstance(kind, dict) and kind["type"] == "array":
        kind = kind["items"]
    kind = named.get(kind, kind) if isinstance(kind, str) else kind
    return kind if isinstance(kind, dict) and kind["type"] == "record" else None


def model_within(hint: Any) -> type[Model]:
    if isinstance(hint, type) and issubclass(hint, Model):
        return hint
    return next(model_within(inner) for inner in get_args(hint) if inner not in (type(None), Ellipsis))


ALL_PAIRS = [
    pytest.param(model, schema, parsed(record)[1], id=f"{record}-{name.rpartition('.')[2]}")
    for record, top in MODELS.items()
    for name, (model, schema) in pairs(top, *parsed(record)).items()
]


@pytest.mark.parametrize(("model", "schema", "named"), ALL_PAIRS)
def test_a_model_has_the_name_the_fields_and_the_order_of_its_schema(model, schema, named):
    assert model.__name__ == schema["name"].rpartition(".")[2]
    assert list(model.model_fields) == [field["name"] for field in schema["fields"]]


@pytest.mark.parametrize(("model", "schema", "named"), ALL_PAIRS)
def test_every_field_of_a_model_has_the_type_of_its_schema(model, schema, named):
    hints = typing.get_type_hints(model, include_extras=True)
    for field in schema["fields"]:
        assert_same_type(hints[field["name"]], field["type"], named, f"{model.__name__}.{field['name']}")


@pytest.mark.parametrize(("model", "schema", "named"), ALL_PAIRS)
def test_every_field_of_a_model_has_the_default_of_its_schema(model, schema, named):
    for field in schema["fields"]:
        told = model.model_fields[field["name"]]
        assert told.is_required() == ("default" not in field), f"{model.__name__}.{field['name']}"
        if "default" in field:
            expected = () if field["default"] == [] else field["default"]
            is_enum = kind_of(field["type"], named) == "enum"
            assert told.default == (enum_code(expected) if is_enum else expected), f"{model.__name__}.{field['name']}"


def kind_of(kind: Any, named: dict[str, Schema]) -> str:
    if isinstance(kind, list):
        return "union"
    kind = named.get(kind, kind) if isinstance(kind, str) else kind
    return kind if isinstance(kind, str) else kind.get("logicalType", kind["type"])


def assert_same_type(hint: Any, kind: Any, named: dict[str, Schema], where: str) -> None:
    if isinstance(kind, list):
        assert kind[0] == "null", where
        assert len(kind) == 2, where
        inner = [branch for branch in get_args(strip(hint)) if branch is not type(None)]
        assert get_origin(strip(hint)) in (types.UnionType, typing.Union), where
        assert type(None) in get_args(strip(hint)), where
        assert_same_type(inner[0], kind[1], named, where)
        return
    match kind_of(kind, named):
        case "array":
            assert get_origin(hint) is tuple, where
            item, rest = get_args(hint)
            assert rest is Ellipsis, where
            assert_same_type(item, kind["items"], named, where)
        case "record":
            assert strip(hint).__name__ == record_within(kind, named)["name"].rpartition(".")[2], where
        case "enum":
            symbols = (named[kind] if isinstance(kind, str) else kind)["symbols"]
            assert allowed_codes(hint) == {enum_code(symbol) for symbol in symbols}, where
        case plain:
            assert strip(hint) is PLAIN[plain], where
            if plain in ("int", "long"):
                assert_limits(hint, 31 if plain == "int" else 63)


def strip(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is typing.Annotated else hint


def assert_limits(hint: Any, bits: int) -> None:
    number = TypeAdapter(hint)
    assert number.validate_python((1 << bits) - 1) == (1 << bits) - 1
    assert number.validate_python(-(1 << bits)) == -(1 << bits)
    for beyond in (1 << bits, -(1 << bits) - 1):
        with pytest.raises(ValidationError):
            number.validate_python(beyond)


def allowed_codes(hint: Any) -> set[str]:
    """The codes that a model's field takes: what it says when it refuses one."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(hint).validate_python("no-such-code")
    told = refused.value.errors()[0]["msg"]
    return set(told.partition("expected one of ")[2].split(", "))


@pytest.mark.parametrize("record", MODELS)
def test_every_enum_is_its_code_list_in_order_with_unknown_first(record):
    _, named = parsed(record)
    for kind in named.values():
        if kind["type"] == "enum" and (stated := CODE_LIST.search(kind.get("doc", ""))):
            assert kind["symbols"] == ["UNKNOWN", *map(enum_symbol, codes(stated[1]))], kind["name"]


def test_every_closed_code_list_is_an_enum_of_the_event():
    _, named = parsed("IncidentEvent")
    enums = {CODE_LIST.search(kind["doc"])[1] for kind in named.values() if kind["type"] == "enum"}

    assert enums == set(enum_names())


@pytest.mark.parametrize("record", MODELS)
def test_every_code_list_that_a_schema_names_exists(record):
    text = files("schemas").joinpath("avro", schema_file(record, catalogue().current(record).version)).read_text()

    assert set(CODE_LIST.findall(text)) <= set(list_names())


def test_a_code_and_its_symbol_are_one_to_one():
    for name in list_names():
        listed = [UNKNOWN, *codes(name)]
        if name in enum_names():
            assert [enum_code(enum_symbol(code)) for code in listed] == listed


def test_the_sections_by_name_are_those_of_the_schema_in_wire_order():
    fields = catalogue().current("IncidentEvent").schema["fields"]

    assert tuple(field["name"] for field in fields if field.get("section")) == (CONTROL, *SECTIONS)


def test_no_model_stands_alone():
    used = {model for record, top in MODELS.items() for model, _ in pairs(top, *parsed(record)).values()}
    defined = {
        kind
        for module in (event, records, routing_state, casework)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Model) and kind is not Model
    }

    assert defined == used


def test_no_schema_file_stands_alone():
    listed = {
        schema_file(record, version)
        for entry in catalogue().entries
        for record, version in ((entry.record, entry.version), ("IncidentEvent", entry.event_version))
        if version is not None
    }
    found = {path.name for path in files("schemas").joinpath("avro").iterdir() if path.name.endswith(".avsc")}

    assert found == listed
    assert {entry.record for entry in catalogue().entries} == set(MODELS)


def test_every_field_and_type_of_a_schema_says_what_it_is():
    for entry in catalogue().entries:
        for kind in named_types(parse(entry.schema)).values():
            assert kind.get("doc"), kind["name"]
            for field in kind.get("fields", []):
                assert field.get("doc"), f"{kind['name']}.{field['name']}"
