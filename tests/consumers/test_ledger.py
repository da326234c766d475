"""The ledger keeps every record once, answers by event, incident and time, and writes down who asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumers.delivery import Batch, Record, open_batch
from consumers.ledger import LedgerEntry, LedgerSink, ledger_opener
from consumers.ledger_queries import Ledger, os_user
from consumers.ledger_reader import _JSON_COLUMNS
from consumers.sinks import Written
from consumers.sinks.sql import SqlSink
from schemas.codec import encode
from schemas.errors import Rejected
from schemas.records import Feedback, FeedbackEntry, Ground, MatchedRule, Source
from tests.consumers.ledger_making import FORCE, disclosure, feedback
from tests.consumers.making import MOST_BYTES, at


class Topics:
    """Records of a force's two topics."""

    def __init__(self) -> None:
        self.offset = 0

    def batch(self, *values: bytes, topic: str = "disclosures") -> Batch[LedgerEntry]:
        records = []
        for value in values:
            self.offset += 1
            records.append(Record(f"{topic}.{FORCE}", 0, self.offset, 0, value))
        return open_batch(records, ledger_opener(MOST_BYTES))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def sink(path: Path) -> Iterator[LedgerSink]:
    with closing(LedgerSink(path, FORCE)) as made:
        yield made


def test_a_decision_is_found_for_each_member_with_its_sections_grounds_and_rules(sink: LedgerSink, path: Path) -> None:
    sink.write(Topics().batch(disclosure("e-1"), disclosure("e-2", sequence=2)))
    with Ledger(path, FORCE) as ledger:
        (record,) = ledger.find_event("e-1")
        (place,) = record["considered"]["places"]
        assert (place["kind"], place["district"]) == ("incident", "calderdale")
        assert (record["category"], record["grade"], record["policy_version"]) == ("crime/burglary", "priority", 7)
        assert (record["topic"], record["partition"], record["record_offset"]) == (f"incidents.{FORCE}", 2, 17)
        told = ledger.decision("e-1", "greater-manchester")
        assert told is not None
        assert (told["outcome"], told["head"], told["onward"]) == ("shared-in-part", "granted", "ask")
        assert told["sections"] == {"locations": "granted", "victims": "forbidden"}
        assert told["covers"] == ["locations"]
        assert told["grounds"][0]["rule"] == "border"
        assert told["rules"][0]["outcome"] == "share"
        unreachable = ledger.decision("e-1", "ambulance")
        assert unreachable is not None
        assert unreachable["undeliverable"] == "no-topic"
        assert ledger.decision("e-1", "nobody") is None
        assert [row["member"] for row in ledger.decisions("e-1")] == [
            "agency",
            "ambulance",
            "greater-manchester",
            "lancashire",
        ]


def test_a_record_that_comes_again_is_kept_as_it_first_came(sink: LedgerSink, path: Path) -> None:
    topics = Topics()
    sink.write(topics.batch(disclosure("e-1"), disclosure("e-1", when=at(9))))
    assert sink.write(topics.batch(disclosure("e-1", when=at(9)))).repeated == 1
    sink.write(topics.batch(feedback("f-1", "e-1"), topic="feedback"))
    written = sink.write(topics.batch(feedback("f-1", "e-1"), topic="feedback"))
    assert (written.written, written.repeated) == ((), 1)
    with Ledger(path) as ledger:
        assert [row["decided_at"] for row in ledger.find_event("e-1")] == ["2026-01-31T08:01:00.000Z"]
        assert len(ledger.feedback_for("e-1")) == 1


def test_the_same_batch_again_changes_nothing(sink: LedgerSink) -> None:
    batch = Topics().batch(disclosure("e-1"), disclosure("e-2"), b"\x00rubbish")
    assert len(sink.write(batch).set_aside) == 1
    assert sink.write(batch) == Written((), 2, ())
    assert sink.positions() == {(f"disclosures.{FORCE}", 0): 4}


def test_feedback_is_found_by_each_of_its_events_and_kept_where_it_names_none(sink: LedgerSink, path: Path) -> None:
    nameless = feedback("f-2", kind="quarantined", reason="oversize", source=Source(topic="t", partition=1, offset=5))
    sink.write(Topics().batch(feedback("f-1", "e-1", "e-2"), nameless, topic="feedback"))
    with Ledger(path) as ledger:
        (row,) = ledger.feedback_for("e-2")
        assert (row["kind"], row["member"], row["was_at"]) == (
            "delivered",
            "greater-manchester",
            "2026-01-31T08:02:00.000Z",
        )
        (row,) = ledger.feedback_for("")
        assert (row["kind"], row["reason"], row["record_offset"]) == ("quarantined", "oversize", 5)


def test_an_incident_is_found_in_the_order_of_its_events_and_records_by_local_time(
    sink: LedgerSink, path: Path
) -> None:
    summer = datetime(2026, 7, 1, 11, 30, tzinfo=UTC)
    sink.write(
        Topics().batch(
            disclosure("e-2", sequence=2, when=summer),
            disclosure("e-1", sequence=1, when=summer - timedelta(hours=2)),
            disclosure("e-9", "i-9", when=at(0)),
        )
    )
    with Ledger(path) as ledger:
        assert [row["event_id"] for row in ledger.find_incident("i-1")] == ["e-1", "e-2"]
        noon_in_london = datetime(2026, 7, 1, 12)  # noqa: DTZ001  local time is what a person asks with
        found = ledger.find_between(noon_in_london, noon_in_london + timedelta(hours=1))
        assert [row["event_id"] for row in found] == ["e-2"]


