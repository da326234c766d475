"""Whatever is done to the bytes of an event, it is refused, or all readers see the same event in every view of it."""

from __future__ import annotations

from io import BytesIO
from random import Random
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.avro_form import without_logical_types
from schemas.codec import EventCodec
from schemas.errors import Rejected
from schemas.sections import CONTROL, SECTIONS
from tests.schemas.generated import EVENTS
from tests.schemas.hostile import HONEST, LIMIT, SCHEMA, framed, honest
from tests.schemas.other_avro import BLOCKS, OtherAvro

UNHURRIED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
CODEC = EventCodec()
PLAIN_SCHEMA = fastavro.parse_schema(without_logical_types(SCHEMA))
TIMED_SCHEMA = fastavro.parse_schema(SCHEMA)
READER = OtherAvro(SCHEMA)
ODD_BYTES = (0x00, 0x01, 0x02, 0x03, 0x04, 0x7F, 0x80, 0xFF)
FORMS = {name: framed(honest(), OtherAvro(SCHEMA, blocks)) for name, blocks in BLOCKS.items()}


def stock(body: bytes, schema: Any) -> dict[str, Any]:
    source = BytesIO(body)
    value = fastavro.schemaless_reader(source, schema)
    assert source.tell() == len(body)
    return value


def taken(value: bytes) -> bool:
    """Whether the value was taken; if so, every view of it is one event to all readers."""
    try:
        _, opened = CODEC.open(value, LIMIT)
        control = opened.section(CONTROL)
        whole = opened.view(SECTIONS)
    except Rejected:
        return False
    event = stock(whole, PLAIN_SCHEMA)
    assert READER.read(whole) == event
    stock(whole, TIMED_SCHEMA)  # times that readers can hold
    assert {**opened.head, **{name: opened.section(name) for name in SECTIONS}, CONTROL: []} == event
    assert isinstance(control, list)
    for name in opened.non_empty:
        one = opened.view((name,))
        assert READER.read(one) == stock(one, PLAIN_SCHEMA)
        assert stock(one, PLAIN_SCHEMA) == {
            **event,
            **{other: [] for other in (CONTROL, *SECTIONS) if other != name},
        }
    return True


@pytest.mark.parametrize("form", ["ours", "one_block", "mixed_blocks"])
def test_any_one_byte_changed(form):
    whole = HONEST if form == "ours" else FORMS[form]
    chance = Random(form)
    assert taken(whole)
    for at in range(5, len(whole)):
        octet = chance.choice((chance.choice(ODD_BYTES), whole[at] ^ 1 << chance.randrange(8)))
        taken(whole[:at] + bytes([octet]) + whole[at + 1 :])


@pytest.mark.parametrize("form", ["ours", "one_block"])
def test_any_one_byte_put_in_or_taken_out(form):
    whole = HONEST if form == "ours" else FORMS[form]
    for at in range(5, len(whole)):
        taken(whole[:at] + whole[at + 1 :])
        taken(whole[:at] + b"\x00" + whole[at:])


CHANGES = st.tuples(
    st.sampled_from(["set", "flip", "cut", "add", "swap"]), st.integers(0, 1 << 16), st.integers(0, 1 << 16)
)


def changed(body: bytearray, change: tuple[str, int, int]) -> bytearray:
    """One act of damage: at a byte, set or flipped; a run cut out, put in again elsewhere, or swapped."""
    what, at, more = change
    at %= len(body)
    if what == "set":
        body[at] = ODD_BYTES[more % len(ODD_BYTES)] if more & 1 else more >> 1 & 0xFF
    elif what == "flip":
        body[at] ^= 1 << more % 8
    elif what == "cut":
        del body[at : at + 1 + more % 40]
    elif what == "add":
        start = more % len(body)
        body[at:at] = body[start : start + 1 + more % 40]
    else:
        other = more % len(body)
        body[at], body[other] = body[other], body[at]
    return body or bytearray(b"\x00")


@UNHURRIED
@given(EVENTS, st.sampled_from(["ours", *BLOCKS]), st.lists(CHANGES, min_size=1, max_size=4))
def test_any_event_damaged_in_a_few_places(event, form, changes):
    ours = CODEC.encode(event.to_avro())
    body = ours[5:] if form == "ours" else OtherAvro(SCHEMA, BLOCKS[form]).write(stock(ours[5:], PLAIN_SCHEMA))
    damaged = bytearray(body)
    for change in changes:
        damaged = changed(damaged, change)

    taken(ours[:5] + bytes(damaged))


@settings(UNHURRIED, max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_at_all(body):
    taken(HONEST[:5] + body)
    taken(body)
