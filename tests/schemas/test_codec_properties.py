"""The cut, for every event the models allow: what comes out is plain Avro, and says what it should and no more."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.avro_form import without_logical_types
from schemas.catalogue import catalogue
from schemas.codec import EventCodec, decode, decode_foreign, encode
from schemas.event import IncidentEvent
from schemas.records import DisclosureRecord, Feedback, Quarantined, Receipt
from schemas.sections import CONTROL, SECTIONS
from tests.schemas.generated import EVENTS, records
from tests.schemas.other_avro import BLOCKS, OtherAvro

UNHURRIED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LIMIT = 1 << 20
CODEC = EventCodec()
SCHEMA = catalogue().current("IncidentEvent").schema
PLAIN_SCHEMA = without_logical_types(SCHEMA)
FRAME = CODEC.encode(IncidentEvent(origin="a", incident_id="1", sent_at="2026-01-01T00:00:00Z", contact={}).to_avro())[
    :5
]


def stock(body: bytes, schema: Any = SCHEMA) -> dict[str, Any]:
    """What fastavro, knowing nothing of us, reads: to the last byte."""
    source = BytesIO(body)
    value = fastavro.schemaless_reader(source, schema)
    assert source.tell() == len(body)
    return value


def stock_bytes(value: dict[str, Any]) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, value)
    return out.getvalue()


@UNHURRIED
@given(EVENTS, st.sets(st.sampled_from(SECTIONS)))
def test_any_view_is_plain_avro_with_the_sections_named_and_no_other(event, keep):
    _, opened = CODEC.open(CODEC.encode(event.to_avro()), LIMIT)
    blank = {name: () for name in (CONTROL, *SECTIONS) if name not in keep}

    assert IncidentEvent.from_avro(stock(opened.view(keep))) == event.model_copy(update=blank)


@UNHURRIED
@given(EVENTS)
def test_control_is_in_no_view_even_if_it_is_asked_for(event):
    _, opened = CODEC.open(CODEC.encode(event.to_avro()), LIMIT)

    assert stock(opened.view((CONTROL, *SECTIONS)))["control"] == []


@UNHURRIED
@given(EVENTS)
def test_all_sections_and_control_are_the_body_as_it_came(event):
    framed = CODEC.encode(event.to_avro())
    _, opened = CODEC.open(framed, LIMIT)
    view, head = opened.view(SECTIONS), len(opened.view(())) - len((CONTROL, *SECTIONS))

    assert view == CODEC.encode({**event.to_avro(), CONTROL: []})[5:]
    assert framed[5:].startswith(view[:head])
    assert framed[5:].endswith(view[head + 1 :])
    assert len(framed[5:]) > len(view) if event.control else framed[5:] == view


@UNHURRIED
@given(EVENTS)
def test_sections_read_as_they_were_written(event):
    value = event.to_avro()
    _, opened = CODEC.open(CODEC.encode(value), LIMIT)
    as_integers = stock(stock_bytes(value), PLAIN_SCHEMA)

    assert opened.head == {name: inner for name, inner in as_integers.items() if name not in (CONTROL, *SECTIONS)}
    assert {name: opened.section(name) for name in (CONTROL, *SECTIONS)} == {
        name: as_integers[name] for name in (CONTROL, *SECTIONS)
    }
    assert opened.non_empty == {name for name in (CONTROL, *SECTIONS) if value[name]}


@UNHURRIED
@given(EVENTS)
def test_an_event_as_a_stock_library_writes_it_becomes_our_form(event):
    value = event.to_avro()
    ours = CODEC.encode(value)
    _, opened = CODEC.open(FRAME + stock_bytes(value), LIMIT)

    assert opened.body == ours[5:]


@pytest.mark.parametrize("blocks", BLOCKS)
@UNHURRIED
@given(EVENTS, st.sets(st.sampled_from(SECTIONS)))
def test_however_arrays_are_cut_into_blocks_the_same_event_is_read_and_passed_on(blocks, event, keep):
    value = event.to_avro()
    as_integers = stock(stock_bytes(value), PLAIN_SCHEMA)
    _, opened = CODEC.open(FRAME + OtherAvro(SCHEMA, BLOCKS[blocks]).write(as_integers), LIMIT)
    view = opened.view(keep)

    assert stock(view, PLAIN_SCHEMA) == {**as_integers, **{n: [] for n in (CONTROL, *SECTIONS) if n not in keep}}
    assert OtherAvro(SCHEMA).read(view) == stock(view, PLAIN_SCHEMA)


@UNHURRIED
@given(EVENTS)
def test_encoding_is_the_same_however_often_it_is_done(event):
    once = CODEC.encode(event.to_avro())
    again = CODEC.encode(IncidentEvent.from_avro(CODEC.open(once, LIMIT)[1].form.decode(once[5:])).to_avro())

    assert again == once


RECORDS = {
    "Receipt": Receipt,
    "Feedback": Feedback,
    "DisclosureRecord": DisclosureRecord,
    "Quarantined": Quarantined,
}


@pytest.mark.parametrize("record", RECORDS)
@settings(UNHURRIED, max_examples=25)
@given(st.data())
def test_every_other_record_is_read_as_it_was_written(record, data):
    value = data.draw(records(record))
    model = RECORDS[record].from_avro(value)
    framed = encode(record, model.to_avro())

    assert RECORDS[record].from_avro(decode(record, framed, LIMIT)) == model
    assert decode_foreign(record, framed, LIMIT) == decode(record, framed, LIMIT)