def test_whoever_looks_is_logged_before_the_answer_is_read(sink: LedgerSink, path: Path) -> None:
    sink.write(Topics().batch(disclosure("e-1")))
    with Ledger(path) as ledger:
        ledger.find_event("e-1")
        ledger.decision("e-7", "lancashire")
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT who, what, subject FROM access_log ORDER BY access_number").fetchall()
    assert rows == [(os_user(), "find_event", "e-1"), (os_user(), "decision", "e-7 lancashire")]


def test_the_user_is_the_operating_systems_and_not_what_the_environment_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.setenv("USER", "somebody-else")
    assert os_user() != "somebody-else"


def test_every_question_is_answered_from_an_index(sink: LedgerSink, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        for question in (
            "SELECT * FROM disclosure WHERE event_id = 'e' ORDER BY decided_at",
            "SELECT * FROM disclosure WHERE incident_id = 'i' ORDER BY sequence",
            "SELECT * FROM disclosure WHERE decided_at >= 'a' AND decided_at < 'b' ORDER BY decided_at",
            "SELECT * FROM decision WHERE record_id IN (SELECT record_id FROM disclosure WHERE event_id = 'e')",
            "SELECT * FROM decision WHERE record_id IN (SELECT record_id FROM disclosure WHERE incident_id = 'i')",
            "SELECT * FROM feedback WHERE event_id = 'e' ORDER BY at",
            "SELECT * FROM feedback WHERE incident_id = 'i' ORDER BY at",
            "SELECT DISTINCT incident_id, member FROM feedback WHERE reference = 'r' ORDER BY incident_id, member",
        ):
            plan = database.execute(f"EXPLAIN QUERY PLAN {question}").fetchall()
            assert not [step for step in plan if step[3].startswith("SCAN")], (question, plan)


def test_an_incident_is_found_by_the_reference_a_member_gave_it(sink: LedgerSink, path: Path) -> None:
    entry = FeedbackEntry(incident_id="i-1", event_id="e-1", delivery_id="d", at=at(2), reference="GMP-1234")
    told = Feedback(feedback_id="f-9", to=FORCE, kind="accepted", member="lancashire", at=at(3), entries=(entry,))
    topics = Topics()
    sink.write(topics.batch(encode("Feedback", told.to_avro()), feedback("f-1", "e-2"), topic="feedback"))
    with Ledger(path) as ledger:
        assert ledger.find_reference("GMP-1234") == [("i-1", "lancashire")]
        assert ledger.find_reference("GMP-12") == []


def test_all_of_an_incident_comes_in_one_answer_and_nothing_of_others(sink: LedgerSink, path: Path) -> None:
    topics = Topics()
    sink.write(topics.batch(disclosure("e-2", sequence=2), disclosure("e-1"), disclosure("e-9", "i-9")))
    sink.write(topics.batch(feedback("f-1", "e-1", "e-2"), feedback("f-2", "e-1"), topic="feedback"))
    with Ledger(path) as ledger:
        whole = ledger.whole_incident("i-1")
        assert [row["event_id"] for row in whole.disclosures] == ["e-1", "e-2"]
        assert [whole.decisions[row["record_id"]] for row in whole.disclosures] == [
            ledger.decisions("e-1"),
            ledger.decisions("e-2"),
        ]
        assert len(whole.decisions) == 2
        assert len(whole.feedback) == 3
        assert ledger.whole_incident("i-none") == ([], {}, [], [], [])


def test_a_ledger_of_an_earlier_release_gets_its_indexes_from_who_keeps_it(path: Path) -> None:
    LedgerSink(path, FORCE).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
        complete = database.execute(indexes).fetchall()
        database.execute("DROP INDEX feedback_by_reference")
        with Ledger(path) as ledger:
            assert ledger.find_reference("GMP-1234") == [], "it is answered without"
        assert database.execute(indexes).fetchall() != complete, "who only asks makes nothing"
        LedgerSink(path, FORCE).close()
        assert database.execute(indexes).fetchall() == complete
        LedgerSink(path, FORCE).close()
        assert database.execute(indexes).fetchall() == complete


def test_grounds_and_rules_are_told_in_the_order_of_the_schema(sink: LedgerSink, path: Path) -> None:
    sink.write(Topics().batch(disclosure("e-1")))
    with Ledger(path) as ledger:
        told = ledger.decision("e-1", "lancashire")
        assert told is not None
        assert list(told["grounds"][0]) == list(Ground.model_fields)
        assert list(told["rules"][0]) == list(MatchedRule.model_fields)
        assert list(_JSON_COLUMNS["grounds"]) == list(Ground.model_fields)
        assert list(_JSON_COLUMNS["rules"]) == list(MatchedRule.model_fields)


def test_a_ledger_is_no_receiving_database_and_belongs_to_one_force(path: Path, tmp_path: Path) -> None:
    LedgerSink(path, FORCE).close()
    with pytest.raises(Rejected, match="expected the receiving database"):
        SqlSink(path, FORCE)
    with pytest.raises(Rejected, match="expected the ledger database of lancashire"):
        LedgerSink(path, "lancashire")
    with pytest.raises(Rejected, match="there is no such file"):
        Ledger(tmp_path / "none.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(Rejected, match="found nothing"):
        Ledger(tmp_path / "empty.db")
