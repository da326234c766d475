"""Records encoded in parts: an Avro record is its fields one after another, so bytes that recur are made once.

What the router writes for every event is mostly the same from event to event: the grounds of a disclosure, the state
of each section in the record of it. The parts are cut from the released schemas, field by field, so joined in order
they are what encoding the whole gives (``tests/schemas/test_parts.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Final

from schemas.avro_form import Form, Schema, named_types, parse, self_contained
from schemas.catalogue import Record, catalogue
from schemas.codec import ID_CHARACTERS
from schemas.wire import frame, long_bytes, string_bytes

ID_LENGTH: Final = long_bytes(ID_CHARACTERS)
"""What stands before an id that `codec.stable_id` made."""


def opening(record: Record, fields: Sequence[str]) -> bytes:
    """What a record starts with that is written field by field: the frame of its current schema.

    Raises:
        ValueError: the schema's fields are others than those that are written.
    """
    entry = catalogue().current(record)
    if tuple(field["name"] for field in entry.schema["fields"]) != tuple(fields):
        msg = f"the fields of a {record} are others than those that are written here"
        raise ValueError(msg)
    return frame(entry.schema_id)


def in_parts(schema: Schema, *starts: str) -> tuple[Form, ...]:
    """One form for each run of a record's fields, each over the same value: joined in order they are the record.

    Args:
        schema: a record's.
        starts: the first field of each part but the first, in the order of the schema.
    """
    parsed = parse(schema)
    types = named_types(parsed)
    names = [field["name"] for field in parsed["fields"]]
    cuts = [0, *(names.index(start) for start in starts), len(names)]
    if cuts != sorted(set(cuts)):
        msg = f"expected fields in the order of the schema, none of them the first, got {', '.join(starts)}"
        raise ValueError(msg)
    runs = [parsed["fields"][start:end] for start, end in pairwise(cuts)]
    return tuple(Form(self_contained({"type": "record", "name": "huecry.Part", "fields": run}, types)) for run in runs)


@cache
def terms_parts() -> tuple[Form, ...]:
    """Parts of `codec.encode_terms`: what is covered; what hangs on the event; grounds; times; what ends the terms."""
    disclosure = catalogue().current("Delivery").schema["fields"][0]["type"]
    _address, *parts = in_parts(disclosure, "action", "addressed_to_you", "grounds", "decided_at", "retain_days")
    return tuple(parts)


@cache
def disclosure_record_head() -> Form:
    """All of a DisclosureRecord but its decisions, which come last."""
    schema = catalogue().current("DisclosureRecord").schema
    if schema["fields"][-1]["name"] != "decisions":
        msg = "a disclosure record ends with its decisions"
        raise ValueError(msg)
    head, _decisions = in_parts(schema, "decisions")
    return head


@cache
def decided_form() -> Form:
    """One group of a DisclosureRecord's decisions without its recipients, which come first: `around_ids`."""
    schema = catalogue().current("DisclosureRecord").schema
    _recipients, decided = in_parts(schema["fields"][-1]["type"]["items"], "outcome")
    return decided


def around_ids(recipients: Sequence[tuple[str, bool, str | None]]) -> list[bytes]:
    """The recipients of a group of equal decisions, cut where a delivery id stands: `ID_CHARACTERS` of ASCII.

    Each is a member, whether a delivery to it was made, and why one could not be.
    """
    parts = [long_bytes(len(recipients)) if recipients else b""]
    for member, has_id, undeliverable in recipients:
        parts[-1] += string_bytes(member)
        if has_id:
            parts[-1] += b"\x02" + ID_LENGTH
            parts.append(b"")
        else:
            parts[-1] += b"\x00"
        parts[-1] += _optional(undeliverable)
    parts[-1] += b"\x00"
    return parts


def _optional(text: str | None) -> bytes:
    return b"\x00" if text is None else b"\x02" + string_bytes(text)
