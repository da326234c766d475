"""Hostile bytes are a `Rejected` with a reason, quickly and in bounded memory; never anything else."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import pytest

from schemas.catalogue import catalogue
from schemas.codec import EventCodec, decode, decode_foreign
from schemas.errors import Rejected
from schemas.sections import CONTROL, SECTIONS
from schemas.walk import Walker
from schemas.wire import frame
from tests.schemas.hostile import (
    CORPUS,
    EVENT_ID,
    FACTS,
    HONEST,
    LIMIT,
    SCHEMA,
    WRITER,
    Row,
    framed,
    honest,
    item,
)
from tests.schemas.other_avro import OtherAvro, Raw, long

CODEC = EventCodec()


def read_all(value: bytes | None) -> bytes:
    """All that a router could do with an event: read control, pass every section on."""
    _, opened = CODEC.open(value, LIMIT)
    opened.section(CONTROL)
    return opened.view(SECTIONS)


def refusal(take: Callable[[bytes], Any], value: bytes) -> Rejected:
    with pytest.raises(Rejected) as refused:
        take(value)
    return refused.value


def test_what_the_corpus_is_made_from_is_honest():
    assert read_all(HONEST) != b""


@pytest.mark.parametrize("name", CORPUS)
def test_it_is_refused_for_the_right_reason(name):
    assert refusal(read_all, CORPUS[name].value).reason == CORPUS[name].reason


@pytest.mark.parametrize("name", CORPUS)
def test_it_is_refused_quickly(name):
    def seconds() -> float:
        start = time.perf_counter()
        refusal(read_all, CORPUS[name].value)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 0.05


@pytest.mark.parametrize("name", CORPUS)
def test_it_is_refused_in_little_memory(name):
    refusal(read_all, CORPUS[name].value)  # what is made once is not counted
    assert peak_bytes(lambda: refusal(read_all, CORPUS[name].value)) < 64 * 1024


def peak_bytes(act: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", CORPUS)
def test_a_refusal_says_what_came_and_quotes_none_of_it(name):
    told = refusal(read_all, CORPUS[name].value)

    assert str(told)
    for typed in ("WY-1", "07700", "Door", "WY01", "hello", "no-uniform"):
        assert typed not in f"{told}{told.remedy}"
    assert told.__cause__ is None


@pytest.mark.parametrize("none", [None, b""])
def test_no_value_is_empty(none):
    assert refusal(read_all, none).reason == "empty"


@pytest.mark.parametrize("blocks", ["ours", "plain"])
def test_cut_off_at_any_byte_it_is_refused(blocks):
    whole = HONEST if blocks == "ours" else framed(honest(), OtherAvro(SCHEMA))
    assert read_all(whole)
    for end in range(len(whole)):
        assert refusal(read_all, whole[:end]).reason in ("empty", "not-framed", "truncated"), end


def test_a_lie_in_a_section_that_is_not_passed_on_stops_nothing_else():
    lie = CORPUS["a section's size with padding to match"].value
    _, opened = CODEC.open(lie, LIMIT)

    assert refusal(lambda _: opened.view(["facts"]), lie).reason == "not-canonical"
    view = opened.view([name for name in SECTIONS if name != "facts"])
    assert fastavro.schemaless_reader(BytesIO(view), SCHEMA)["facts"] == []


def test_a_lie_in_control_is_found_where_control_is_read_and_never_passed_on():
    _, opened = CODEC.open(CORPUS["an array in control, size a lie"].value, LIMIT)

    assert refusal(lambda _: opened.section(CONTROL), b"").reason == "not-canonical"
    assert opened.view(SECTIONS) == read_all(HONEST)


def test_a_size_that_lies_shows_two_readers_two_events():
    """Why sizes are checked: both readers are right by the specification."""
    lie = CORPUS["a section's size that takes in the next two, with two more at the end"].value[5:]

    ignoring_sizes = fastavro.schemaless_reader(BytesIO(lie), SCHEMA)
    trusting_sizes = WRITER.read(lie)
    assert [len(ignoring_sizes[name]) for name in ("facts", "assessments", "resources")] == [2, 0, 1]
    assert [len(trusting_sizes[name]) for name in ("facts", "resources")] == [2, 0]


LET_THROUGH = [
    "enum index -1",
    "union index -1",
    "one byte more",
    "an enum written longer than needed",
    "a time written longer than needed",
    "a length written longer than needed",
    "boolean 2",
    "boolean 255",
    "an int beyond 32 bits",
    "a latitude that is no number",
    "once round the earth",
    "a section's size with padding to match",
    "an array inside, size one too small",
    "an array inside, size negative",
    "an array in the head, size a lie",
]


@pytest.mark.parametrize("name", LET_THROUGH)
def test_what_fastavro_lets_through_is_refused(name):
    if "padding" not in name:
        fastavro.schemaless_reader(BytesIO(CORPUS[name].value[5:]), SCHEMA)  # does not raise

    refusal(read_all, CORPUS[name].value)


RECEIPT = {
    "member": "greater-manchester",
    "kind": "DELIVERED",
    "sent_at": 1,
    "entries": [
        {
            "origin": "west-yorkshire",
            "incident_id": "WY-1",
            "event_id": "e-1",
            "delivery_id": "d-1",
            "at": 2,
            "reference": None,
            "cause": None,
            "passed_to": None,
            "by_role": None,
        }
    ],
}
RECEIPT_ID = catalogue().current("Receipt").schema_id
RECEIPTS = OtherAvro(catalogue().current("Receipt").schema)


def receipt(**changed: Any) -> bytes:
    return frame(RECEIPT_ID) + RECEIPTS.write({**RECEIPT, **changed})


FOREIGN = {
    "enum index -1": Row(receipt(kind=Raw(long(-1))), "not-canonical"),
    "a time written longer than needed": Row(receipt(sent_at=Raw(b"\x82\x00")), "not-canonical"),
    "the year 10000": Row(receipt(sent_at=253_402_300_800_000), "out-of-range"),
    "one byte more": Row(receipt() + b"\x00", "trailing"),
    "one byte less": Row(receipt()[:-1], "truncated"),
    "the most entries": Row(receipt(entries=Raw(long((1 << 63) - 1))), "truncated"),
    "entries whose size lies": Row(receipt(entries=Raw(long(-1) + long(2) + b"\x00" * 9)), "not-canonical"),
    "not UTF-8": Row(receipt(member=Raw(long(1) + b"\xff")), "undecodable"),
    "the id of another record": Row(frame(EVENT_ID) + receipt()[5:], "wrong-record"),
    "an id nobody knows": Row(frame(7) + receipt()[5:], "unknown-schema"),
    "too large": Row(receipt() + bytes(LIMIT), "oversize"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_a_member_says_is_read_as_strictly(name):
    assert decode_foreign("Receipt", receipt(), LIMIT)["member"] == "greater-manchester"

    assert refusal(lambda value: decode_foreign("Receipt", value, LIMIT), FOREIGN[name].value).reason == (
        FOREIGN[name].reason
    )


@pytest.mark.parametrize("name", [*CORPUS, *FOREIGN])
def test_a_lenient_reader_refuses_too_or_reads_but_never_fails_otherwise(name):
    value = {**CORPUS, **FOREIGN}[name].value
    for record in ("IncidentEvent", "Receipt"):
        with contextlib.suppress(Rejected):
            decode(record, value, LIMIT)


UNBOUNDED = {
    "items that take no byte": {"type": "array", "items": "null"},
    "items that are records of nothing": {
        "type": "array",
        "items": {"type": "record", "name": "Nothing", "fields": [{"name": "none", "type": "null"}]},
    },
    "a type that holds itself": ["null", "Delivery"],
    "a type that holds itself in an array": {"type": "array", "items": "Delivery"},
}


@pytest.mark.parametrize("name", UNBOUNDED)
def test_a_schema_by_which_few_bytes_are_much_is_not_used_even_if_a_registry_has_it(name):
    schema = {"type": "record", "name": "Delivery", "fields": [{"name": "bomb", "type": UNBOUNDED[name]}]}
    bomb = frame(77) + long(20_000_000) + b"\x00"

    assert refusal(lambda value: decode("Delivery", value, LIMIT, {77: schema}.get), bomb).reason == "unusable-schema"
    with pytest.raises(ValueError, match=r"at least|made of"):
        Walker(schema)


CROWD_BYTES = 64 * 1024


def crowd(section: str, **stated: Any) -> bytes:
    """The event with as many items in a section as 64 KiB hold."""
    one = WRITER.items(section, [item(section, **stated)])
    count = CROWD_BYTES // len(one)
    return framed(honest(**{section: Raw(long(-count) + long(count * len(one)) + one * count + b"\x00")}))


def crowd_within(section: str, field: str, one: bytes) -> bytes:
    """The event with as many of something in one item as 64 KiB hold."""
    count = CROWD_BYTES // len(one)
    value = honest()
    value[section][0][field] = Raw(long(count) + one * count + b"\x00")
    return framed(value)


CROWDS = {
    "resources": crowd("resources", callsign=""),
    "hazards": crowd("hazards", kind=""),
    "persons": crowd("suspects"),
    "places": crowd("locations"),
    "log lines": crowd("facts", entry_id="", text=""),
    "telephones of one person": crowd_within("suspects", "phones", b"\x00"),
    "identifiers of one person": crowd_within("suspects", "identifiers", b"\x00\x00"),
    "links": crowd_within("control", "links", b"\x00\x00\x00"),
}


@pytest.mark.parametrize("name", CROWDS)
def test_a_crowd_of_the_smallest_items_takes_time_and_memory_in_proportion_to_its_size(name):
    value = CROWDS[name]
    assert len(value) > CROWD_BYTES

    start = time.process_time()
    CODEC.open(value, LIMIT)[1].view(SECTIONS)
    assert time.process_time() - start < 0.5
    assert peak_bytes(lambda: CODEC.open(value, LIMIT)[1].view(SECTIONS)) < 4 * len(value)
    assert peak_bytes(lambda: [CODEC.open(value, LIMIT)[1].section(s) for s in (CONTROL, *SECTIONS)]) < 128 * len(value)


def test_a_count_that_lies_costs_nothing():
    value = framed(honest(facts=Raw(long(-len(FACTS)) + long(len(FACTS)) + FACTS + b"\x00")))

    assert peak_bytes(lambda: refusal(read_all, value)) < 64 * 1024
