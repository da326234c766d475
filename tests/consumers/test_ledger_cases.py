"""The ledger keeps how each case stands and came to stand so, every ruling in its words, and what each reader has seen.

All of it in SQLite and in PostgreSQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from consumers.delivery import Batch, Record, open_batch
from consumers.ledger import LedgerEntry, LedgerSink, ledger_opener
from consumers.ledger_case_tables import RULING
from consumers.ledger_cases import CaseBook
from consumers.ledger_queries import Ledger
from consumers.ledger_tables import FEEDBACK
from consumers.sinks.places import Place
from consumers.sinks.postgres_url import PostgresUrl
from schemas.codec import EventCodec, encode, stable_id
from schemas.errors import Fatal, Rejected
from schemas.records import Feedback, FeedbackEntry
from tests.consumers.case_making import a_line, a_notice, an_event, case_record, ruling_record
from tests.consumers.ledger_making import FORCE, disclosure
from tests.consumers.making import MOST_BYTES, START, at
from tests.postgres_server import PostgresServer


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return tmp_path / "ledger.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return PostgresUrl(server.make_database())


class Kept:
    """A ledger that is given records, each further along its topic."""

    def __init__(self, place: Place) -> None:
        self.sink = LedgerSink(place, FORCE)
        self._offset = 0

    def take(self, family: str, *values: bytes) -> Batch[LedgerEntry]:
        records = []
        for value in values:
            self._offset += 1
            records.append(Record(f"{family}.{FORCE}", 0, self._offset, int(at(5).timestamp() * 1000), value))
        batch = open_batch(records, ledger_opener(MOST_BYTES))
        assert not batch.set_aside
        self.sink.write(batch)
        return batch


@pytest.fixture
def kept(place: Place) -> Iterator[Kept]:
    kept = Kept(place)
    with closing(kept.sink):
        yield kept


def test_a_case_is_kept_as_it_stands_and_as_it_came_to_stand_so(kept: Kept, place: Place) -> None:
    both = (a_line(), a_line("lancashire", deadline=at(9)))
    kept.take("cases", case_record(*both, notices=(a_notice(), a_notice(recipient="lancashire"))))
    released = a_notice("released", "lancashire", ruling_id="r", person="inspector.smith", because="They are there")
    kept.take("cases", case_record(a_line(), event=an_event(sequence=2), notices=(released,), step=2))
    with CaseBook(place, FORCE) as book:
        whole = book.whole_case("i-1")
    assert (whole.now["sequence"], whole.now["open_lines"], whole.now["next_deadline"]) == (
        2,
        1,
        at(16).isoformat()[:19] + ".000Z",
    )
    (line,) = whole.lines
    assert (line["recipient"], line["role"], line["why"]) == (
        "greater-manchester",
        "duty-inspector",
        "The place may identify the victim",
    )
    assert line["sections"] == ["locations", "facts"]
    assert [step["role"] for step in line["path"]] == ["duty-inspector", "public-protection-superintendent"]
    assert [record["sequence"] for record in whole.records] == [1, 2]
    assert [notice["kind"] for notice in whole.notices] == ["opened", "opened", "released"]
    assert (whole.notices[2]["person"], whole.notices[2]["because"]) == ("inspector.smith", "They are there")
    codec = EventCodec()
    _, event = codec.open(whole.records[0]["event"], MOST_BYTES)
    assert event.form.decode(event.body)["event_id"] == "i-1-e1"


def test_open_cases_come_by_deadline_and_a_closed_one_is_not_among_them(kept: Kept, place: Place) -> None:
    for number, minute in ((1, 30), (2, 10), (3, 20)):
        kept.take("cases", case_record(a_line(deadline=at(minute)), event=an_event(f"i-{number}")))
    kept.take("cases", case_record(event=an_event("i-3"), notices=(a_notice("lapsed"),), step=21))
    with CaseBook(place, FORCE) as book:
        assert [case.now["incident_id"] for case in book.open_cases()] == ["i-2", "i-1"]
        assert [case.now["incident_id"] for case in book.closed_cases(START)] == ["i-3"]
        assert book.closed_cases(at(22)) == []


def test_several_records_of_a_case_in_one_batch_leave_it_as_the_last_says(kept: Kept, place: Place) -> None:
    kept.take("cases", case_record(a_line(), a_line("lancashire")), case_record(a_line("lancashire"), step=2))
    with CaseBook(place, FORCE) as book:
        assert [line["recipient"] for line in book.whole_case("i-1").lines] == ["lancashire"]


def test_a_record_that_comes_again_changes_nothing_even_after_a_later_one(kept: Kept, place: Place) -> None:
    first = case_record(a_line())
    kept.take("cases", first, case_record(step=2))
    kept.take("cases", first)
    with CaseBook(place, FORCE) as book:
        assert book.open_cases() == []
        assert len(book.whole_case("i-1").records) == 2


def test_a_case_is_found_by_incident_log_number_and_case_and_else_says_what_to_do(kept: Kept, place: Place) -> None:
    kept.take("cases", case_record(a_line()), case_record(a_line(), event=an_event("i-2")))
    with CaseBook(place, FORCE) as book:
        assert book.incident_of("i-2") == "i-2"
        assert book.incident_of(stable_id("case", FORCE, "i-1")) == "i-1"
        with pytest.raises(Rejected, match="log number WY-0310 is that of 2 incidents: i-1, i-2"):
            book.incident_of("WY-0310")
        for nothing in ("i-9", ""):
            with pytest.raises(Rejected, match="no case of") as refused:
                book.incident_of(nothing)
            assert "huecry cases list" in refused.value.remedy
        with pytest.raises(Rejected, match="no case of i-9"):
            book.whole_case("i-9")


def test_what_each_reader_was_shown_is_remembered_for_that_reader(kept: Kept, place: Place) -> None:
    kept.take("cases", case_record(a_line()))
    with CaseBook(place, FORCE) as book:
        (shown,) = book.whole_case("i-1").records
        assert book.last_view("asmith", "i-1") is None
        book.has_looked("asmith", shown, at(3))
        book.has_looked("asmith", shown, at(4))
        found = book.last_view("asmith", "i-1")
        assert found is not None
        assert (found["record_id"], found["sequence"], found["at"][11:16]) == (shown["record_id"], 1, "08:04")
        assert book.last_view("jones", "i-1") is None


def test_a_ruling_is_kept_with_every_word_and_counts_from_when_the_broker_took_it(kept: Kept, place: Place) -> None:
    kept.take("rulings", ruling_record(basis="s.35(2)(b)", later_events=True))
    with CaseBook(place, FORCE) as book:
        kept.take("cases", case_record(a_line()))
        (ruling,) = book.whole_case("i-1").rulings
    assert set(ruling) == set(RULING.columns)
    assert (ruling["kind"], ruling["person"], ruling["role"]) == ("release", "inspector.smith", "duty-inspector")
    assert (ruling["because"], ruling["basis"], ruling["later_events"]) == ("They are at the door", "s.35(2)(b)", 1)
    assert ruling["recipients"] == ["greater-manchester"]
    assert ruling["taken_at"] == "2026-01-31T08:05:00.000Z"
    assert ruling["topic"] == f"rulings.{FORCE}"


def test_all_that_feedback_says_is_kept(kept: Kept, place: Place) -> None:
    entry = FeedbackEntry(
        incident_id="i-1", event_id="e-1", delivery_id="d", cause="no-resource", passed_to="x", by_role="r"
    )
    said = Feedback(
        feedback_id="f",
        to=FORCE,
        kind="ruling-not-taken",
        at=at(1),
        entries=(entry,),
        sections=("locations",),
        role="duty-inspector",
        person="inspector.smith",
        deadline=at(9),
        ruling_id="r-1",
    )
    kept.take("feedback", encode("Feedback", said.to_avro()))
    with Ledger(place, FORCE) as ledger:
        (row,) = ledger.feedback_for("e-1")
    assert set(row) == set(FEEDBACK.columns)
    assert (row["cause"], row["passed_to"], row["by_role"]) == ("no-resource", "x", "r")
    assert (row["sections"], row["role"], row["person"]) == (["locations"], "duty-inspector", "inspector.smith")
    assert (row["deadline"], row["ruling_id"]) == ("2026-01-31T08:09:00.000Z", "r-1")


def test_an_event_decided_again_because_somebody_ruled_is_told_as_it_was_decided_last(kept: Kept, place: Place) -> None:
    kept.take("disclosures", disclosure("e-1", record="z", when=at(1)), disclosure("e-1", record="a", when=at(5)))
    with Ledger(place, FORCE) as ledger:
        assert [row["decided_at"][14:16] for row in ledger.find_event("e-1")] == ["01", "05"]
        last = ledger.find_event("e-1")[-1]["record_id"]
        told = ledger.decision("e-1", "lancashire")
        assert told is not None
        assert told["record_id"] == last
        assert [row["record_id"] for row in ledger.decisions("e-1") if row["member"] == "lancashire"][-1] == last
        assert [row["decided_at"][14:16] for row in ledger.whole_incident("i-1").disclosures] == ["01", "05"]


def test_whoever_looks_at_cases_is_logged(kept: Kept, place: Place) -> None:
    kept.take("cases", case_record(a_line()))
    with CaseBook(place, FORCE, who="asmith") as book:
        book.open_cases()
        book.whole_case("i-1")
        rows = book._database.query("SELECT who, what, subject FROM access_log ORDER BY access_number")
    assert rows == [("asmith", "open_cases", ""), ("asmith", "whole_case", "i-1")]


def test_every_question_about_cases_is_answered_from_an_index(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    LedgerSink(path, FORCE).close()
    with closing(sqlite3.connect(path)) as database:
        for question in (
            "SELECT * FROM incident_case WHERE next_deadline IS NOT NULL ORDER BY next_deadline",
            "SELECT * FROM incident_case WHERE local_ref = 'x'",
            "SELECT * FROM incident_case WHERE case_id = 'x'",
            "SELECT * FROM case_record WHERE incident_id = 'i' ORDER BY sequence, at",
            "SELECT * FROM case_notice WHERE incident_id = 'i' ORDER BY at",
            "SELECT * FROM ruling WHERE incident_id = 'i'",
            "SELECT * FROM ruling WHERE kind = 'override' AND taken_at >= 'a'",
            "SELECT * FROM feedback WHERE kind = 'retracted' ORDER BY at",
            "SELECT * FROM feedback WHERE ruling_id = 'r'",
        ):
            plan = database.execute(f"EXPLAIN QUERY PLAN {question}").fetchall()
            assert not [step for step in plan if step[3].startswith("SCAN") and "INDEX" not in step[3]], plan


EARLIER_FEEDBACK = ("cause", "passed_to", "by_role", "sections", "role", "person", "deadline", "ruling_id")
NEW_TABLES = ("case_record", "case_notice", "incident_case", "case_line", "case_view", "ruling")


def test_a_ledger_of_an_earlier_release_gets_tables_and_columns_from_who_keeps_it(place: Place) -> None:
    with closing(LedgerSink(place, FORCE)) as sink:
        _as_an_earlier_release_left_it(sink)
    with Ledger(place, FORCE) as ledger, pytest.raises(Fatal, match="when next started"):
        ledger.feedback_for("e-1")
    with closing(Kept(place).sink), Ledger(place, FORCE) as ledger:
        (row,) = ledger.feedback_for("e-1")
        assert (row["kind"], row["ruling_id"], row["sections"]) == ("delivered", None, None)
    kept = Kept(place)
    with closing(kept.sink):
        kept.take("cases", case_record(a_line()))
        with CaseBook(place, FORCE) as book:
            assert len(book.open_cases()) == 1


def _as_an_earlier_release_left_it(sink: LedgerSink) -> None:
    database = sink._database
    with database.transaction():
        for table in NEW_TABLES:
            database.execute(f"DROP TABLE {table}")
        database.execute("DROP INDEX feedback_by_ruling_id")
        for column in EARLIER_FEEDBACK:
            database.execute(f"ALTER TABLE feedback DROP COLUMN {column}")
        database.execute(
            "INSERT INTO feedback (feedback_id, entry, kind, at, reason, detail, remedy, incident_id, event_id) "
            "VALUES ('f', 1, 'delivered', '2026-01-31T08:02:00.000Z', '', '', '', 'i-1', 'e-1')"
        )
