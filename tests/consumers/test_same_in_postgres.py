"""The same deliveries and records leave the same in PostgreSQL as in SQLite, row by row and answer by answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.delivery import Batch, Record, open_batch
from consumers.ledger import LedgerEntry, LedgerSink, ledger_opener
from consumers.ledger_queries import Ledger
from consumers.sinks.places import Place
from consumers.sinks.postgres_url import PostgresUrl
from consumers.sinks.sql import SqlSink
from schemas.event import Location, Names, Person, Quality, WarningMarker
from schemas.sections import SECTIONS
from tests.consumers.ledger_making import FORCE, disclosure, feedback
from tests.consumers.making import MEMBER, MOST_BYTES, Topic, at, delivery_bytes, opened
from tests.consumers.mirror import LEDGER, contents, mirror
from tests.consumers.test_fold_covers import items, made, steps
from tests.postgres_server import PostgresServer

NOW = at(30)


class Both:
    """One member's sink in each, given the same."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self._path = folder / "received.db"
        self.topic = Topic()
        self._sinks = [SqlSink(place, MEMBER, lambda: NOW) for place in (self._path, PostgresUrl(url))]

    def take(self, *values: bytes) -> None:
        batch = opened([self.topic.record(value) for value in values])
        one, other = (sink.write(batch) for sink in self._sinks)
        assert one == other
        one, other = (sink.unsent_receipts(0, 99) for sink in self._sinks)
        assert one == other

    def compare(self) -> dict[str, list[dict[str, Any]]]:
        in_sqlite = contents(self._path)
        assert contents(mirror(self._url, self._folder / "copy.db")) == in_sqlite
        return in_sqlite

    def start_afresh(self, server: PostgresServer) -> None:
        """Empty both, but for what says whose they are."""
        tables = [name for name, rows in self.compare().items() if name != "meta" and rows]
        self.topic = Topic()
        with closing(sqlite3.connect(self._path)) as database:
            for table in tables:
                database.execute(f"DELETE FROM {table}")  # noqa: S608
            database.execute("DELETE FROM sqlite_sequence")
            database.commit()
        if tables:
            server.run(self._url, f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")

    def close(self) -> None:
        for sink in self._sinks:
            sink.close()


@pytest.fixture(scope="module")
def emptied(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both, to be used again and again."""
    with closing(Both(tmp_path_factory.mktemp("both"), postgres.make_database())) as both:
        yield both


@pytest.fixture
def both(postgres: PostgresServer, tmp_path: Path) -> Iterator[Both]:
    with closing(Both(tmp_path, postgres.make_database())) as made_afresh:
        yield made_afresh


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=steps(), sizes=st.lists(st.integers(1, 6), min_size=1))
def test_any_deliveries_however_batched_leave_the_same_rows(
    emptied: Both, postgres: PostgresServer, words: list[tuple[Any, ...]], sizes: list[int]
) -> None:
    emptied.start_afresh(postgres)
    values, turn = made(words), 0
    while values:
        size = sizes[turn % len(sizes)]
        emptied.take(*values[:size])
        values, turn = values[size:], turn + 1
        emptied.compare()


def test_every_section_and_kind_of_column_is_the_same(both: Both) -> None:
    person = Person(
        person_ref="P1",
        role="victim",
        names=Names(given="Zoë", family='O\'Neill \\ "x"', aliases=("Annie", "{a,b}")),
        home=Location(address="1 High Street\n(rear)", postcode="HX1 1AA"),
        date_of_birth=datetime(1990, 2, 28, tzinfo=UTC).date(),
        warning_markers=(WarningMarker(code="W", date=datetime(2020, 1, 2, tzinfo=UTC).date()),),
        quality=Quality(accuracy="known-wrong", reliability="police-observed", as_of=at(0)),
        interpreter=False,
        photo_available=True,
    )
    everything: dict[str, Any] = {section: items(section, [1, 2]) for section in SECTIONS}
    everything["victims"] = (person,)
    head = {"grade": "no-attendance", "recorded_at": at(1), "effective_at": at(2) + timedelta(milliseconds=1)}
    both.take(
        delivery_bytes(step=1, covers=tuple(SECTIONS), handling=("C",), **head, **everything),
        delivery_bytes("i-3", 2, covers=tuple(SECTIONS[:5]), terms={"retain_until": at(9), "under_review": True}),
        delivery_bytes("i-2", 3, action="UNKNOWN"),
        b"\x00not avro",
    )
    rows = both.compare()
    assert [name for name, of in rows.items() if not of] == [
        "gap",
        "sealed",
        "hold",
        "asked",
        "answer",
        "stream",
        "stream_gap",
    ]
    assert rows["incident"][0]["effective_at"] == "2026-01-31T08:02:00.001Z"
    both.take(delivery_bytes(step=4, action="RETRACT", event_id="", terms={"reason": "unlawful", "ask": "erase"}))
    assert both.compare()["sealed"]


class Records:
    """Of a force's two topics."""

    def __init__(self) -> None:
        self._offset = 0

    def batch(self, *values: bytes, topic: str = "disclosures") -> Batch[LedgerEntry]:
        records = []
        for value in values:
            self._offset += 1
            records.append(Record(f"{topic}.{FORCE}", 0, self._offset, 0, value))
        return open_batch(records, ledger_opener(MOST_BYTES))


def test_the_ledger_answers_every_question_the_same(postgres: PostgresServer, tmp_path: Path) -> None:
    places: list[Place] = [tmp_path / "ledger.db", PostgresUrl(url := postgres.make_database())]
    for place in places:
        records = Records()
        with closing(LedgerSink(place, FORCE, lambda: NOW)) as sink:
            sink.write(records.batch(*(disclosure(f"e-{n}", f"i-{n % 3}", sequence=n) for n in range(12))))
            sink.write(records.batch(disclosure("e-1", "i-1", sequence=1), b"\x00rubbish"))
            # Two incidents with one event_id, decided at one moment.
            sink.write(records.batch(disclosure("e-20", "i-b"), disclosure("e-20", "i-a")))
            told = [feedback("f-2", "e-1", "e-2"), feedback("f-1", "e-1"), feedback("f-3", kind="quarantined")]
            sink.write(records.batch(*told, topic="feedback"))
    with ExitStack() as closing_all:
        one, other = (closing_all.enter_context(Ledger(place, FORCE, "auditor")) for place in places)
        for event in ("e-1", "e-7", "e-20", "e-99", ""):
            assert one.find_event(event) == other.find_event(event)
            assert one.decisions(event) == other.decisions(event)
            assert one.feedback_for(event) == other.feedback_for(event)
            for member in ("greater-manchester", "agency", "nobody"):
                assert one.decision(event, member) == other.decision(event, member)
        assert len(one.find_event("e-20")) == len(other.find_event("e-20")) == 2
        for incident in ("i-0", "i-1", "i-x"):
            assert one.find_incident(incident) == other.find_incident(incident)
            assert one.whole_incident(incident) == other.whole_incident(incident)
        for limit in (3, 1000):
            between = one.find_between(at(0), at(5), limit)
            assert len(between) == min(limit, 14)
            assert other.find_between(at(0), at(5), limit) == between
    in_sqlite, in_postgres = (
        contents(tmp_path / "ledger.db", LEDGER),
        contents(mirror(url, tmp_path / "c.db", LEDGER), LEDGER),
    )
    for rows in (in_sqlite, in_postgres):
        for row in rows["access_log"]:
            assert row.pop("at")
    assert in_postgres == in_sqlite
    assert {row["who"] for row in in_sqlite["access_log"]} == {"auditor"}


def test_a_record_of_the_ledger_that_cannot_be_held_stops_nothing_else(postgres: PostgresServer) -> None:
    url = PostgresUrl(postgres.make_database())
    nul = feedback("f-1", "e-1", reason="r", detail="one\x00two")
    unnamed = feedback("f-\x00", "e-1")
    long = disclosure("e-2", "".join(f"{n:x}" for n in range(9000)))
    with closing(LedgerSink(url, FORCE)) as sink:
        records = Records()
        written = sink.write(records.batch(nul, unnamed, feedback("f-3", "e-1"), topic="feedback"))
        assert (len(written.written), [one.reason for one in written.set_aside]) == (2, ["bad-identifier"])
        written = sink.write(records.batch(disclosure("e-1"), long, disclosure("e-3")))
        assert (len(written.written), [one.reason for one in written.set_aside]) == (2, ["not-storable"])
    with Ledger(url) as ledger:
        assert [row["detail"] for row in ledger.feedback_for("e-1")] == ["one\ufffdtwo", ""]
        assert len(ledger.find_event("e-1")) == len(ledger.find_event("e-3")) == 1


def test_every_question_to_the_ledger_is_answered_from_an_index(postgres: PostgresServer) -> None:
    url = postgres.make_database()
    LedgerSink(PostgresUrl(url), FORCE).close()
    for question in (
        "SELECT * FROM disclosure WHERE event_id = 'e' ORDER BY decided_at, record_id",
        "SELECT * FROM disclosure WHERE incident_id = 'i' ORDER BY sequence, record_id",
        "SELECT * FROM disclosure WHERE decided_at >= '2026-01-01' AND decided_at < '2026-01-02' ORDER BY decided_at",
        "SELECT * FROM decision WHERE record_id IN (SELECT record_id FROM disclosure WHERE event_id = 'e')",
        "SELECT * FROM decision WHERE record_id IN (SELECT record_id FROM disclosure WHERE incident_id = 'i')",
        "SELECT * FROM feedback WHERE event_id = 'e' ORDER BY at, feedback_id, entry",
        "SELECT * FROM feedback WHERE incident_id = 'i' ORDER BY at, feedback_id, entry",
        "SELECT DISTINCT incident_id, member FROM feedback WHERE reference = 'r'",
        "SELECT * FROM feedback WHERE event_id LIKE 'ab%'",
    ):
        plan = postgres.run(url, "SET enable_seqscan = off", f"EXPLAIN {question}")
        assert not [step for (step,) in plan if "Seq Scan" in step], (question, plan)
