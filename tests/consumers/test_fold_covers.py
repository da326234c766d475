"""covers, restricted, withdraw, retract: what a receiver holds, against a plain dict model and in words."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.sinks.sql import SqlSink
from schemas.event import Casualty, Classification, Hazard, Location, LogLine, Names, Person, Quality, Resource, Vehicle
from schemas.sections import SECTIONS
from tests.consumers.making import MEMBER, ORIGIN, Topic, at, delivery_bytes, opened
from tests.consumers.model import PERSONS, Model, read_incidents


def items(section: str, names: list[int]) -> tuple[Any, ...]:
    """Items of a section, told apart by number."""
    if section in PERSONS:
        return tuple(Person(person_ref=f"p-{n}") for n in names)
    if section in ("facts", "assessments", "narrative"):
        return tuple(LogLine(entry_id=f"l-{n}", text=f"line {n}") for n in dict.fromkeys(names))
    makers: dict[str, Any] = {
        "classification": lambda n: Classification(local_code=f"c-{n}"),
        "locations": lambda n: Location(location_ref=f"s-{n}"),
        "casualties": lambda n: Casualty(injury=f"x-{n}"),
        "vehicles": lambda n: Vehicle(vehicle_ref=f"v-{n}"),
        "resources": lambda n: Resource(callsign=f"r-{n}"),
        "hazards": lambda n: Hazard(kind=f"h-{n}"),
    }
    return tuple(makers[section](n) for n in names)


# Few of each, so that they meet: two sections that share a table, one with a table of its own, two of log lines.
MEETING = st.sampled_from(("victims", "suspects", "vehicles", "facts", "narrative"))
names = st.lists(st.integers(0, 5), max_size=4)


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Deliveries by word: (incident, action, sections, items of each), or (`again`, how far back)."""
    share = st.tuples(st.sampled_from("ab"), st.sampled_from(["SHARE", "CORRECT"]), st.dictionaries(MEETING, names))
    other = st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["RESTRICTED", "WITHDRAW", "RETRACT"]),
        st.dictionaries(MEETING, st.just([])),
    )
    again = st.tuples(st.just("again"), st.integers(1, 8))
    return draw(st.lists(st.one_of(share, share, other, again), min_size=1, max_size=14))


def made(words: list[tuple[Any, ...]]) -> list[bytes]:
    values: list[bytes] = []
    for number, word in enumerate(words, start=1):
        if word[0] == "again":
            if values:
                values.append(values[-min(word[1], len(values))])
            continue
        incident, action, content = word
        named = tuple(content)
        if action in ("SHARE", "CORRECT"):
            given_items = {section: items(section, numbers) for section, numbers in content.items()}
            values.append(delivery_bytes(incident, number, action=action, covers=named, **given_items))
        else:
            terms = {"withdraws": list(named)} if action == "WITHDRAW" else {}
            values.append(delivery_bytes(incident, number, action=action, terms=terms, event_id=""))
    return values


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(words=steps(), sizes=st.lists(st.integers(1, 6), min_size=1))
def test_the_database_holds_what_the_model_says_however_deliveries_are_batched(
    words: list[tuple[Any, ...]], sizes: list[int]
) -> None:
    model, topic = Model(), Topic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "r.db")
        with closing(SqlSink(path, MEMBER)) as sink:
            records = [topic.record(value) for value in made(words)]
            turn = 0
            while records:
                size = sizes[turn % len(sizes)]
                batch = opened(records[:size])
                records, turn = records[size:], turn + 1
                for delivery in batch.taken:
                    model.take(delivery)
                sink.write(batch)
                assert read_incidents(path) == model.incidents


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_replaced_emptied_and_withdrawn_in_json_and_in_columns(section: str, tmp_path: Path) -> None:
    model = Model()
    with closing(Receiver(tmp_path)) as receiver:
        for value in (
            delivery_bytes(step=1, covers=(section,), **{section: items(section, [1, 2, 3])}),
            delivery_bytes(step=2, covers=(section,), **{section: items(section, [3, 4])}),
            delivery_bytes(step=3, covers=(section,)),
            delivery_bytes(step=4, covers=(section,), **{section: items(section, [5])}),
            delivery_bytes(step=5, action="WITHDRAW", event_id="", terms={"withdraws": [section]}),
        ):
            batch = receiver.topic.batch(value)
            receiver.sink.write(batch)
            model.take(batch.taken[0])
            assert read_incidents(receiver.path) == model.incidents


