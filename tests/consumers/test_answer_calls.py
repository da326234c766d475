"""Answers by HTTP: what is told, what is refused, and what a caller must show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from consumers.answers.calling import answers_at, serve_answers
from consumers.sinks.sql import KIND, SqlSink
from schemas.errors import Fatal, Unavailable
from schemas.ops import metrics
from schemas.ops.serving import Serving
from tests.consumers.making import MEMBER, Topic, delivery_bytes

ACCEPTED = {"incident_id": "i-1", "kind": "accepted", "reference": "GMP-1234"}


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SqlSink]:
    with closing(SqlSink(tmp_path / "r.db", MEMBER)) as made:
        made.write(Topic().batch(delivery_bytes(kind="transfer", terms={"addressed_to_you": True})))
        yield made


@pytest.fixture
def serving(sink: SqlSink, tmp_path: Path) -> Iterator[Serving]:
    with serve_answers(0, answers_at(tmp_path / "r.db", KIND, MEMBER)) as made:
        yield made


def post(
    serving: Serving, body: Any, *, path: str = "/answers", method: str = "POST", **headers: str
) -> tuple[int, Any]:
    with closing(HTTPConnection("127.0.0.1", serving.port, timeout=10)) as connection:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, sent, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def waiting(sink: SqlSink) -> list[tuple[Any, ...]]:
    return sink.database.query("SELECT what FROM awaiting")


def test_an_answer_is_durable_when_the_call_returns(serving: Serving, sink: SqlSink) -> None:
    status, told = post(serving, ACCEPTED)
    (taken,) = told["taken"]
    assert (status, taken["kind"], taken["incident_id"]) == (202, "accepted", "i-1")
    assert sink.database.query("SELECT delivery_id FROM asked") == [tuple(taken["answers"])]
    assert waiting(sink) == []
    assert [one.kind for one in sink.unsent_receipts(0, 9)] == ["delivered", "accepted"]


def test_a_call_that_is_made_again_because_nobody_heard_the_answer_is_told_once(
    serving: Serving, sink: SqlSink
) -> None:
    post(serving, ACCEPTED)
    status, told = post(serving, [ACCEPTED])
    assert (status, told["taken"][0]["is_repeat"]) == (202, True)
    assert [one.kind for one in sink.unsent_receipts(0, 9)] == ["delivered", "accepted"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", "expected JSON"),
        (b"[]", "a list of 1 to 1000"),
        (b'"accepted"', "an answer as a JSON object"),
        (b"[" * 50_000, "expected JSON"),
        ({"kind": "accepted", "incident_id": 7}, "answer 1: expected incident_id to be text"),
        ([ACCEPTED, {"kind": "accepted"}], "answer 2: expected incident_id (or delivery_id)"),
        (b'{"kind": "accepted", "incident_id": "i-1", "reference": "\\ud800"}', "reference of at most 100 visible"),
    ],
)
def test_what_cannot_be_taken_is_told_with_what_was_expected_and_nothing_is_taken(
    serving: Serving, sink: SqlSink, body: Any, expected: str
) -> None:
    status, told = post(serving, body)
    assert status == 400
    assert expected in told["error"]
    assert waiting(sink) == [("transfer",)]
    assert sink.database.query("SELECT count(*) FROM answer") == [(0,)]


def test_a_body_of_no_stated_or_too_great_a_length_is_not_read(serving: Serving) -> None:
    status, told = post(serving, b"", **{"Content-Length": "2000000"})
    assert (status, told["reason"]) == (400, "bad-answer")
    status, _ = post(serving, b"", **{"Content-Length": "-1"})
    assert status == 400


def test_other_paths_and_methods_are_told_what_is_expected(serving: Serving) -> None:
    assert post(serving, ACCEPTED, path="/answer")[0] == 404
    assert post(serving, b"", method="GET") == (
        405,
        {"error": "expected POST /answers; what waits is in the view awaiting"},
    )


def test_a_token_must_be_shown_where_one_is_set(sink: SqlSink, tmp_path: Path) -> None:
    with serve_answers(0, answers_at(tmp_path / "r.db", KIND, MEMBER), "open-sesame") as serving:
        assert post(serving, ACCEPTED)[0] == 401
        assert post(serving, ACCEPTED, Authorization="Bearer open-sesam")[0] == 401
        assert waiting(sink) == [("transfer",)]
        assert post(serving, ACCEPTED, Authorization="Bearer open-sesame")[0] == 202
    assert waiting(sink) == []


def test_a_page_in_a_browser_cannot_answer_for_a_control_room(serving: Serving, sink: SqlSink) -> None:
    assert post(serving, ACCEPTED, Origin="https://elsewhere.example")[0] == 403
    assert waiting(sink) == [("transfer",)]


def test_while_the_database_is_away_the_caller_is_told_to_come_again(sink: SqlSink) -> None:
    def away(_: object) -> list[Any]:
        raise Unavailable("the database cannot be used now", retry_after_s=2)

    with serve_answers(0, away) as serving:
        status, told = post(serving, ACCEPTED)
    assert (status, told["retry_after_s"]) == (503, 2)


def test_answers_by_call_are_counted(serving: Serving) -> None:
    before = metrics.reading("answers_total", recipient=MEMBER, outcome="taken") or 0
    post(serving, ACCEPTED)
    assert metrics.reading("answers_total", recipient=MEMBER, outcome="taken") == before + 1


def test_a_port_that_is_taken_is_said(serving: Serving) -> None:
    with pytest.raises(Fatal, match="--answers-port"):
        serve_answers(serving.port, lambda _: [])
