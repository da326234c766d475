"""Values made from the schemas themselves: events and other records as Hypothesis strategies."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from schemas.avro_form import Schema, named_types, parse
from schemas.catalogue import Record, catalogue
from schemas.event import IncidentEvent

SECTION_ITEMS = 2
TEXTS = st.one_of(st.text(max_size=6), st.sampled_from(["", "é", "x" * 63, "x" * 64, "\U0001f6a8" * 40]))
LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)
SLUGS = st.sampled_from(["west-yorkshire", "greater-manchester", "a"])
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The first and the last millisecond of the years 1 to 9999."""
TIMES = st.one_of(st.integers(1_577_836_800_000, 1_893_456_000_000), st.sampled_from([FIRST_MS, LAST_MS, -1, 0])).map(
    lambda ms: EPOCH + dt.timedelta(milliseconds=ms)
)
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(1 << 31), (1 << 31) - 1),
    "long": st.integers(-(1 << 63), (1 << 63) - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "bytes": st.binary(max_size=9),
    "string": TEXTS,
    "date": st.dates(),
    "timestamp-millis": TIMES,
}
FIELDS: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("huecry.event.Point", "latitude"): LATITUDES,
    ("huecry.event.Point", "longitude"): LONGITUDES,
    ("huecry.event.IncidentEvent", "origin"): SLUGS,
    ("huecry.event.IncidentEvent", "incident_id"): st.text(min_size=1, max_size=5),
}


class _Values:
    """Strategies for the types of one schema; what a record says by default is often left at that."""

    def __init__(self, schema: Schema) -> None:
        self.root = parse(schema)
        self.types = named_types(self.root)
        self.made: dict[str, st.SearchStrategy[Any]] = {}

    def of(self, schema: Any) -> st.SearchStrategy[Any]:
        if isinstance(schema, list):
            return st.one_of([self.of(branch) for branch in schema])
        if isinstance(schema, str):
            return PRIMITIVES[schema] if schema in PRIMITIVES else self.of(self.types[schema])
        match schema["type"]:
            case "array":
                return st.lists(self.of(schema["items"]), max_size=SECTION_ITEMS)
            case "enum":
                return st.sampled_from(schema["symbols"])
            case "record":
                if schema["name"] not in self.made:
                    self.made[schema["name"]] = self.record(schema)
                return self.made[schema["name"]]
            case kind:
                return PRIMITIVES[schema.get("logicalType", kind)]

    def record(self, schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
        fields = {
            field["name"]: FIELDS[at] if (at := (schema["name"], field["name"])) in FIELDS else self.of(field["type"])
            for field in schema["fields"]
        }
        defaults = {field["name"]: field["default"] for field in schema["fields"] if "default" in field}

        @st.composite
        def values(draw: st.DrawFn) -> dict[str, Any]:
            # Few at a time: an event of everything at once is no likelier to be wrong, and slow to draw.
            stated = (
                draw(st.sets(st.sampled_from(sorted(defaults)), min_size=len(defaults) > 9, max_size=8))
                if defaults
                else ()
            )
            return {
                name: defaults[name] if name in defaults and name not in stated else draw(strategy)
                for name, strategy in fields.items()
            }

        return values()


def values_of(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    """Values of a record's schema as Avro takes them: every field, enums as symbols, times as datetimes."""
    values = _Values(schema)
    return values.of(values.root)


def records(record: Record) -> st.SearchStrategy[dict[str, Any]]:
    """Values of the newest schema of a record."""
    return values_of(catalogue().current(record).schema)


EVENTS = records("IncidentEvent").map(IncidentEvent.from_avro)
"""Incident events of every shape the models allow, each with a few fields stated."""
