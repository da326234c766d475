"""The cut: find every section of an event without decoding it, and blank one by writing ``0x00`` in its place.

We write each section as **one sized block** (Avro: a negative count, then the size in bytes, the items, and a zero), so
the end of a section is known from its first bytes. What comes out of a cut is plain Avro that any library reads.

Decoders ignore the size, so a size that lies would make two readers see two different records. A section is therefore
walked (`schemas.walk`) to exactly its stated end before it is read (`OpenEvent.section`) or passed on
(`OpenEvent.view`). An event in another valid Avro form is rewritten in ours first (`schemas.rewrite`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, Final

from schemas.avro_form import Form, Schema, named_types, parse, self_contained, without_logical_types
from schemas.errors import Rejected
from schemas.places import WATCHED
from schemas.walk import Spot, Spotter, Walker
from schemas.wire import long_bytes, read_long

EMPTY: Final = b"\x00"
CONTROL: Final = "control"

Span = tuple[int, int]
"""Where a section's bytes start and end."""


NOTHING_ELSE: Final[Mapping[str, bytes]] = {}


class NotSized(Exception):
    """A section is not one sized block: nobody's error, the event is in another valid form."""


class EventForm:
    """How events of one schema version are laid out: a head, then sections. Immutable."""

    def __init__(self, schema: Schema) -> None:
        split = next(i for i, field in enumerate(schema["fields"]) if field.get("section"))
        head, sections = schema["fields"][:split], schema["fields"][split:]
        if not all(field.get("section") and _is_array(field["type"]) for field in sections):
            msg = "sections must be arrays and stand after the head"
            raise ValueError(msg)
        self.schema = schema
        self.names: tuple[str, ...] = tuple(field["name"] for field in sections)
        self.index: Mapping[str, int] = {name: i for i, name in enumerate(self.names)}
        parsed = parse(schema)
        types = named_types(parsed)
        arrays = [_as_record(self_contained(field["type"], types)) for field in parsed["fields"][split:]]
        self.head = Form({**schema, "fields": without_logical_types(head)})
        self.whole = Form(schema)
        self.head_walker = Walker({**schema, "fields": head})
        self.item_walkers = tuple(
            Walker(self_contained(field["type"]["items"], types)) for field in parsed["fields"][split:]
        )
        self._spotters = tuple(
            Spotter(self_contained(field["type"]["items"], types), WATCHED) for field in parsed["fields"][split:]
        )
        self.location = Form(without_logical_types(self_contained(types["huecry.event.Location"], types)))
        """A place by itself, wherever it stands."""
        self._head_writer = Form({**schema, "fields": head})
        self._writers = tuple(Form(array) for array in arrays)
        self._readers = tuple(Form(without_logical_types(array)) for array in arrays)

    def encode(self, event: Mapping[str, Any]) -> bytes:
        """The event in our form. Missing fields take the schema's defaults."""
        parts = [self._head_writer.encode(event)]
        for name, writer in zip(self.names, self._writers, strict=True):
            items = event.get(name)
            content = writer.encode({"items": items})[len(long_bytes(len(items))) : -1] if items else b""
            parts.append(sized_block(len(items or ()), content))
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
        at = self.head_walker.walk(body, 0, "the head")
        head = self.head.decode(body[:at], "the head")
        spans = []
        for name in self.names:
            end = at + 1 if body[at : at + 1] == EMPTY else _section_end(body, at, name)
            spans.append((at, end))
            at = end
        if at != len(body):
            raise Rejected("trailing", f"the event ends at byte {at}, and {len(body) - at} more bytes came")
        return OpenEvent(self, body, head, tuple(spans))

    def check(self, index: int, body: bytes, start: int) -> None:
        """Make sure that the section at ``start`` is what an honest writer writes, to the end that it states.

        Raises:
            Rejected: it is not.
        """
        self.item_walkers[index].walk_array(body, start, f"section {self.names[index]}")

    def can_hold(self, parts: Collection[str]) -> tuple[str, ...]:
        """The sections that can hold any of these parts of `schemas.places`."""
        pairs = zip(self.names, self._spotters, strict=True)
        return tuple(name for name, spotter in pairs if not spotter.parts.isdisjoint(parts))

    def spots(self, index: int, body: bytes, start: int) -> list[Spot]:
        """`check`, and where the parts of `schemas.places` stand in the section.

        Raises:
            Rejected: it is not what an honest writer writes.
        """
        return self._spotters[index].spots(body, start, f"section {self.names[index]}")

    def items_of(self, index: int, block: bytes) -> list[dict[str, Any]]:
        """The items of a section's bytes that were checked, times as integers."""
        items: list[dict[str, Any]] = self._readers[index].decode(block, f"section {self.names[index]}")["items"]
        return items


class OpenEvent:
    """An event whose sections have been found but not decoded. Reading one section checks that section."""

    def __init__(self, form: EventForm, body: bytes, head: Mapping[str, Any], spans: tuple[Span, ...]) -> None:
        self.form = form
        self.body = body
        self.head = head
        self._spans = spans
        self._items: dict[str, list[dict[str, Any]]] = {}
        self._checked: set[str] = set()
        self._spots: dict[str, list[Spot]] = {}

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
        if name not in self.non_empty:
            return []
        index = self.form.index[name]
        self._check(name, index)
        start, end = self._spans[index]
        return self.form.items_of(index, self.body[start:end])

    def spots(self, name: str) -> list[Spot]:
        """Where the parts of `schemas.places` stand in a section, in order.

        Raises:
            Rejected: its bytes are not what an honest writer writes.
        """
        if name not in self._spots:
            index = self.form.index[name]
            found = self.form.spots(index, self.body, self._spans[index][0]) if name in self.non_empty else []
            self._checked.add(name)
            self._spots[name] = found
        return self._spots[name]

    def span(self, name: str) -> Span:
        """Where a section's bytes start and end."""
        return self._spans[self.form.index[name]]

    def _check(self, name: str, index: int) -> None:
        if name not in self._checked:
            self.form.check(index, self.body, self._spans[index][0])
            self._checked.add(name)

    def view(self, keep: Collection[str], instead: Mapping[str, bytes] = NOTHING_ELSE) -> bytes:
        """The body with every section blank but those named; control is always blank.

        Args:
            keep: the sections to pass on.
            instead: bytes that stand for some of them, as `schemas.located` makes them.

        Raises:
            Rejected: a section to keep is not what an honest writer writes.
        """
        spans = self._spans
        parts = [self.body[: spans[0][0]], *(EMPTY for _ in spans)]
        for name in sorted(self.non_empty.intersection(keep) - {CONTROL}, key=self.form.names.index):
            index = self.form.index[name]
            if (other := instead.get(name)) is not None:
                parts[1 + index] = other
                continue
            self._check(name, index)
            start, end = spans[index]
            parts[1 + index] = self.body[start:end]
        return b"".join(parts)


def sized_block(count: int, content: bytes) -> bytes:
    """Encoded items as one sized Avro block; no items are the single byte ``0x00``."""
    if not count:
        return EMPTY
    return b"".join((long_bytes(-count), long_bytes(len(content)), content, EMPTY))


def _is_array(kind: Any) -> bool:  # noqa: ANN401  a schema is a name, a list or a dict
    return isinstance(kind, dict) and kind["type"] == "array"


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