class Receiver:
    """A sink, its file and its topic, for tests in words."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "r.db"
        self.topic = Topic()
        self.sink = SqlSink(self.path, MEMBER)

    def take(self, *values: bytes) -> None:
        self.sink.write(self.topic.batch(*values))

    def forget_deliveries(self) -> None:
        self.query("DELETE FROM delivery")

    def query(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as database:
            rows = database.execute(query).fetchall()
            database.commit()
            return rows

    def close(self) -> None:
        self.sink.close()


def shared(step: int, number: int | None = None, **event: Any) -> bytes:
    value = delivery_bytes(
        step=step, covers=("vehicles", "hazards"), local_ref="0042", vehicles=items("vehicles", [step]), **event
    )
    return numbered(value, number)


def numbered(value: bytes, number: int | None) -> bytes:
    """The delivery with a number, as a router with state gives it; written where `encode_address` writes none."""
    if number is None:
        return value
    mark = MEMBER.encode() + b"\x00"
    start = value.index(mark) + len(MEMBER)
    return value[:start] + b"\x02" + bytes([number * 2]) + value[start + 1 :]


def retract(step: int, **terms: Any) -> bytes:
    return delivery_bytes(
        step=step, action="RETRACT", event_id="", terms={"reason": "unlawful", "ask": "erase", **terms}
    )


def test_a_covered_section_that_is_empty_says_there_is_none_and_an_uncovered_one_stays_with_its_time(
    tmp_path: Path,
) -> None:
    with closing(Receiver(tmp_path)) as receiver:
        receiver.take(shared(1), delivery_bytes(step=2, covers=("hazards",), recorded_at=at(2)))
        assert receiver.query("SELECT section, items, stated_at, event_id FROM section ORDER BY section") == [
            ("hazards", "[]", "2026-01-31T08:02:00.000Z", "e-2"),
            ("vehicles", '[{"vehicle_ref":"v-1","role":"","markers":[]}]', "2026-01-31T08:01:00.000Z", "e-1"),
        ]


def test_restricted_marks_the_incident_and_leaves_what_is_held(tmp_path: Path) -> None:
    with closing(Receiver(tmp_path)) as receiver:
        receiver.take(shared(1), delivery_bytes(step=2, action="RESTRICTED", event_id=""))
        assert receiver.query("SELECT restricted, action, event_id, local_ref FROM incident") == [
            (1, "restricted", "e-1", "0042")
        ]
        assert receiver.query("SELECT count(*) FROM vehicle") == [(1,)]
        receiver.take(shared(3))
        assert receiver.query("SELECT restricted FROM incident") == [(0,)]


def test_withdraw_removes_the_named_sections_and_leaves_a_mark(tmp_path: Path) -> None:
    with closing(Receiver(tmp_path)) as receiver:
        receiver.take(shared(1))
        receiver.take(delivery_bytes(step=2, action="WITHDRAW", event_id="", terms={"withdraws": ["vehicles"]}))
        assert receiver.query("SELECT section, items FROM section ORDER BY section") == [
            ("hazards", "[]"),
            ("vehicles", None),
        ]
        assert receiver.query("SELECT count(*) FROM vehicle") == [(0,)]


def test_a_retraction_hides_everything_and_seals_it_for_the_person_who_confirms(tmp_path: Path) -> None:
    with closing(Receiver(tmp_path)) as receiver:
        receiver.take(shared(1))
        receiver.take(retract(2))
        (row,) = receiver.query("SELECT event_id, local_ref, category, retract_reason, retract_ask FROM incident")
        assert row == (None, None, None, "unlawful", "erase")
        assert receiver.query("SELECT (SELECT count(*) FROM section) + (SELECT count(*) FROM vehicle)") == [(0,)]
        sealed = dict(receiver.query("SELECT section, items FROM sealed"))
        assert json.loads(sealed["head"])["local_ref"] == "0042"
        assert "v-1" in sealed["vehicles"]


def test_a_replayed_share_never_resurrects_a_retracted_incident_even_when_deliveries_are_forgotten(
    tmp_path: Path,
) -> None:
    with closing(Receiver(tmp_path)) as receiver:
        receiver.take(shared(1), retract(3))
        receiver.forget_deliveries()
        receiver.take(shared(1))
        receiver.take(delivery_bytes(step=2, covers=("hazards",), cause="another policy"))
        assert receiver.query("SELECT event_id, retracted_at IS NULL FROM incident") == [(None, 0)]
        assert receiver.query("SELECT count(*) FROM section") == [(0,)]
        assert receiver.query("SELECT DISTINCT effect FROM delivery") == [("superseded",)]


def test_what_lies_before_the_position_is_a_repeat_even_when_deliveries_are_forgotten(tmp_path: Path) -> None:
    with closing(Receiver(tmp_path)) as receiver:
        batch = receiver.topic.batch(shared(1), shared(2))
        receiver.sink.write(batch)
        receiver.forget_deliveries()
        assert receiver.sink.write(batch).repeated == 2
        assert receiver.query("SELECT count(*) FROM delivery") == [(0,)]


def test_a_share_of_a_later_event_lifts_the_tombstone(tmp_path: Path) -> None:
    with closing(Receiver(tmp_path)) as receiver:
        receiver.take(shared(1), retract(2), shared(3))
        assert receiver.query("SELECT event_id, retracted_at FROM incident") == [("e-3", None)]


def test_numbers_decide_where_there_are_any(tmp_path: Path) -> None:
    with closing(Receiver(tmp_path)) as receiver:
        receiver.take(shared(1, 1), shared(3, 3), shared(2, 2))
        assert receiver.query("SELECT event_id, latest_number FROM incident") == [("e-3", 3)]
        assert receiver.query("SELECT event_id, effect FROM delivery ORDER BY record_offset") == [
            ("e-1", "applied"),
            ("e-3", "applied"),
            ("e-2", "superseded"),
        ]
        # By its number it was decided after the retraction, whatever the clocks say.
        receiver.take(numbered(retract(9), 4), shared(5, 5))
        assert receiver.query("SELECT event_id FROM incident") == [("e-5",)]


def test_columns_hold_what_the_origin_said_as_codes_and_plain_values(tmp_path: Path) -> None:
    person = Person(
        person_ref="P1",
        role="victim",
        names=Names(given="Ann", family="Example", aliases=("Annie",)),
        home=Location(address="1 High Street", postcode="HX1 1AA"),
        quality=Quality(accuracy="known-wrong", reliability="police-observed", as_of=at(0)),
        interpreter=True,
    )
    value = delivery_bytes(
        covers=("victims",), grade="no-attendance", kind="stand-down", recorded_at=at(1), victims=(person,)
    )
    with closing(Receiver(tmp_path)) as receiver:
        receiver.take(value)
        assert receiver.query("SELECT origin, grade, kind, marking, recorded_at, contact_phone FROM incident") == [
            (ORIGIN, "no-attendance", "stand-down", "unknown", "2026-01-31T08:01:00.000Z", "101")
        ]
        columns = "family, aliases, home_postcode, interpreter, accuracy, reliability, quality_as_of, section, role"
        assert receiver.query(f"SELECT {columns} FROM person") == [  # noqa: S608
            (
                "Example",
                '["Annie"]',
                "HX1 1AA",
                1,
                "known-wrong",
                "police-observed",
                "2026-01-31T08:00:00.000Z",
                "victims",
                "victim",
            )
        ]
