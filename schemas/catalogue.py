"""The schema catalogue: which id means which schema, pinned in this package.

Nothing registers a schema at run time. ``avro/<record>.v<N>.avsc`` is the truth for a message; a Delivery is composed
with each version of the event it can carry, and each such pair has an id of its own, because a router passes an event
on in the schema version it arrived in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

import yaml

from schemas.errors import Rejected

Record = Literal[
    "IncidentEvent",
    "Delivery",
    "Receipt",
    "Feedback",
    "DisclosureRecord",
    "Quarantined",
    "RoutingState",
    "Ruling",
    "Case",
    "Forwarded",
]
Schema = dict[str, Any]

EVENT: Final = "huecry.event.IncidentEvent"


@dataclass(frozen=True, slots=True)
class Entry:
    """One released schema. ``event_version`` is None but for a Delivery."""

    schema_id: int
    record: Record
    version: int
    schema: Schema = field(repr=False, hash=False)
    event_version: int | None = None


class Catalogue:
    """Schemas by id and by record; immutable."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._by_id: Mapping[int, Entry] = {entry.schema_id: entry for entry in self.entries}
        if len(self._by_id) != len(self.entries):
            msg = "two schemas of the catalogue have the same id"
            raise ValueError(msg)

    def find(self, schema_id: int) -> Entry | None:
        """The entry of an id, or None."""
        return self._by_id.get(schema_id)

    def entry(self, schema_id: int, record: Record) -> Entry:
        """The entry of an id, which must be of this record.

        Raises:
            Rejected: no such id, or another record's.
        """
        found = self._by_id.get(schema_id)
        if found is None:
            raise Rejected(
                "unknown-schema",
                f"schema id {schema_id} is not in the catalogue of this release",
                remedy="publish with a schema that huecry registry serve lists, or upgrade this side",
            )
        if found.record != record:
            raise Rejected(
                "wrong-record",
                f"expected a {record}, and schema id {schema_id} is a {found.record}",
                remedy=f"publish {record} records on this topic",
            )
        return found

    def versions(self, record: Record) -> tuple[Entry, ...]:
        """All released schemas of a record, oldest first."""
        return tuple(entry for entry in self.entries if entry.record == record)

    def current(self, record: Record) -> Entry:
        """The newest schema of a record."""
        return self.versions(record)[-1]

    def delivery_of(self, event_version: int) -> Entry:
        """The newest Delivery that carries this version of the event."""
        pairs = [entry for entry in self.versions("Delivery") if entry.event_version == event_version]
        if not pairs:
            raise Rejected(
                "unknown-schema",
                f"no Delivery of the catalogue carries version {event_version} of the event",
                remedy="upgrade the routers before the producers",
            )
        return pairs[-1]


def event_schema_of(entry: Entry) -> Schema:
    """The schema of the event within an IncidentEvent or a Delivery entry."""
    if entry.record == "IncidentEvent":
        return entry.schema
    schema: Schema = next(f["type"] for f in entry.schema["fields"] if f["name"] == "event")
    return schema


def compose_delivery(delivery: Schema, event: Schema) -> Schema:
    """A Delivery schema with the event's schema written in place of its name."""
    fields = [{**f, "type": event} if f["type"] == EVENT else f for f in delivery["fields"]]
    return {**delivery, "fields": fields}


def schema_file(record: str, version: int) -> str:
    """The name of a released schema's file in ``schemas/avro``: IncidentEvent, 1 → incident_event.v1.avsc."""
    return f"{re.sub(r'(?<!^)(?=[A-Z])', '_', record).lower()}.v{version}.avsc"


def _read(record: str, version: int) -> Schema:
    loaded: Schema = json.loads(files("schemas").joinpath("avro", schema_file(record, version)).read_text("utf-8"))
    return loaded


@cache
def catalogue() -> Catalogue:
    """The catalogue of this release."""
    rows = yaml.safe_load(files("schemas").joinpath("catalogue.yaml").read_text("utf-8"))
    return Catalogue(_entry(row) for row in rows)


def _entry(row: Mapping[str, Any]) -> Entry:
    schema = _read(row["record"], row["version"])
    if (event_version := row.get("event")) is not None:
        schema = compose_delivery(schema, _read("IncidentEvent", event_version))
    return Entry(row["id"], row["record"], row["version"], schema, event_version)
