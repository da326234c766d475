"""What a model takes can be written and read; what it refuses, it refuses without quoting it."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from pydantic import ValidationError

from schemas.codec import EventCodec
from schemas.errors import Rejected
from schemas.event import Casualty, Contact, Control, Hazard, IncidentEvent, Location, LogLine, Names, Person, Point

AT = dt.datetime(2026, 2, 14, 19, 42, 10, 250_999, dt.UTC)
TYPED = "Invented Walker"


def event(**stated: object) -> IncidentEvent:
    return IncidentEvent(origin="west-yorkshire", incident_id="1", sent_at=AT, contact=Contact(), **stated)


def test_a_closed_code_is_a_code_in_the_model_and_a_symbol_in_avro():
    assert event(kind="stand-down").kind == "stand-down"
    assert event(kind="STAND_DOWN").kind == "stand-down"
    assert event(kind="stand-down").to_avro()["kind"] == "STAND_DOWN"
    assert event().to_avro()["kind"] == "UNKNOWN"


def test_a_time_is_kept_in_utc_to_the_millisecond():
    leeds_in_summer = dt.timezone(dt.timedelta(hours=1))
    moment = event(occurred_at=dt.datetime(2026, 7, 1, 12, 0, 0, 1999, leeds_in_summer)).occurred_at

    assert moment == dt.datetime(2026, 7, 1, 11, 0, 0, 1000, dt.UTC)
    assert moment.tzinfo is dt.UTC


def test_not_stated_and_none_are_different_and_both_survive():
    codec = EventCodec()
    for handling in (None, (), ("no-media",)):
        framed = codec.encode(event(handling=handling).to_avro())
        entry, _ = codec.open(framed, 10_000)
        assert IncidentEvent.from_avro(codec.form(entry).decode(framed[5:])).handling == handling


def test_models_are_frozen_and_take_nothing_extra():
    with pytest.raises(ValidationError):
        event().origin = "elsewhere"
    with pytest.raises(ValidationError, match="Extra inputs"):
        event(weather="fog")


@pytest.mark.parametrize(
    "refused",
    [
        lambda: event(kind=TYPED),
        lambda: event(occurred_at=TYPED),
        lambda: event(occurred_at=dt.datetime(2026, 1, 1)),  # noqa: DTZ001  a time without a zone
        lambda: event(occurred_at=dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))),
        lambda: event(mode=7),
        lambda: Point(latitude=90.1, longitude=0),
        lambda: Point(latitude=math.nan, longitude=0),
        lambda: Location(radius_m=math.inf),
        lambda: Location(radius_m=TYPED),
        lambda: Person(age_stated=1 << 31),
        lambda: Person(date_of_birth=TYPED),
        lambda: Casualty(count=-(1 << 31) - 1),
        lambda: Control(sequence=1 << 63),
        lambda: IncidentEvent(origin=TYPED, incident_id="1", sent_at=AT, contact=Contact()),
        lambda: IncidentEvent(origin="a", incident_id="", sent_at=AT, contact=Contact()),
        lambda: IncidentEvent(origin="a", incident_id=TYPED * 20, sent_at=AT, contact=Contact()),
        lambda: Names(given=7, family=[TYPED]),
        lambda: Hazard(precaution=TYPED),
        lambda: LogLine(text=TYPED),
    ],
)
def test_what_cannot_be_written_is_refused_and_not_quoted(refused):
    with pytest.raises(ValidationError) as error:
        refused()
    assert TYPED not in str(error.value)
    assert "input_value" not in str(error.value)


def test_text_that_is_no_text_is_refused_when_it_is_written_and_not_quoted():
    half = event(narrative=(LogLine(entry_id="1", text=f"{TYPED} \ud800"),))

    with pytest.raises(Rejected) as refused:
        EventCodec().encode(half.to_avro())
    assert refused.value.reason == "unencodable"
    assert TYPED not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_value_of_another_shape_is_refused_when_it_is_written_and_not_quoted():
    with pytest.raises(Rejected) as refused:
        EventCodec().encode({**event().to_avro(), "suspects": [{"age_stated": TYPED}]})
    assert refused.value.reason == "unencodable"
    assert TYPED not in str(refused.value)
