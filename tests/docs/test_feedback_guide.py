"""docs/feedback.md: every query, record, check and command in it holds."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from consumers.feedback.database_sink import FeedbackDatabase
from consumers.feedback.file_sink import FeedbackFile
from consumers.feedback.posting import _WAITS, Webhook, signature
from consumers.feedback.webhook_sink import FeedbackWebhook
from deploy.cli import cli
from tests.consumers.feedback_making import FORCE, NAMES, FeedbackTopic, feedback
from tests.consumers.webhook_server import Receiver

GUIDE = (Path(__file__).parents[2] / "docs" / "feedback.md").read_text("utf-8")
INCIDENT = "WY-20260131-0042"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-01-31T{clock}").replace(tzinfo=UTC)


def told() -> list[bytes]:
    remedy = "call control room of Yorkshire Ambulance 0113 496 0000"
    asked = {"member": "ambulance", "reason": "assistance", "remedy": remedy}
    return [
        feedback(1, "delivered", INCIDENT, was_at=at("14:02:03"), at=at("14:02:04")),
        feedback(2, "accepted", INCIDENT, was_at=at("14:02:40"), at=at("14:02:41"), reference="GMP-1234"),
        feedback(3, "unanswered", INCIDENT, was_at=at("14:04:00"), **asked),
    ]


def test_the_queries_of_the_guide_show_what_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "feedback.db"
    with closing(FeedbackDatabase(path, FORCE, NAMES)) as sink:
        sink.write(FeedbackTopic().batch(*told()))
    lines, overdue = blocks("sql")
    with closing(sqlite3.connect(path)) as database:
        assert sorted(line for (line,) in database.execute(lines)) == sorted(blocks("text")[0].splitlines())
        assert [incident for incident, _ in database.execute(overdue)] == [INCIDENT]


def test_the_record_of_the_guide_is_what_a_webhook_gets_and_its_check_of_the_signature_holds(tmp_path: Path) -> None:
    with Receiver() as receiver:
        with closing(FeedbackWebhook(tmp_path / "w.db", FORCE, Webhook(receiver.url, "a secret"))) as sink:
            sink.write(FeedbackTopic().batch(*told()))
        _, headers, body = receiver.requests[1]
        shown = json.loads(blocks("json")[0])
        assert holds(receiver.kept["f-2"], shown)
    names: dict[str, Any] = {}
    exec(blocks("python")[0], names)  # noqa: S102  the guide's own words
    given = (headers["Huecry-Timestamp"], body, headers["Huecry-Signature"])
    assert names["is_ours"](b"a secret", *given)
    assert not names["is_ours"](b"another", *given)
    assert headers["Huecry-Signature"] == signature("a secret", headers["Huecry-Timestamp"], body)


def holds(record: Any, shown: Any) -> bool:
    """Whether the record says all that is shown."""
    if isinstance(shown, dict):
        return all(name in record and holds(record[name], shown[name]) for name in shown)
    if isinstance(shown, list):
        return len(record) == len(shown) and all(holds(*pair) for pair in zip(record, shown, strict=True))
    return bool(record == shown)


def test_the_guide_names_every_status_that_is_waited_for() -> None:
    waits = re.search(r"^- Not reached, 5xx.*?it waits", GUIDE, re.DOTALL | re.MULTILINE)[0]
    assert {int(status) for status in re.findall(r"\b\d{3}\b", waits)} == set(_WAITS)


def test_what_was_set_aside_is_found_as_the_guide_says(tmp_path: Path) -> None:
    with Receiver() as receiver:
        receiver.statuses["f-1"] = 422
        with closing(FeedbackWebhook(tmp_path / "w.db", FORCE, Webhook(receiver.url))) as sink:
            sink.write(FeedbackTopic().batch(*told()))
    (query,) = [shlex.split(line)[2] for block in blocks("sh") for line in block.splitlines() if "sqlite3" in line]
    with closing(sqlite3.connect(tmp_path / "w.db")) as database:
        assert [row[0] for row in database.execute(query)] == ["refused-by-webhook"]


def test_a_line_of_the_file_is_the_record_with_where_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    with closing(FeedbackFile(path, FORCE)) as sink:
        sink.write(FeedbackTopic().batch(*told()[:2]))
    last = json.loads(path.read_text("utf-8").splitlines()[-1])
    assert holds(last, json.loads(blocks("json")[0]))
    assert set(last["read_at"]) == {"topic", "partition", "offset"}
    assert path.with_name("feedback.jsonl.position").exists()


def test_the_commands_of_the_guide_have_the_options_they_name() -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("huecry")]
    assert len(commands) == 3
    command: click.Command = cli.get_command(click.Context(cli), "feedback")
    known = {name for option in command.params for name in option.opts}
    for line in commands:
        assert {word for word in shlex.split(line) if word.startswith("--")} <= known
    assert set(re.findall(r"`(--[a-z-]+)`", GUIDE)) <= known
