"""Messages put together and taken apart; the catalogue; what is the same however often it is made."""

from __future__ import annotations

import pytest

from schemas.catalogue import Catalogue, Entry, catalogue, schema_file
from schemas.codec import EventCodec, decode, encode, stable_id
from schemas.cut import EventForm
from schemas.errors import Rejected
from schemas.event import Contact, IncidentEvent
from schemas.steps import index_below
from schemas.walk import Walker
from tests.schemas.made_up import EVENT_V2, catalogue_of_two, event_v1
from tests.schemas.test_models import AT, event

LIMIT = 10_000


def test_a_stable_id_depends_on_every_part_and_where_it_ends():
    assert stable_id("a", "b") == stable_id("a", "b")
    assert len({stable_id("a", "b"), stable_id("ab"), stable_id("b", "a"), stable_id("ab", ""), stable_id("a")}) == 5
    assert len(stable_id("a")) == 32


def test_an_event_is_written_in_the_newest_version_unless_told():
    codec = EventCodec(catalogue_of_two())
    value = event().to_avro()

    assert codec.open(codec.encode(value), LIMIT)[0].schema_id == EVENT_V2
    assert codec.open(codec.encode(value, version=1), LIMIT)[0].version == 1


def test_an_older_version_has_no_section_that_came_later():
    codec = EventCodec(catalogue_of_two())
    _, opened = codec.open(codec.encode(event().to_avro(), version=1), LIMIT)

    assert opened.section("exhibits") == []
    assert opened.view(("exhibits",)) == opened.view(())


def test_a_delivery_is_framed_for_the_version_its_event_came_in():
    codec = EventCodec(catalogue_of_two())
    frames = {codec.delivery_frame(entry) for entry in codec.catalogue.versions("IncidentEvent")}

    assert len(frames) == 2


def test_an_event_that_no_delivery_carries_waits_for_routers_to_be_upgraded():
    newest = Entry(EVENT_V2, "IncidentEvent", 2, event_v1())
    with pytest.raises(Rejected, match="no Delivery") as refused:
        EventCodec(Catalogue((*catalogue().entries, newest))).delivery_frame(newest)
    assert refused.value.remedy == "upgrade the routers before the producers"


def test_two_schemas_cannot_have_one_id():
    entry = catalogue().entries[0]
    with pytest.raises(ValueError, match="same id"):
        Catalogue((entry, entry))


def test_a_schemas_file_is_named_for_its_record_and_version():
    assert schema_file("DisclosureRecord", 3) == "disclosure_record.v3.avsc"


def test_a_record_of_an_older_version_is_read_as_the_newest():
    framed = encode("Receipt", {"member": "a", "sent_at": AT})

    assert decode("Receipt", framed, LIMIT)["entries"] == []


def test_what_is_left_over_after_a_record_is_refused():
    with pytest.raises(Rejected) as refused:
        decode("Receipt", encode("Receipt", {"member": "a", "sent_at": AT}) + b"x", LIMIT)
    assert refused.value.reason == "trailing"


def test_items_that_take_a_byte_may_have_fields_that_take_none():
    fields = [{"name": "nothing", "type": "null"}, {"name": "something", "type": "string"}]
    item = {"type": "record", "name": "Item", "fields": fields}
    schema = {"type": "record", "name": "R", "fields": [{"name": "all", "type": {"type": "array", "items": item}}]}

    Walker(schema).check(b"\x02\x00\x00")


def test_sections_must_stand_last_and_be_arrays():
    for field, is_section in ((-3, False), (2, True)):
        schema = event_v1()
        schema["fields"][field]["section"] = is_section
        with pytest.raises(ValueError, match="sections must be arrays"):
            EventForm(schema)


def test_more_symbols_than_one_byte_can_index_are_not_supported():
    assert index_below(64, "enum")(b"\x7e", 0) == 1
    with pytest.raises(ValueError, match="at most 64"):
        index_below(65, "enum")


def test_reading_gives_no_section_of_an_empty_event():
    minimal = IncidentEvent(origin="a", incident_id="1", sent_at=AT, contact=Contact())
    _, opened = EventCodec().open(EventCodec().encode(minimal.to_avro()), LIMIT)

    assert opened.non_empty == frozenset()
    assert opened.view(EventCodec().form(EventCodec().catalogue.current("IncidentEvent")).names) == opened.body
