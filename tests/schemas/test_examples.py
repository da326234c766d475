"""The examples are what the schemas say they are, and nobody real is in them."""

from __future__ import annotations

import doctest
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

import schemas
from schemas.avro_form import Schema, named_types, parse
from schemas.casework import Case, Ruling
from schemas.catalogue import catalogue, schema_file
from schemas.codec import EventCodec, decode, encode, encode_address, encode_terms
from schemas.codes import is_code
from schemas.event import IncidentEvent
from schemas.records import Delivery, DisclosureRecord, Feedback, Quarantined, Receipt
from schemas.routing_state import Forwarded, RoutingState
from schemas.sections import CONTROL, SECTIONS

MODELS = {
    "incident_event": IncidentEvent,
    "delivery": Delivery,
    "receipt": Receipt,
    "feedback": Feedback,
    "disclosure_record": DisclosureRecord,
    "quarantined": Quarantined,
    "routing_state": RoutingState,
    "ruling": Ruling,
    "case": Case,
    "forwarded": Forwarded,
}
EXAMPLES = {
    path.name: json.loads(path.read_text("utf-8"))
    for path in sorted(files("schemas").joinpath("examples").iterdir(), key=lambda path: path.name)
    if path.name.endswith(".json")
}
LIMIT = 64 * 1024
CODE_LIST = re.compile(r"Code list `([a-z-]+)`")
PERSONS = tuple(name for name in SECTIONS if name in "suspects convicted victims witnesses callers subjects associates")


def model_of(name: str) -> Any:
    return MODELS[name.partition(".")[0]].model_validate_json(json.dumps(EXAMPLES[name]))


def events() -> Iterator[Any]:
    for name, example in EXAMPLES.items():
        if name.startswith(("incident_event.", "delivery.")):
            yield example.get("event", example)


def test_every_record_has_an_example_and_no_example_is_of_anything_else():
    records = {schema_file(entry.record, 1).partition(".")[0] for entry in catalogue().entries}

    assert {name.partition(".")[0] for name in EXAMPLES} == records


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.startswith("incident_event.")])
def test_an_event_goes_through_the_codec_unchanged(name):
    event = model_of(name)
    codec = EventCodec()
    framed = codec.encode(event.to_avro())
    entry, _ = codec.open(framed, LIMIT)

    assert IncidentEvent.from_avro(codec.form(entry).decode(framed[5:])) == event


@pytest.mark.parametrize("name", [n for n in EXAMPLES if not n.startswith(("incident_event.", "delivery."))])
def test_a_record_goes_through_the_codec_unchanged(name):
    value = model_of(name)
    record = type(value).__name__

    assert type(value).from_avro(decode(record, encode(record, value.to_avro()), LIMIT)) == value


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.startswith("delivery.")])
def test_a_delivery_is_put_together_from_terms_and_a_view_and_read_as_one(name):
    delivery = model_of(name)
    codec = EventCodec()
    entry, opened = codec.open(codec.encode(delivery.event.to_avro()), LIMIT)
    terms = delivery.disclosure
    framed = b"".join(
        (
            codec.delivery_frame(entry),
            encode_address(terms.delivery_id, terms.to, terms.stream),
            encode_terms(terms.to_avro()),
            opened.view(terms.covers),
        )
    )

    assert Delivery.from_avro(decode("Delivery", framed, LIMIT)) == delivery


def test_the_deliverys_event_holds_no_section_that_is_not_covered():
    for name in EXAMPLES:
        if name.startswith("delivery."):
            delivery = model_of(name)
            stated = {section for section in (CONTROL, *SECTIONS) if getattr(delivery.event, section)}
            assert stated <= set(delivery.disclosure.covers)
            assert {ground.section for ground in delivery.disclosure.grounds} == {"head", *delivery.disclosure.covers}


def test_every_section_is_shown_by_some_example():
    assert {name for event in events() for name in (CONTROL, *SECTIONS) if event.get(name)} == {CONTROL, *SECTIONS}


def codes_used(schema: Any, types: dict[str, Schema], value: Any) -> Iterator[tuple[str, str]]:
    """Every value of an example whose field names a code list, with the list."""
    schema = types.get(schema, schema) if isinstance(schema, str) else schema
    if isinstance(schema, list):
        schema = types.get(schema[-1], schema[-1]) if isinstance(schema[-1], str) else schema[-1]
    if not isinstance(schema, dict) or value is None:
        return
    if schema["type"] == "array":
        for item in value:
            yield from codes_used(schema["items"], types, item)
    for field in schema.get("fields", []):
        if field["name"] not in value:
            continue
        inner = value[field["name"]]
        if listed := CODE_LIST.search(field.get("doc", "")):
            for code in [inner] if isinstance(inner, str) else inner or []:
                yield listed[1], code
        yield from codes_used(field["type"], types, inner)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_code_of_an_example_is_in_its_list(name):
    record = MODELS[name.partition(".")[0]].__name__
    schema = parse(catalogue().current(record).schema)
    used = list(codes_used(schema, named_types(schema), EXAMPLES[name]))

    assert [pair for pair in used if not is_code(*pair)] == []
    assert used or record in ("Receipt", "Feedback", "Quarantined", "Ruling", "Case", "Forwarded")


def test_every_person_of_an_example_has_a_role_of_its_section():
    for event in events():
        for section in PERSONS:
            for person in event.get(section, []):
                assert is_code(f"{section}-role", person["role"])


def test_telephones_and_addresses_are_of_the_kind_set_aside_for_fiction():
    """Ofcom's numbers for drama (01632 960, 07700 900); RFC 2606 for addresses; all persons are named Invented."""
    for name, example in EXAMPLES.items():
        text = json.dumps(example)
        assert set(re.findall(r'"((?:\+44|0)[0-9 ]{9,})"', text)) <= set(
            re.findall(r'"(01632 960\d{3}|07700 900\d{3})"', text)
        ), name
        assert all(address.endswith(".example") for address in re.findall(r"[\w.-]+@[\w.-]+", text)), name
        assert all(given == "Invented" for given in re.findall(r'"given": "([^"]*)"', text)), name


def test_the_tour_of_the_package_does_what_it_says():
    assert doctest.testmod(schemas).failed == 0
