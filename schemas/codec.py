"""Messages as bytes and back: Confluent frame, pinned id, Avro body.

Events and deliveries have their own way, since a router passes an event's bytes on (`schemas.cut`); every other record
is encoded and decoded whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any, Final

from schemas.avro_form import Form, Schema
from schemas.catalogue import Catalogue, Entry, Record, catalogue, event_schema_of
from schemas.cut import EventForm, OpenEvent
from schemas.errors import Rejected
from schemas.rewrite import open_event
from schemas.walk import Walker
from schemas.wire import frame, long_bytes, string_bytes, unframe

_ADDRESS_FIELDS: Final = ("delivery_id", "to", "number", "stream", "stream_sequence")
_NULL: Final = b"\x00"

ID_CHARACTERS: Final = 32
"""Of an identifier that `stable_id` makes."""

SchemaLookup = Callable[[int], Schema | None]
"""Finds a schema that this release does not have, as `schemas.registry` does; None where nobody knows the id."""


def stable_id(*parts: str) -> str:
    """An identifier made from its parts: the same however often it is made. 32 hexadecimal digits."""
    return blake2b("\x1f".join(parts).encode(), digest_size=ID_CHARACTERS // 2).hexdigest()


def stable_ids(first: Sequence[str], rests: Iterable[bytes]) -> list[bytes]:
    """`stable_id` of some first parts and each of these rests (`id_rest`), in ASCII; the first are hashed once."""
    begun = blake2b("\x1f".join((*first, "")).encode(), digest_size=ID_CHARACTERS // 2)
    found = []
    for rest in rests:
        each = begun.copy()
        each.update(rest)
        found.append(each.hexdigest().encode())
    return found


def id_rest(*parts: str) -> bytes:
    """The last parts of an identifier, for `stable_ids`."""
    return "\x1f".join(parts).encode()


class EventCodec:
    """Frames, reads and cuts events of every version in a catalogue."""

    def __init__(self, known: Catalogue | None = None) -> None:
        self.catalogue = known or catalogue()
        self._forms: dict[int, EventForm] = {}
        self._delivery_frames: dict[int, bytes] = {}

    def form(self, entry: Entry) -> EventForm:
        """The layout of an IncidentEvent or Delivery entry's event."""
        found = self._forms.get(entry.schema_id)
        if found is None:
            found = self._forms[entry.schema_id] = EventForm(event_schema_of(entry))
        return found

    def encode(self, event: Mapping[str, Any], version: int | None = None) -> bytes:
        """A framed event in our form, in the newest schema version unless told."""
        entries = self.catalogue.versions("IncidentEvent")
        entry = entries[-1] if version is None else next(e for e in entries if e.version == version)
        return frame(entry.schema_id) + self.form(entry).encode(event)

    def open(self, value: bytes | None, max_bytes: int) -> tuple[Entry, OpenEvent]:
        """A framed event, its sections found.

        Raises:
            Rejected: whatever is wrong with it; `unknown-schema` if the catalogue does not have its id.
        """
        schema_id, body = unframe(value, max_bytes)
        entry = self.catalogue.entry(schema_id, "IncidentEvent")
        return entry, open_event(self.form(entry), body)

    def delivery_frame(self, event: Entry) -> bytes:
        """The frame of a Delivery that carries this version of the event."""
        found = self._delivery_frames.get(event.version)
        if found is None:
            found = self._delivery_frames[event.version] = frame(self.catalogue.delivery_of(event.version).schema_id)
        return found


@cache
def _terms_form() -> Form:
    disclosure = _disclosure_schema()
    fields = [field for field in disclosure["fields"] if field["name"] not in _ADDRESS_FIELDS]
    return Form({**disclosure, "namespace": "huecry.delivery", "fields": fields})


def _disclosure_schema() -> Schema:
    schema: Schema = catalogue().current("Delivery").schema["fields"][0]["type"]
    if tuple(field["name"] for field in schema["fields"][:5]) != _ADDRESS_FIELDS:
        msg = "a disclosure starts with what differs between recipients"
        raise ValueError(msg)
    return schema


