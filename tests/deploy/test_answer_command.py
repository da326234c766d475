"""``huecry answer``: a person answers, or sees what waits."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.sinks.sql import SqlSink
from deploy.cli import cli
from schemas.codec import decode
from schemas.errors import Rejected
from schemas.records import Receipt
from tests.consumers.making import MEMBER, MOST_BYTES, Topic, delivery_bytes

TO_US = {"addressed_to_you": True}


@pytest.fixture
def received(tmp_path: Path) -> Path:
    path = tmp_path / "received.db"
    with closing(SqlSink(path, MEMBER)) as sink:
        sink.write(
            Topic().batch(
                delivery_bytes("i-1", 1, kind="transfer", terms=TO_US, local_ref="0042"),
                delivery_bytes("i-2", 2, kind="assistance", terms=TO_US),
                delivery_bytes("i-3", 3, action="RETRACT", event_id="", terms={"reason": "unlawful", "ask": "erase"}),
            )
        )
    return path


def answer(received: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["answer", *words, "--into", str(received)], catch_exceptions=False)


def told(received: Path) -> list[tuple[Any, ...]]:
    with closing(SqlSink(received, MEMBER)) as sink:
        values = [decode("Receipt", one.value, MOST_BYTES) for one in sink.unsent_receipts(0, 99)]
    receipts = [Receipt.from_avro(value) for value in values]
    return [
        (one.kind, entry.incident_id, entry.reference, entry.cause, entry.passed_to, entry.by_role)
        for one in receipts
        for entry in one.entries
        if one.kind != "delivered" and (entry.by_role or one.kind in ("accepted", "rejected"))
    ]


def test_a_person_accepts_with_the_own_log_number_and_sees_what_is_theirs_then(received: Path) -> None:
    before = answer(received, "--list").output
    assert "west-yorkshire holds primacy until you accept" in before
    assert "Control 101" in before
    result = answer(received, "0042", "--accept", "--reference", "GMP-1234")
    assert (result.exit_code, "i-1 of west-yorkshire: accepted (" in result.output) == (0, True)
    assert told(received) == [("accepted", "i-1", "GMP-1234", None, None, None)]
    after = answer(received, "--list").output
    assert "holds primacy until you accept" not in after
    assert "i-1 of west-yorkshire (0042 / GMP-1234): transfer accepted; primacy is yours" in after
    assert "told once" in answer(received, "i-1", "--accept", "--reference", "GMP-1234").output
    assert len(told(received)) == 1


def test_a_person_says_in_one_call_all_that_became_of_what_was_taken_back(received: Path) -> None:
    words = ("--acted-upon", "--passed-on", "ambulance control", "--erased", "--role", "duty-inspector")
    assert answer(received, "i-3", *words).exit_code == 0
    assert told(received) == [
        ("passed-on", "i-3", None, None, "ambulance control", "duty-inspector"),
        ("acted-upon", "i-3", None, None, None, "duty-inspector"),
        ("erased", "i-3", None, None, None, "duty-inspector"),
    ]


def test_what_waits_can_be_read_by_a_program(received: Path) -> None:
    answer(received, "i-2", "--reject", "no-resource")
    listed = json.loads(answer(received, "--list", "--json").output)
    assert {(one["what"], one["incident_id"], one["overdue"]) for one in listed["awaiting"]} == {
        ("transfer", "i-1", True),
        ("retract", "i-3", True),
    }
    assert [(one["incident_id"], one["closed_as"]) for one in listed["answered"]] == [("i-2", "rejected")]
    assert listed["problems"] == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "name INCIDENT and what to say of it, or --list alone"),
        (("i-1",), "name INCIDENT and what to say of it, or --list alone"),
        (("i-1", "--list"), "or --list alone"),
        (("--accept",), "name INCIDENT"),
        (("i-1", "--accept", "--reject", "duplicate"), "one of these at a time: accepted and rejected"),
        (("i-1", "--reject", "busy"), "Invalid value for '--reject'"),
        (("i-1", "--reject", "duplicate", "--reference", "G"), "--reference belongs to --accept"),
        (("i-1", "--accept", "--json"), "--json belongs to --list"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_was_expected(
    received: Path, words: tuple[str, ...], expected: str
) -> None:
    result = answer(received, *words)
    assert result.exit_code == 2
    assert expected in result.output
    assert told(received) == []


def test_what_cannot_be_taken_says_why_and_leaves_nothing(received: Path, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="by_role of erased: a person must say so"):
        answer(received, "i-3", "--erased")
    with pytest.raises(Rejected, match="there is no such file"):
        answer(tmp_path / "none.db", "i-3", "--accept")
    assert told(received) == []


def test_an_answer_that_could_not_be_taken_is_listed_with_what_was_expected(received: Path) -> None:
    with closing(SqlSink(received, MEMBER)) as sink:
        from consumers.answers.taking import AnswerTaker

        with sink.database.transaction():
            sink.database.execute("INSERT INTO answer (incident_id, kind) VALUES ('i-9', 'accepted')")
        AnswerTaker(sink.database, MEMBER).take_waiting()
    assert "answer 1 (accepted) cannot be taken: expected the incident_id" in answer(received, "--list").output
