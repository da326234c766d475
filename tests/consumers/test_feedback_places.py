"""Feedback in a database, a file and a webhook: what is particular to each."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from consumers.feedback.database_sink import FeedbackDatabase
from consumers.feedback.file_sink import FeedbackFile
from consumers.feedback.posting import Webhook, signature
from consumers.feedback.webhook_sink import FeedbackWebhook
from schemas.errors import Fatal, Rejected, Unavailable
from tests.consumers.feedback_making import FORCE, NAMES, TOPIC, FeedbackTopic, feedback
from tests.consumers.webhook_server import Receiver

# -------------------------------------------------------------------------------------------------------- database


def status(path: Path, columns: str = "incident_id, member, line") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        query = f"SELECT {columns} FROM status_of_incident ORDER BY incident_id, member"  # noqa: S608
        return database.execute(query).fetchall()


def test_a_dispatcher_finds_one_line_for_each_incident_and_member_with_both_numbers(tmp_path: Path) -> None:
    path, topic = tmp_path / "f.db", FeedbackTopic()
    with closing(FeedbackDatabase(path, FORCE, NAMES)) as sink:
        sink.write(topic.batch(feedback(1, "delivered"), feedback(2, "delivered", member="ambulance")))
        sink.write(topic.batch(feedback(3, "accepted", reference="GMP-1234"), feedback(4, "delivered", "i-2")))
        sink.write(topic.batch(feedback(5, "quarantined", "i-3", member=None, reason="bad-key", remedy="mend it")))
    assert status(path) == [
        ("i-1", "ambulance", "Yorkshire Ambulance: delivered 08:02:00"),
        ("i-1", "greater-manchester", "Greater Manchester: delivered 08:01:00, accepted 08:03:00 as GMP-1234"),
        ("i-2", "greater-manchester", "Greater Manchester: delivered 08:04:00"),
        ("i-3", "", "quarantined 08:05:00 (bad-key) - mend it"),
    ]
    columns = "reference, delivered_at, accepted_at, rejected_at, unanswered_at, updated_at"
    assert status(path, columns)[1] == (
        "GMP-1234",
        "2026-01-31T08:01:00.000Z",
        "2026-01-31T08:03:00.000Z",
        None,
        None,
        "2026-01-31T08:03:00.000Z",
    )


def test_a_line_is_the_same_however_its_feedback_is_batched(tmp_path: Path) -> None:
    said = [
        feedback(1, "delivered"),
        feedback(2, "unanswered", reason="transfer"),
        feedback(3, "rejected", cause="not-our-area"),
        feedback(4, "retracted"),
        feedback(5, "erased", by_role="duty-inspector"),
    ]
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    with closing(FeedbackDatabase(one, FORCE, NAMES)) as sink:
        sink.write(FeedbackTopic().batch(*said))
    with closing(FeedbackDatabase(other, FORCE, NAMES)) as sink:
        topic = FeedbackTopic()
        for value in said:
            sink.write(topic.batch(value))
    assert status(one, "*") == status(other, "*")
    assert status(one, "retracted_at, confirmed_at") == [("2026-01-31T08:04:00.000Z", "2026-01-31T08:05:00.000Z")]


def test_the_same_feedback_at_another_offset_changes_nothing(tmp_path: Path) -> None:
    path, topic = tmp_path / "f.db", FeedbackTopic()
    with closing(FeedbackDatabase(path, FORCE, NAMES)) as sink:
        sink.write(topic.batch(feedback(1, "delivered"), feedback(2, "accepted")))
        assert sink.write(topic.batch(feedback(1, "delivered"))).repeated == 1
    assert [row[2] for row in status(path)] == ["Greater Manchester: delivered 08:01:00, accepted 08:02:00"]


def test_what_names_no_incident_is_kept_and_has_no_line(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with closing(FeedbackDatabase(path, FORCE, NAMES)) as sink:
        sink.write(FeedbackTopic().batch(feedback(1, "quarantined", "", member=None, detail="it did not decode")))
    assert status(path) == []
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT kind, entry, detail FROM feedback").fetchall() == [
            ("quarantined", 0, "it did not decode")
        ]


# ------------------------------------------------------------------------------------------------------------ file


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_holds_every_field_in_codes_and_utc_and_where_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    with closing(FeedbackFile(path, FORCE)) as sink:
        sink.write(FeedbackTopic().batch(feedback(1, "passed-on", passed_to="a desk", by_role="duty-inspector")))
    (line,) = lines(path)
    assert (line["kind"], line["at"]) == ("passed-on", "2026-01-31T08:01:00.000Z")
    assert line["entries"][0]["passed_to"] == "a desk"
    assert line["read_at"] == {"topic": TOPIC, "partition": 0, "offset": 2}


@pytest.mark.parametrize("torn", [1, 30, -1])
def test_a_line_that_a_kill_has_torn_is_written_again_and_whole_ones_are_not(tmp_path: Path, torn: int) -> None:
    path, topic = tmp_path / "f.jsonl", FeedbackTopic()
    first, second = topic.batch(feedback(1, "delivered")), topic.batch(feedback(2, "failed"), feedback(3, "accepted"))
    with closing(FeedbackFile(path, FORCE)) as sink:
        sink.write(first)
        beside = (tmp_path / "f.jsonl.position").read_bytes()
        sink.write(second)
    # As a kill leaves it: the position of before, one whole line more, and a part of the next.
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(whole[0] + whole[1] + whole[2][:torn])
    (tmp_path / "f.jsonl.position").write_bytes(beside)
    with closing(FeedbackFile(path, FORCE)) as sink:
        assert sink.positions() == {(TOPIC, 0): 5}
        assert sink.write(second).repeated == 1
    assert [line["feedback_id"] for line in lines(path)] == ["f-1", "f-2", "f-3"]


def test_a_file_without_its_position_is_read_through(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    batch = FeedbackTopic().batch(feedback(1, "delivered"), b"\x00rubbish")
    with closing(FeedbackFile(path, FORCE)) as sink:
        sink.write(batch)
    (tmp_path / "f.jsonl.position").unlink()
    with closing(FeedbackFile(path, FORCE)) as sink:
        assert sink.positions() == {(TOPIC, 0): 5}
        assert sink.write(batch).written == ()
    assert len(lines(path)) == 2


def test_a_file_that_was_moved_away_is_begun_afresh_while_it_runs_and_after_a_restart(tmp_path: Path) -> None:
    path, topic = tmp_path / "f.jsonl", FeedbackTopic()
    with closing(FeedbackFile(path, FORCE)) as sink:
        sink.write(topic.batch(feedback(1, "delivered"), feedback(2, "failed")))
        path.rename(tmp_path / "f.1.jsonl")
        sink.write(topic.batch(feedback(3, "accepted")))
    assert [line["feedback_id"] for line in lines(path)] == ["f-3"]
    path.rename(tmp_path / "f.2.jsonl")
    with closing(FeedbackFile(path, FORCE)) as sink:
        assert sink.positions() == {(TOPIC, 0): 7}
        sink.write(topic.batch(feedback(4, "accepted")))
    assert [line["feedback_id"] for line in lines(path)] == ["f-4"]


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not ours\n")
    with pytest.raises(Rejected, match="this file holds others"):
        FeedbackFile(path, FORCE)
    assert path.read_text() == "not ours\n"
    (tmp_path / "f.jsonl.position").write_text("{")
    with pytest.raises(Fatal, match="cannot be read"):
        FeedbackFile(tmp_path / "f.jsonl", FORCE)


def test_two_processes_cannot_have_one_file(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    with closing(FeedbackFile(path, FORCE)):
        open_it = (
            "import sys; from pathlib import Path; from consumers.feedback.file_sink import FeedbackFile;"
            "FeedbackFile(Path(sys.argv[1]), sys.argv[2])"
        )
        other = subprocess.run(
            [sys.executable, "-c", open_it, str(path), FORCE],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert "another process writes to this file" in other.stderr


# --------------------------------------------------------------------------------------------------------- webhook


@pytest.fixture
def receiver():
    with Receiver() as made:
        yield made


def posted(receiver: Receiver, tmp_path: Path, *values: bytes, secret: str | None = None) -> FeedbackWebhook:
    sink = FeedbackWebhook(tmp_path / "w.db", FORCE, Webhook(receiver.url, secret))
    try:
        sink.write(FeedbackTopic().batch(*values))
    finally:
        sink.close()
    return sink


def test_each_record_is_a_request_with_its_key_and_a_signature_that_can_be_checked(
    receiver: Receiver, tmp_path: Path
) -> None:
    posted(receiver, tmp_path, feedback(1, "delivered"), feedback(2, "accepted", reference="GMP-1"), secret="sesame")
    assert [path for path, _, _ in receiver.requests] == ["/feedback?tenant=1"] * 2
    for _, headers, body in receiver.requests:
        assert headers["Huecry-Signature"] == signature("sesame", headers["Huecry-Timestamp"], body)
        assert headers["Idempotency-Key"] == json.loads(body)["feedback_id"]
        assert headers["Content-Type"] == "application/json"
    assert receiver.kept["f-2"]["entries"][0]["reference"] == "GMP-1"


def test_without_a_secret_nothing_is_signed(receiver: Receiver, tmp_path: Path) -> None:
    posted(receiver, tmp_path, feedback(1, "delivered"))
    assert "Huecry-Signature" not in receiver.requests[0][1]


def aside(tmp_path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(tmp_path / "w.db")) as database:
        return database.execute("SELECT reason, detail, value IS NOT NULL FROM set_aside").fetchall()


@pytest.mark.parametrize("status", [400, 409, 410, 413, 422])
def test_what_the_receiver_can_never_take_is_set_aside_and_the_next_goes_on(
    receiver: Receiver, tmp_path: Path, status: int
) -> None:
    receiver.statuses["f-1"] = status
    posted(receiver, tmp_path, feedback(1, "delivered"), feedback(2, "accepted"))
    assert list(receiver.kept) == ["f-2"]
    told = f"webhook at 127.0.0.1:{receiver.port}: expected 2xx, got {status}"
    assert aside(tmp_path) == [("refused-by-webhook", told, 1)]


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 502, 503])
def test_a_receiver_that_is_away_or_set_up_wrongly_is_waited_for_and_nothing_is_lost(
    receiver: Receiver, tmp_path: Path, status: int
) -> None:
    receiver.statuses["f-2"] = status
    values = [feedback(number, "delivered") for number in (1, 2, 3)]
    with pytest.raises(Unavailable, match=f"got {status}"):
        posted(receiver, tmp_path, *values)
    assert list(receiver.kept) == ["f-1"]
    receiver.statuses.clear()
    posted(receiver, tmp_path, *values)
    assert list(receiver.kept) == ["f-1", "f-2", "f-3"]
    assert [json.loads(body)["feedback_id"] for _, _, body in receiver.requests] == ["f-1", "f-2", "f-2", "f-3"]
    assert aside(tmp_path) == []


def test_the_receiver_may_say_when_to_come_again(receiver: Receiver, tmp_path: Path) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "17"}
    with pytest.raises(Unavailable) as caught:
        posted(receiver, tmp_path, feedback(1, "delivered"))
    assert caught.value.retry_after_s == 17


def test_nobody_there_is_waited_for_and_named_without_what_may_be_secret(tmp_path: Path) -> None:
    with Receiver() as gone:
        url = gone.url
    with pytest.raises(Unavailable) as caught:
        Webhook(url).post(b"{}", "k")
    assert f"webhook at 127.0.0.1:{gone.port}: cannot be reached" in str(caught.value)
    assert "tenant" not in str(caught.value)


def test_a_connection_that_the_receiver_closed_meanwhile_is_made_again(receiver: Receiver) -> None:
    receiver.headers = {"Connection": "close"}
    webhook = Webhook(receiver.url)
    with closing(webhook):
        for number in range(3):
            webhook.post(json.dumps({"number": number}).encode(), f"k-{number}")
    assert len(receiver.kept) == 3


@pytest.mark.parametrize(
    "url",
    ["ftp://cad.example/x", "cad.example/feedback", "https://user:geheim@cad.example/x", "http://:80/", "http://[1/"],
)
def test_what_is_no_such_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Rejected) as caught:
        Webhook(url)
    assert "geheim" not in str(caught.value)
