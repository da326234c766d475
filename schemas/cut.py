"""The cut: find every section of an event without decoding it, and blank one by writing ``0x00`` in its place.

We write each section as **one sized block** (Avro: a negative count, then the size in bytes, the items, and a zero), so
the end of a section is known from its first bytes. What comes out of a cut is plain Avro that any library reads.

Decoders ignore the size, so a size that lies would make two readers see two different records. A section is therefore
checked to exactly its stated end before it is read (`OpenEvent.checked`) or passed on (`OpenEvent.view`). What is usual
is checked by straight-line code (`schemas.straight`), and only once while it is remembered (`schemas.opened`), since an
update repeats most of the sections before it; on all else `schemas.walk` has the last word. An event in another valid
Avro form is rewritten in ours first (`schemas.rewrite`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from schemas.avro_form import Form, Schema, named_types, parse, self_contained, without_logical_types
from schemas.errors import Rejected
from schemas.opened import CONTROL, EMPTY, REMEMBERED_BYTES, Checked, Index, OpenEvent, Seen
from schemas.places import WATCHED
from schemas.straight import GIVEN_UP, Skip, reader, skipper
from schemas.walk import Spot, Spotter, Walker
from schemas.wire import long_bytes, read_long

__all__ = ["CONTROL", "EMPTY", "REMEMBERED_BYTES", "EventForm", "NotSized", "OpenEvent", "sized_block"]


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
        self.index = Index((name, number) for number, name in enumerate(self.names))
        parsed = parse(schema)
        types = named_types(parsed)
        arrays = [_as_record(self_contained(field["type"], types)) for field in parsed["fields"][split:]]
        items = [self_contained(field["type"]["items"], types) for field in parsed["fields"][split:]]
        self.head = Form({**schema, "fields": without_logical_types(head)})
        self.whole = Form(schema)
        self.head_walker = Walker({**schema, "fields": head})
        self.item_walkers = tuple(map(Walker, items))
        self._head_writer = Form({**schema, "fields": head})
        self._writers = tuple(Form(array) for array in arrays)
        self._readers = tuple(Form(without_logical_types(array)) for array in arrays)
        self._read_head = reader({**schema, "fields": head})
        self._spotters = tuple(Spotter(item, WATCHED) for item in items)
        self.location = Form(without_logical_types(self_contained(types["huecry.event.Location"], types)))
        """A place by itself, wherever it stands."""
        skippers = {item["name"]: skipper(item, WATCHED) for item in items}
        self._skippers = tuple(skippers[item["name"]] for item in items)
        unwatched = {item["name"]: skipper(item, {}) for item in items}
        self._unwatched = tuple(unwatched[item["name"]] for item in items)
        self.seen = Seen(self.names)

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
        head, at = self._head_of(body)
        end_of_head, size = at, len(body)
        found = {}
        for name in self.names:
            if at < size and not body[at]:
                at += 1
            else:
                end = _usual_section_end(body, at) or _section_end(body, at, name)
                found[name] = (at, end)
                at = end
        if at != size:
            raise Rejected("trailing", f"the event ends at byte {at}, and {size - at} more bytes came")
        return OpenEvent(self, body, head, end_of_head, found)

    def _head_of(self, body: bytes) -> tuple[Mapping[str, Any], int]:
        """The head, times as integers, and where it ends.

        Raises:
            Rejected: malformed.
        """
        try:
            head, at = self._read_head(body, 0)
        except GIVEN_UP:
            at = len(body) + 1
        if at > len(body):
            at = self.head_walker.walk(body, 0, "the head")
            head = self.head.decode(body[:at], "the head")
        return head, at

    def check(self, section: str, block: bytes, body: bytes, start: int) -> Checked:
        """Make sure that the section's bytes, which start there in the body, are what an honest writer writes.

        Raises:
            Rejected: they are not.
        """
        if (known := self.seen.find(section, block)) is not None:
            return known
        if len(block) > REMEMBERED_BYTES:
            if not _skips(self._unwatched[self.index[section]], block, []):
                self.item_walkers[self.index[section]].walk_array(body, start, f"section {section}")
            # Whoever wants to know what stands where in it asks again.
            return Checked(b"", ())
        beginning = _beginning(section, block)
        spots = self._spots(section, block, self.seen.begun_with(beginning))
        if spots is None:
            self.item_walkers[self.index[section]].walk_array(body, start, f"section {section}")
            raise Rejected("undecodable", f"section {section} at byte {start} is not what an honest writer writes")
        known = Checked(block, spots)
        self.seen.keep(section, known, beginning)
        return known

    def can_hold(self, parts: Collection[str]) -> tuple[str, ...]:
        """The sections that can hold any of these parts of `schemas.places`."""
        pairs = zip(self.names, self._spotters, strict=True)
        return tuple(name for name, spotter in pairs if not spotter.parts.isdisjoint(parts))

    def spots(self, section: str, block: bytes) -> tuple[Spot, ...] | None:
        """Where the parts of `schemas.places` stand in a section's bytes, in order; None: they are not honest."""
        return self._spots(section, block, None)

    def _spots(self, section: str, block: bytes, before: Checked | None) -> tuple[Spot, ...] | None:
        """The same; what stood in a section that was checked is not checked again where this one begins with it."""
        index = self.index[section]
        seen: list[Spot] = []
        if _skips(self._skippers[index], block, seen, before):
            return tuple(seen)
        try:
            return tuple(self._spotters[index].spots(block, 0, ""))
        except Rejected:
            return None

    def items(self, section: str, block: bytes) -> list[dict[str, Any]]:
        """The items of a section's bytes that were checked, times as integers; none of no bytes."""
        if not block:
            return []
        index = self.index[section]
        items: list[dict[str, Any]] = self._readers[index].decode(block, f"section {section}")["items"]
        return items


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


def _skips(skip: Skip, block: bytes, seen: list[Spot], before: Checked | None = None) -> bool:
    """Whether straight-line code takes a section's bytes, to their last; else the walk must say."""
    try:
        count, at = read_long(block, 0)
        _, at = read_long(block, at)
        if before is not None:
            known, at = _known_items(block, at, before, seen, most=-count)
            count += known
        for _ in range(-count):
            at = skip(block, at, seen)
    except GIVEN_UP:
        return False
    return at == len(block) - 1


def _known_items(block: bytes, at: int, before: Checked, seen: list[Spot], most: int) -> tuple[int, int]:
    """How many items a section begins with that another consists of, and where they end; none if it does not."""
    count, first = read_long(before.block, 0)
    _, first = read_long(before.block, first)
    items = before.block[first:-1]
    if -count > most or not block.startswith(items, at):
        return 0, at
    seen += [(part, start + at - first, end + at - first) for part, start, end in before.spots]
    return -count, at + len(items)


_OF_A_BEGINNING: Final = 64


def _beginning(section: str, block: bytes) -> bytes:
    """By which an earlier state of a section is found: its name, and the first bytes of its first item."""
    _count, at = read_long(block, 0)
    _size, at = read_long(block, at)
    return section.encode() + block[at : at + _OF_A_BEGINNING]


def _usual_section_end(body: bytes, at: int) -> int:
    """The position after a section of fewer than 64 items in fewer than 8,192 bytes; 0: `_section_end` must say."""
    try:
        count, size = body[at], body[at + 1]
        at += 2
        if size > 0x7F:
            high = body[at]
            if not 0 < high < 0x80:
                return 0
            size = size & 0x7F | high << 7
            at += 1
        end = at + (size >> 1)
        return end + 1 if count & 0x81 == 1 and not size & 1 and count < size and not body[end] else 0
    except IndexError:
        return 0


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
