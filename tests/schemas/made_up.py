"""A second version of the event that was never released: what a next release may look like, for tests."""

from __future__ import annotations

from copy import deepcopy

from schemas.avro_form import Schema
from schemas.catalogue import Catalogue, Entry, catalogue, compose_delivery, event_schema_of

EVENT_V2 = 1_212_500_002
DELIVERY_V1_OF_EVENT_V2 = 1_212_501_002

URGENCY = {"name": "urgency", "type": ["null", "string"], "doc": "Made up.", "default": None}
EXHIBITS = {
    "name": "exhibits",
    "type": {
        "type": "array",
        "items": {
            "type": "record",
            "name": "Exhibit",
            "doc": "Made up.",
            "fields": [
                {"name": "exhibit_ref", "type": "string", "doc": "Made up."},
                {"name": "seals", "type": {"type": "array", "items": "string"}, "doc": "Made up.", "default": []},
            ],
        },
    },
    "doc": "Made up.",
    "default": [],
    "section": True,
}


def event_v1() -> Schema:
    """The event as released, to change freely."""
    return deepcopy(catalogue().versions("IncidentEvent")[0].schema)


def event_v2() -> Schema:
    """The event with one more field in the head, one more section, and one more code."""
    schema = event_v1()
    split = next(i for i, field in enumerate(schema["fields"]) if field.get("section"))
    schema["fields"][split:split] = [URGENCY]
    schema["fields"].append(EXHIBITS)
    kind = next(field for field in schema["fields"] if field["name"] == "kind")
    kind["type"]["symbols"].append("ESCALATED")
    return schema


def catalogue_of_two() -> Catalogue:
    """The catalogue with that version, and the delivery that carries it."""
    released = catalogue()
    event = Entry(EVENT_V2, "IncidentEvent", 2, event_v2())
    delivery = released.current("Delivery").schema
    terms = {
        **delivery,
        "fields": [delivery["fields"][0], {**delivery["fields"][1], "type": "huecry.event.IncidentEvent"}],
    }
    pair = Entry(DELIVERY_V1_OF_EVENT_V2, "Delivery", 1, compose_delivery(terms, event.schema), 2)
    assert event_schema_of(pair) == event.schema
    return Catalogue((*released.entries, event, pair))
