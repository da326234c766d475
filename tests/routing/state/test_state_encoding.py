"""What is remembered comes back from its bytes as it was, and any Avro library reads it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from routing.state.encoding import decode, decode_streams, encode, encode_streams, keep_until_of
from routing.state.incident import moment_of
from schemas.codec import decode as decode_record
from schemas.routing_state import RoutingState
from tests.routing.scene import stock
from tests.routing.state.remembered import an_incident, incidents, numbers, plain

UNHURRIED = settings(deadline=None, max_examples=40)


@UNHURRIED
@given(incidents)
def test_what_is_remembered_comes_back_as_it_was(incident):
    assert plain(decode(encode(incident))) == plain(incident)


@UNHURRIED
@given(incidents)
def test_the_same_is_the_same_bytes(incident):
    assert encode(decode(encode(incident))) == encode(incident)


@UNHURRIED
@given(incidents)
def test_when_it_may_be_forgotten_is_read_without_the_rest(incident):
    assert keep_until_of(encode(incident)) == incident.keep_until_ms


@UNHURRIED
@given(incidents.filter(lambda incident: (incident.keep_until_ms or 0) < 4_000_000_000_000))
def test_any_avro_library_reads_it_and_so_does_the_model(incident):
    value = encode(incident)
    read = RoutingState.from_avro(stock(value))

    assert read == RoutingState.from_avro(decode_record("RoutingState", value, 1 << 20))
    assert read.sequence == incident.sequence
    assert {row.member: row.number for row in read.numbers} == incident.numbers.value
    assert [holder.member for holder in read.holders] == [holding.member for holding in incident.holdings.value]
    assert set(read.barred) == incident.rulings.value.barred


@UNHURRIED
@given(numbers)
def test_streams_come_back_as_they_were(streams):
    assert decode_streams(encode_streams(streams)) == streams
    assert stock(encode_streams(streams))["holders"] == []


@UNHURRIED
@given(incidents)
def test_deciding_reads_the_same_after_a_restart(incident):
    assert decode(encode(incident)).state() == incident.state()


def test_deciding_reads_every_part_of_it():
    incident = an_incident(closed_ms=2_000, last_event_ms=3_000)
    state = incident.state()
    assert (state.closed_at, state.last_event_at) == (moment_of(2_000), moment_of(3_000))


def test_an_incident_held_by_three_takes_few_bytes():
    example = an_incident()
    assert len(encode(example)) < 40


def test_what_another_release_wrote_is_refused_and_not_guessed():
    value = bytearray(encode(an_incident()))
    value[4] += 1
    with pytest.raises(ValueError, match="another release"):
        decode(bytes(value))


def test_no_personal_data_could_stand_in_it():
    """Names of fields that a person's data might stand in: none but codes, names of members and times."""
    names = json.dumps(RoutingState.model_json_schema())
    assert not any(word in names for word in ("address", "phone", "surname", "latitude", "text"))
