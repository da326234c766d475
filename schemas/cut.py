"""The cut: find every section of an event without decoding it, and blank one by writing ``0x00`` in its place.

We write each section as **one sized block** (Avro: a negative count, then the size in bytes, the items, and a zero), so
the end of a section is known from its first bytes. What comes out of a cut is plain Avro that any library reads.

Decoders ignore the size, so a size that lies would make two readers see two different records. A section is therefore
checked to exactly its stated end before it is read (`OpenEvent.section`) or passed on (`OpenEvent.view`). What is usual
is checked by straight-line code (`schemas.straight`), and only once while it is remembered, since an update repeats
most of the sections before it; on all else `schemas.walk` has the last word. An event in another valid Avro form is
rewritten in ours first (`schemas.rewrite`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from schemas.avro_form import Form, Schema, named_types, parse, self_contained, without_logical_types
from schemas.errors import Rejected
from schemas.places import WATCHED
from schemas.straight import GIVEN_UP, Skip, reader, skipper
from schemas.walk import Spot, Spotter, Walker
from schemas.wire import long_bytes, read_long

EMPTY: Final = b"\x00"
CONTROL: Final = "control"

Span = tuple[int, int]
"""Where a section's bytes start and end."""

REMEMBERED_MOST: Final = 32_768
"""Sections of one schema version that are known to be honest: the updates of an hour or two find theirs among them."""
REMEMBERED_BYTES: Final = 2_048
"""A larger section is checked each time: nobody can fill the memory of others."""


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
        self._remembered = lru_cache(maxsize=REMEMBERED_MOST)(self._spots)

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
        end_of_head = at
        found = {}
        for name in self.names:
            if at < len(body) and not body[at]:
                at += 1
            else:
                end = _usual_section_end(body, at) or _section_end(body, at, name)
                found[name] = (at, end)
                at = end
        if at != len(body):
            raise Rejected("trailing", f"the event ends at byte {at}, and {len(body) - at} more bytes came")
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

    def check(self, section: str, block: bytes, body: bytes, start: int) -> None:
        """Make sure that the section's bytes, which start there in the body, are what an honest writer writes.

        Raises:
            Rejected: they are not.
        """
        index = self.index[section]
        if len(block) <= REMEMBERED_BYTES:
            is_honest = self._remembered(section, block) is not None
        else:
            is_honest = _skips(self._unwatched[index], block, [])
        if not is_honest:
            self.item_walkers[index].walk_array(body, start, f"section {section}")

    def can_hold(self, parts: Collection[str]) -> tuple[str, ...]:
        """The sections that can hold any of these parts of `schemas.places`."""
        pairs = zip(self.names, self._spotters, strict=True)
        return tuple(name for name, spotter in pairs if not spotter.parts.isdisjoint(parts))

    def spots(self, section: str, block: bytes) -> tuple[Spot, ...] | None:
        """Where the parts of `schemas.places` stand in a section's bytes, in order; None: they are not honest."""
        return self._remembered(section, block) if len(block) <= REMEMBERED_BYTES else self._spots(section, block)

    def _spots(self, section: str, block: bytes) -> tuple[Spot, ...] | None:
        """Of one sized block of items as an honest writer writes them, and its end."""
        index = self.index[section]
        seen: list[Spot] = []
        if _skips(self._skippers[index], block, seen):
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


class OpenEvent:
    """An event whose sections have been found but not decoded. Reading one section checks that section."""

    __slots__ = ("_checked", "_end_of_head", "_found", "_names", "body", "form", "head")

    def __init__(
        self, form: EventForm, body: bytes, head: Mapping[str, Any], end_of_head: int, found: Mapping[str, Span]
    ) -> None:
        self.form = form
        self.body = body
        self.head = head
        """Times as integers."""
        self._end_of_head = end_of_head
        self._found = found
        self._names = tuple(found)
        self._checked: dict[str, bytes] = {}
        """The bytes of sections that were checked; of a large one none, lest the event be held twice."""

    @property
    def non_empty(self) -> frozenset[str]:
        """Names of the sections that are not empty, control included."""
        return _names_of(self._names)

    def section(self, name: str) -> list[dict[str, Any]]:
        """The items of a section, times as integers; empty if this schema version has no such section.

        Raises:
            Rejected: its bytes are not what an honest writer writes.
        """
        return self.form.items(name, self.block(name))

    def block(self, name: str) -> bytes:
        """The bytes of a section, checked: one sized block; nothing if it is empty or this version has no such section.

        Raises:
            Rejected: they are not what an honest writer writes.
        """
        if known := self._checked.get(name):
            return known
        if name not in self._found:
            return b""
        start, end = self._found[name]
        block = self.body[start:end]
        if known is None:
            self.form.check(name, block, self.body, start)
            self._checked[name] = block if len(block) <= REMEMBERED_BYTES else b""
        return block

    def bytes_of(self, names: Iterable[str]) -> int:
        """How many bytes the head and some sections take."""
        size = self._end_of_head
        for name in names:
            if name in self._found:
                start, end = self._found[name]
                size += end - start
        return size

    def span(self, name: str) -> Span:
        """Where the bytes of a section that is not empty start and end."""
        return self._found[name]

    def spots(self, name: str) -> tuple[Spot, ...]:
        """Where the parts of `schemas.places` stand in the bytes of a section (`block`), in order.

        Raises:
            Rejected: its bytes are not what an honest writer writes.
        """
        block = self.block(name)
        return (block and self.form.spots(name, block)) or ()

    def view(self, keep: Collection[str], instead: Mapping[str, bytes] = NOTHING_ELSE) -> bytes:
        """The body with every section blank but those named; control is always blank.

        Args:
            keep: the sections to pass on.
            instead: bytes that stand for some of them, as `schemas.located` makes them.

        Raises:
            Rejected: a section to keep is not what an honest writer writes.
        """
        plan = _plan(self._names, tuple(keep), tuple(instead))
        for name in plan.passed_on:
            if name not in self._checked:
                self.block(name)
        parts: list[bytes] = []
        since = 0
        for name, is_told_otherwise in plan.replaced:
            start, end = self._found[name]
            parts += (self.body[since:start], instead[name] if is_told_otherwise else EMPTY)
            since = end
        parts.append(self.body[since:])
        return b"".join(parts)


class _Plan(NamedTuple):
    """Of the sections that are not empty: what is done with each, in order."""

    passed_on: tuple[str, ...]
    replaced: tuple[tuple[str, bool], ...]
    """Each with whether something is told in its place; else it is blank."""


@lru_cache(maxsize=4_096)
def _plan(names: tuple[str, ...], keep: tuple[str, ...], instead: tuple[str, ...]) -> _Plan:
    kept = [name for name in names if name in keep and name != CONTROL]
    passed_on = tuple(name for name in kept if name not in instead)
    return _Plan(passed_on, tuple((name, name in kept) for name in names if name not in passed_on))


@lru_cache(maxsize=4_096)
def _names_of(found: tuple[str, ...]) -> frozenset[str]:
    return frozenset(found)


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


def _skips(skip: Skip, block: bytes, seen: list[Spot]) -> bool:
    """Whether straight-line code takes a section's bytes, to their last; else the walk must say."""
    try:
        count, at = read_long(block, 0)
        _, at = read_long(block, at)
        for _ in range(-count):
            at = skip(block, at, seen)
    except GIVEN_UP:
        return False
    return at == len(block) - 1


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
