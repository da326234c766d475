"""Records encoded in parts: an Avro record is its fields one after another, so bytes that recur are made once.

What the router writes for every event is mostly the same from event to event: the grounds of a disclosure, the state
of each section in the record of it. The parts are cut from the released schemas, field by field, so joined in order
they are what encoding the whole gives (``tests/schemas/test_parts.py``).
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from schemas.avro_form import Form, Schema, named_types, parse, self_contained
from schemas.catalogue import catalogue


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
    head, _decisions = in_parts(catalogue().current("DisclosureRecord").schema, "decisions")
    return head


@cache
def decision_parts() -> tuple[Form, ...]:
    """One group of a DisclosureRecord's decisions: its recipients; what was decided for them."""
    schema = catalogue().current("DisclosureRecord").schema
    if schema["fields"][-1]["name"] != "decisions":
        msg = "a disclosure record ends with its decisions"
        raise ValueError(msg)
    return in_parts(schema["fields"][-1]["type"]["items"], "outcome")
