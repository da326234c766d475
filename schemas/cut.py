"""The cut: find every section of an event without decoding it, and blank one by writing ``0x00`` in its place.

We write each section as **one sized block** (Avro: a negative count, then the size in bytes, the items, and a zero), so
the end of a section is known from its first bytes. What comes out of a cut is plain Avro that any library reads.

Decoders ignore the size, so a size that lies would make two readers see two different records. `OpenEvent.section`
therefore decodes a section to exactly its stated end and compares it with what we would have written; nothing of a
section is passed on before that (`OpenEvent.view`). An event in another valid Avro form is rewritten in ours first
(`schemas.rewrite`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, Final

from schemas.avro_form import Form, Schema, named_types, parse, self_contained, without_logical_types
from schemas.errors import Rejected
from schemas.wire import long_bytes, read_long

EMPTY: Final = b"\x00"
CONTROL: Final = "control"

Item = Mapping[str, Any]


class NotSized(Exception):
    """A section is not one sized block: nobody's error, the event is in another valid form."""


class EventForm:
    """How events of one schema version are laid out: a head, then sections. Immutable."""

    def __init__(self, schema: Schema) -> None:
        split = next(i for i, field in enumerate(schema["fields"]) if field.get("section"))
        head, sections = schema["fields"][:split], schema["fields"][split:]
        if not all(field.get("section") and field["type"]["type"] == "array" for field in sections):
            msg = "sections must be arrays and stand after the head"
            raise ValueError(msg)
        self.schema = schema
        self.names: tuple[str, ...] = tuple(field["name"] for field in sections)
        self.index: Mapping[str, int] = {name: i for i, name in enumerate(self.names)}
        parsed = parse(schema)
        types = named_types(parsed)
        plain = [field["type"] for field in without_logical_types(parsed)["fields"][split:]]
        plain_types = {name: without_logical_types(kind) for name, kind in types.items()}
        exact = [field["type"]["items"] for field in parsed["fields"][split:]]
        self.head = Form({**schema, "fields": without_logical_types(head)})
        self.whole = Form(schema)
        self._head_writer = Form({**schema, "fields": head})
        self._item_writers = tuple(Form(self_contained(items, types)) for items in exact)
        self._arrays = tuple(Form(_as_record(self_contained(array, plain_types))) for array in plain)
        self._item_rewriters = tuple(Form(self_contained(array["items"], plain_types)) for array in plain)

    def encode(self, event: Mapping[str, Any]) -> bytes:
        """The event in our form. Missing fields take the schema's defaults."""
        parts = [self._head_writer.encode(event)]
        parts += [
            sized_block([writer.encode(item) for item in event.get(name) or ()])
            for name, writer in zip(self.names, self._item_writers, strict=True)
        ]
        return b"".join(parts)

    def decode(self, body: bytes) -> dict[str, Any]:
        """The whole event as plain data, times as datetimes. For readers that trust the writer or have checked.

        Raises:
            Rejected: it does not decode to its last byte.
        """
        event: dict[str, Any] = self.whole.decode(body, "event")
        return event

    def open(self, body: bytes) -> OpenEvent:
        """Find the head and the sections of a body in our form.

        Raises:
            Rejected: malformed.
            NotSized: a section is not one sized block; `rewrite` makes it so.
        """
        head, at = self.head.decode_prefix(body, "head")
        if self.head.encode(head) != body[:at]:
            raise Rejected("not-canonical", "the head is not written as Avro writes it (index, boolean or number form)")
        spans = []
        for name in self.names:
            end = _section_end(body, at, name)
            spans.append((at, end))
            at = end
        if at != len(body):
            raise Rejected("trailing", f"the event ends at byte {at}, and {len(body) - at} more bytes came")
        return OpenEvent(self, body, head, tuple(spans))

    def items_of(self, index: int, block: bytes) -> list[dict[str, Any]]:
        """The items of one section's bytes, times as integers, checked to be exactly what we would write.

        Raises:
            Rejected: they are not.
        """
        what = f"section {self.names[index]}"
        items: list[dict[str, Any]] = self._arrays[index].decode(block, what)["items"]
        rewriter = self._item_rewriters[index]
        if sized_block([rewriter.encode(item) for item in items]) != block:
            raise Rejected(
                "not-canonical",
                f"{what} is not written as its size says, or not as Avro writes it",
                remedy="publish what an Avro serialiser writes with this schema",
            )
        return items


class OpenEvent:
    """An event whose sections have been found but not decoded. Reading one section checks that section."""

    def __init__(
        self, form: EventForm, body: bytes, head: Mapping[str, Any], spans: tuple[tuple[int, int], ...]
    ) -> None:
        self.form = form
        self.body = body
        self.head = head
        self._spans = spans
        self._items: dict[str, list[dict[str, Any]]] = {}

    @cached_property
    def non_empty(self) -> frozenset[str]:
        """Names of the sections that are not empty, control included."""
        names = zip(self.form.names, self._spans, strict=True)
        return frozenset(name for name, (start, end) in names if end - start > 1)

    def section(self, name: str) -> list[dict[str, Any]]:
        """The items of a section, times as integers; empty if this schema version has no such section.

        Raises:
            Rejected: its bytes are not what an honest writer writes.
        """
        if name not in self._items:
            self._items[name] = self._decode(name)
        return self._items[name]

    def _decode(self, name: str) -> list[dict[str, Any]]:
        index = self.form.index.get(name)
        if index is None:
            return []
        start, end = self._spans[index]
        return self.form.items_of(index, self.body[start:end]) if end - start > 1 else []

    def view(self, keep: Collection[str]) -> bytes:
        """The body with every section blank but those named; control is always blank.

        Raises:
            Rejected: a section to keep is not what an honest writer writes.
        """
        body, spans = self.body, self._spans
        parts = [body[: spans[0][0]]]
        for name, (start, end) in zip(self.form.names, spans, strict=True):
            if end - start > 1 and name in keep and name != CONTROL:
                self.section(name)
                parts.append(body[start:end])
            else:
                parts.append(EMPTY)
        return b"".join(parts)


def sized_block(items: list[bytes]) -> bytes:
    """Encoded items as one sized Avro block; no items are the single byte ``0x00``."""
    if not items:
        return EMPTY
    content = b"".join(items)
    return b"".join((long_bytes(-len(items)), long_bytes(len(content)), content, EMPTY))


def _as_record(array: Schema) -> Schema:
    """The array as the only field of a record: the same bytes, and fastavro parses a record's schema only once."""
    return {"type": "record", "name": "huecry.Section", "fields": [{"name": "items", "type": array}]}


def _section_end(body: bytes, at: int, name: str) -> int:
    """The position after the section that starts at ``at``."""
    count, start = read_long(body, at)
    if count == 0:
        return start
    if count > 0:
        raise NotSized
    size, start = read_long(body, start)
    end = start + size
    if size < -count or end >= len(body):
        raise Rejected(
            "truncated", f"section {name} at byte {at} states {-count} items in {size} bytes, which cannot be"
        )
    if body[end] != 0:
        raise NotSized
    return end + 1
