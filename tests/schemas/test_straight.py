"""Straight-line code says what the walk and fastavro say, or gives up; and of what is usual it does not give up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.avro_form import Form, Schema, named_types, parse, self_contained, without_logical_types
from schemas.catalogue import catalogue
from schemas.codec import EventCodec
from schemas.errors import Rejected
from schemas.places import WATCHED
from schemas.straight import GIVEN_UP, Irregular, reader, skipper
from schemas.walk import Spot, Spotter, Walker
from schemas.wire import long_bytes
from tests.schemas.generated import values_of

UNHURRIED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
EVENT = catalogue().current("IncidentEvent").schema
SPLIT = next(number for number, field in enumerate(EVENT["fields"]) if field.get("section"))


def _parts() -> dict[str, Schema]:
    """The schema of the head, and of the items of each section with items of its own."""
    parsed = parse(EVENT)
    types = named_types(parsed)
    items = [self_contained(field["type"]["items"], types) for field in parsed["fields"][SPLIT:]]
    return {"head": {**EVENT, "fields": EVENT["fields"][:SPLIT]}, **{item["name"]: item for item in items}}


PARTS = _parts()
MADE = {name: (skipper(part, WATCHED), reader(part)) for name, part in PARTS.items()}
SPOTTERS = {name: Spotter(part, WATCHED) for name, part in PARTS.items()}
WALKERS = {name: Walker(part) for name, part in PARTS.items()}
FORMS = {name: Form(part) for name, part in PARTS.items()}
PLAIN = {name: Form(without_logical_types(part)) for name, part in PARTS.items()}


def agrees(name: str, body: bytes) -> bool:
    """Whether straight-line code took a body, which it must take for what it is; the walk took or refused it anyhow."""
    skip, read = MADE[name]
    try:
        value, end = read(body, 0)
        taken = end <= len(body)
    except GIVEN_UP:
        taken = False
    seen: list[Spot] = []
    try:
        skipped = skip(body, 0, seen)
    except GIVEN_UP:
        assert not taken
        return False
    if skipped > len(body):
        assert not taken
        return False
    assert taken
    assert skipped == end == WALKERS[name].walk(body, 0, name)
    assert value == PLAIN[name].decode(body[:end], name)
    as_array = b"\x02" + body[:end] + b"\x00"
    assert seen == [(part, start - 1, end - 1) for part, start, end in SPOTTERS[name].spots(as_array, 0, name)]
    return True


@pytest.mark.parametrize("name", PARTS)
def test_it_takes_a_value_as_the_walk_and_fastavro_do_or_gives_up(name: str) -> None:
    @UNHURRIED
    @given(values_of(PARTS[name]))
    def holds(value: dict[str, Any]) -> None:
        body = FORMS[name].encode(value)
        agrees(name, body)
        agrees(name, body + b"\x00")
        assert not agrees(name, body[:-1])

    holds()


@pytest.mark.parametrize("name", PARTS)
def test_it_takes_nothing_that_the_walk_refuses(name: str) -> None:
    @UNHURRIED
    @given(
        values_of(PARTS[name]), st.integers(0, 1 << 16), st.integers(0, 255), st.sampled_from(["set", "put", "take"])
    )
    def holds(value: dict[str, Any], at: int, octet: int, act: str) -> None:
        body = bytearray(FORMS[name].encode(value))
        at %= len(body)
        if act == "take":
            del body[at]
        else:
            body[at : at + (act == "set")] = bytes([octet])
        agrees(name, bytes(body))

    holds()


@pytest.mark.parametrize("name", PARTS)
@settings(UNHURRIED, max_examples=200)
@given(st.binary(max_size=60))
@example(b"")
def test_any_bytes_at_all(name: str, body: bytes) -> None:
    agrees(name, body)


NUMBERS = {"type": "record", "name": "N", "fields": [{"name": "n", "type": None}, {"name": "end", "type": "string"}]}
KINDS: dict[str, Any] = {
    "int": "int",
    "long": "long",
    "date": {"type": "int", "logicalType": "date"},
    "time": {"type": "long", "logicalType": "timestamp-millis"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_size_of_a_number_is_taken_for_what_it_is(kind: str) -> None:
    number, end = NUMBERS["fields"]
    schema = {**NUMBERS, "fields": [{**number, "type": KINDS[kind]}, end]}
    read, walker, plain = reader(schema), Walker(schema), Form(without_logical_types(schema))
    taken = 0
    for bits in range(64):
        for value in {(1 << bits) - 1, 1 << bits, -(1 << bits), 1 - (1 << bits), 3 * (1 << bits) // 2}:
            if not -(1 << 63) <= value < 1 << 63:
                continue
            for written in (long_bytes(value), long_bytes(value)[:-1] + bytes([long_bytes(value)[-1] | 0x80, 0])):
                body = written + b"\x02x"
                try:
                    found, at = read(body, 0)
                except GIVEN_UP:
                    continue
                taken += 1
                assert at == len(body) == walker.walk(body, 0, "a number")
                assert found == plain.decode(body, "a number") == {"n": value, "end": "x"}
    assert taken > 20


def test_times_and_dates_of_today_and_of_peoples_births_are_usual() -> None:
    days = reader({**NUMBERS, "fields": [{"name": "n", "type": KINDS["date"]}]})
    for day in (-25_000, -8_193, -1, 0, 63, 64, 8_192, 20_000, 30_000):
        assert days(long_bytes(day), 0) == ({"n": day}, len(long_bytes(day)))
    moments = skipper({**NUMBERS, "fields": [{"name": "n", "type": KINDS["time"]}]}, {})
    for moment in (946_684_800_000, 1_780_000_000_000, 2_190_000_000_000):
        assert moments(long_bytes(moment), 0, []) == 6


def test_a_text_is_taken_to_eight_kibibytes() -> None:
    read = reader({**NUMBERS, "fields": [NUMBERS["fields"][1]]})
    for length in (0, 1, 63, 64, 65, 127, 128, 8_191):
        body = long_bytes(length) + b"x" * length
        assert read(body, 0) == ({"end": "x" * length}, len(body))
    with pytest.raises(Irregular):
        read(long_bytes(8_192) + b"x" * 8_192, 0)


def test_the_ordinary_events_of_a_control_room_need_no_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all of this would be correct, and for nothing."""
    from tests.bench.workload import framed_events

    codec = EventCodec()
    values = [value for _, value in framed_events(50, 10)]
    codec.open(values[0], 1 << 20)

    def no_walk(*_: object) -> None:
        raise AssertionError("an ordinary event was walked")

    monkeypatch.setattr(Walker, "walk", no_walk)
    monkeypatch.setattr(Walker, "walk_array", no_walk)
    monkeypatch.setattr(Spotter, "spots", no_walk)
    for value in values:
        _, event = codec.open(value, 1 << 20)
        assert event.view(event.non_empty)


def test_a_schema_of_other_types_is_refused() -> None:
    for kind in ("float", "bytes", {"type": "map", "values": "string"}):
        with pytest.raises(ValueError, match="one of the types"):
            skipper({**NUMBERS, "fields": [{"name": "n", "type": kind}]}, {})
    with pytest.raises(ValueError, match="null"):
        skipper({**NUMBERS, "fields": [{"name": "n", "type": ["string", "null"]}]}, {})


def test_a_section_refused_where_it_stands_is_refused_each_time() -> None:
    """What is remembered of a section's bytes is whether they are honest, either way."""
    codec = EventCodec()
    value = codec.encode(
        {
            "origin": "a",
            "incident_id": "i",
            "sent_at": 1_780_000_000_000,
            "contact": {},
            "facts": [{"entry_id": "l1", "text": "door"}],
        }
    )
    lie = value.replace(b"\x08door", b"\x08do\xffr")
    for _ in range(3):
        _, event = codec.open(lie, 1 << 20)
        with pytest.raises(Rejected, match="not UTF-8"):
            event.view(["facts"])
        _, event = codec.open(value, 1 << 20)
        assert b"door" in event.view(["facts"])
