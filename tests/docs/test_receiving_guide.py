"""docs/receiving.md: statements and commands of what is asked, answered, kept and missing run, in both databases."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from consumers.answers.calling import answers_at, serve_answers
from consumers.answers.saying import KINDS
from consumers.answers.tables import ANSWER, AWAITING
from consumers.answers.taking import AnswerTaker, Refused
from consumers.sinks.postgres_url import PostgresUrl
from consumers.sinks.sql import KIND, SqlSink
from deploy.cli import cli
from schemas.codec import decode
from schemas.records import Receipt
from tests.consumers.making import MEMBER, MOST_BYTES, Topic, delivery_bytes
from tests.contract.receiving import PLACES
from tests.postgres_server import PostgresServer

GUIDE = (Path(__file__).parents[2] / "docs" / "receiving.md").read_text("utf-8")
ANSWERING = GUIDE[GUIDE.index("## What your control room is asked") :]
TO_US = {"addressed_to_you": True}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", ANSWERING, re.DOTALL | re.MULTILINE)


def transfer(number: int, **options: Any) -> bytes:
    options.setdefault("kind", "transfer")
    return delivery_bytes(f"WY-20260131-{number:04}", number, terms=TO_US, **options)


class Guided:
    """A receiving database in which everything that the guide names waits, and the guide's statements run in turn."""

    def __init__(self, sink: SqlSink) -> None:
        self.sink, self.taker = sink, AnswerTaker(sink.database, MEMBER)
        correction = {"changes": [{"path": "grade", "reason": "wrong-grade", "wrong_from_start": True}]}
        taken_back = {"reason": "unlawful", "ask": "erase"}
        sink.write(
            Topic().batch(
                transfer(42, local_ref="0042"),
                transfer(44, kind="assistance"),
                delivery_bytes("WY-20260131-0045", 45, action="CORRECT", kind="corrected", terms=correction),
                transfer(46),
                transfer(47),
                delivery_bytes("WY-20260131-0048", 48, action="RETRACT", event_id="", terms=taken_back),
            )
        )

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """One statement of the guide, as the receiving system runs it."""
        if statement.startswith("SELECT"):
            return self.sink.database.query(statement.rstrip(";\n"))
        with self.sink.database.transaction():
            for one in filter(None, (line.strip() for line in statement.split(";"))):
                self.sink.database.execute(one)
        return []

    def told(self) -> list[tuple[Any, ...]]:
        receipts = [Receipt.from_avro(decode("Receipt", one.value, MOST_BYTES)) for one in self._outbox()]
        return [
            (one.kind, entry.incident_id[-4:], entry.reference or entry.cause or entry.passed_to, entry.by_role)
            for one in receipts
            for entry in one.entries
        ]

    def _outbox(self) -> Any:
        return [one for one in self.sink.unsent_receipts(0, 99) if one.kind != "delivered"]


@pytest.fixture(params=sorted(PLACES))
def guided(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guided]:
    with closing(SqlSink(PLACES[request.param](tmp_path, request), MEMBER)) as sink:
        yield Guided(sink)


def test_the_sql_of_the_guide_does_what_it_says(guided: Guided) -> None:
    waits, accept, both, faulty, mend, _, hold, missing = blocks("sql")
    rows = guided.run(waits)
    assert [(row[1], row[2], row[5]) for row in rows[:1]] == [
        ("0042", "transfer", "west-yorkshire holds primacy until you accept")
    ]
    guided.run(accept)
    assert len(guided.taker.take_waiting()) == 1
    ((origin, local_ref, ours, taken_over_at),) = guided.run(both)
    assert (origin, local_ref, ours, taken_over_at is not None) == ("west-yorkshire", "0042", "GMP-1234", True)
    guided.run(faulty)
    (refused,) = guided.taker.take_waiting()
    assert isinstance(refused, Refused)
    assert [refused.problem] == [text.strip() for text in blocks("text")]
    guided.run(mend)
    guided.taker.take_waiting()
    assert guided.told()[-2:] == [
        ("accepted", "0042", "GMP-1234", None),
        ("rejected", "0044", "no-resource", None),
    ]
    guided.run(hold)
    assert guided.run("SELECT reason FROM hold") == [("a complaint is open",)]
    assert guided.run(missing) == []


def test_a_receiving_system_with_the_rights_that_the_guide_lists_can_answer(postgres: PostgresServer) -> None:
    url = postgres.make_database()
    postgres.run(url, "CREATE SCHEMA huecry", "CREATE ROLE cad LOGIN")
    in_schema = "options=-c%20search_path%3Dhuecry"
    try:
        with closing(SqlSink(PostgresUrl(f"{url}&{in_schema}"), MEMBER)) as sink:
            guided = Guided(sink)
            postgres.run(f"{url}&{in_schema}", *filter(str.strip, blocks("sql")[5].split(";")))
            as_cad = f"{url.replace('postgres@', 'cad@', 1)}&{in_schema}"
            postgres.run(as_cad, blocks("sql")[0], blocks("sql")[1])
            guided.taker.take_waiting()
            assert guided.told()[-1] == ("accepted", "0042", "GMP-1234", None)
    finally:
        postgres.run(url, "DROP OWNED BY cad", "DROP ROLE cad")


def test_the_call_of_the_guide_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "received.db"
    with closing(SqlSink(path, MEMBER)) as sink:
        guided = Guided(sink)
        (body,) = blocks("json")
        with (
            serve_answers(0, answers_at(path, KIND, MEMBER)) as serving,
            closing(HTTPConnection("127.0.0.1", serving.port)) as connection,
        ):
            (call,) = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("curl")]
            connection.request("POST", re.search(r"127\.0\.0\.1:\d+(\S+)$", call)[1], body)
            answer = connection.getresponse()
            assert (answer.status, len(json.loads(answer.read())["taken"])) == (202, 1)
        assert guided.told()[-1] == ("accepted", "0045", None, "duty-inspector")


def test_the_commands_of_the_guide_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(SqlSink(Path("received.db"), MEMBER)) as sink:
        guided = Guided(sink)
        commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("huecry answer")]
        assert len(commands) == 4
        for command in commands:
            result = CliRunner().invoke(cli, shlex.split(command)[1:], catch_exceptions=False)
            assert result.exit_code == 0, result.output
        assert guided.told()[-4:] == [
            ("accepted", "0046", "GMP-1240", None),
            ("rejected", "0047", "not-our-area", None),
            ("passed-on", "0048", "ambulance control", "duty-inspector"),
            ("erased", "0048", None, "duty-inspector"),
        ]


def test_every_other_command_of_the_guide_has_the_options_it_names() -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("huecry replay")]
    assert len(commands) == 1
    words = shlex.split(commands[0])
    command: click.Command = cli.get_command(click.Context(cli), words[1])
    known = {name for option in command.params for name in option.opts}
    assert {word for word in words if word.startswith("--")} <= known
    named = set(re.findall(r"`huecry consume (--[a-z-]+)", ANSWERING)) | set(re.findall(r"`(--[a-z-]+)`", ANSWERING))
    consume: click.Command = cli.get_command(click.Context(cli), "consume")
    answer: click.Command = cli.get_command(click.Context(cli), "answer")
    assert named <= {name for one in (consume, answer) for option in one.params for name in option.opts}


def test_the_guide_names_every_kind_of_answer_and_every_column() -> None:
    for kind in KINDS:
        assert f"`{kind}`" in ANSWERING
    for column in ANSWER.columns:
        assert column in ("answer_number", "said_by") or f"`{column}`" in ANSWERING, column
    assert AWAITING.name in ANSWERING