def encode_terms(terms: Mapping[str, Any]) -> bytes:
    """The part of a disclosure that recipients with equal decisions share: all fields but those of the address."""
    return _terms_form().encode(terms)


def encode_address(
    delivery_id: str, to: str, stream: str, number: int | None = None, stream_sequence: int | None = None
) -> bytes:
    """The part of a disclosure that differs for each recipient."""
    numbers = (_optional_long(number), string_bytes(stream), _optional_long(stream_sequence))
    return b"".join((string_bytes(delivery_id), string_bytes(to), *numbers))


def _optional_long(number: int | None) -> bytes:
    return _NULL if number is None else LONG_GIVEN + long_bytes(number)


LONG_GIVEN: Final = b"\x02"
"""Before a number that may be null and is not."""


@cache
def _form(record: Record) -> Form:
    return Form(catalogue().current(record).schema)


@cache
def _walker(schema_id: int) -> Walker:
    entry = catalogue().find(schema_id)
    assert entry is not None  # noqa: S101  called with ids of the catalogue only
    return Walker(entry.schema)


def encode(record: Record, value: Mapping[str, Any]) -> bytes:
    """A framed record in its newest schema version. Not for events and deliveries, which have forms of their own."""
    return frame(catalogue().current(record).schema_id) + _form(record).encode(value)


def decode(record: Record, value: bytes | None, max_bytes: int, lookup: SchemaLookup | None = None) -> dict[str, Any]:
    """A framed record of any version as the newest version this release has; times as datetimes.

    Args:
        record: what it must be.
        value: the framed bytes.
        max_bytes: most bytes that are looked at.
        lookup: where to find schemas newer than this release.

    Raises:
        Rejected: it is not that, or it is malformed.
    """
    schema_id, body = unframe(value, max_bytes)
    newer = lookup(schema_id) if lookup is not None and catalogue().find(schema_id) is None else None
    form = _reading_form(schema_id, record) if newer is None else _newer_form(schema_id, record, newer)
    decoded: dict[str, Any] = form.decode(body, record)
    return decoded


@cache
def _reading_form(schema_id: int, record: Record) -> Form:
    entry = catalogue().entry(schema_id, record)
    current = catalogue().current(record)
    return _form(record) if entry is current else Form(entry.schema, reader=current.schema)


_newer_forms: Final[dict[tuple[int, Record], tuple[Schema, Form]]] = {}


def _newer_form(schema_id: int, record: Record, writer: Schema) -> Form:
    """Reads what a later release writes. Kept as long as the registry gives the same schema."""
    known = _newer_forms.get((schema_id, record))
    if known is None or known[0] is not writer:
        known = _newer_forms[schema_id, record] = (writer, _checked_form(schema_id, record, writer))
    return known[1]


def _checked_form(schema_id: int, record: Record, writer: Schema) -> Form:
    if writer.get("name") != record:
        raise Rejected(
            "wrong-record",
            f"expected a {record}, and the registry has another schema for id {schema_id}",
            remedy=f"publish {record} records on this topic",
        )
    try:
        Walker(writer)
        return Form(writer, reader=catalogue().current(record).schema)
    except Exception as error:  # noqa: BLE001  whatever is wrong with a schema that others wrote
        raise Rejected(
            "unusable-schema",
            f"the registry's schema for id {schema_id} is none that this exchange releases ({type(error).__name__})",
            remedy="see which schemas the registry has, and who wrote this one",
        ) from None


def decode_foreign(record: Record, value: bytes | None, max_bytes: int) -> dict[str, Any]:
    """`decode` for what another organisation wrote: every byte is checked first, so that no two readers differ.

    Raises:
        Rejected: it is not that, or not what an honest writer writes.
    """
    schema_id, body = unframe(value, max_bytes)
    catalogue().entry(schema_id, record)
    _walker(schema_id).check(body)
    return decode(record, value, max_bytes)
