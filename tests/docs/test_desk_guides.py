"""docs/cases.md and docs/retracting.md: screens are what the code shows, commands are ours, the rest loads."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from contextlib import closing
from pathlib import Path

import click
import pytest
import yaml

from consumers.ledger import LedgerSink
from consumers.ledger_cases import CaseBook
from consumers.ledger_queries import Ledger
from consumers.sinks.postgres_url import PostgresUrl
from deploy.cli import cli
from deploy.desk.case_rulings import CaseRuling
from deploy.desk.moments import moment_said
from deploy.notifying.notices import Notice
from deploy.tracing import trace_incident
from deploy.tracing_words import as_lines
from routing.agreements.read_members import read_bundle_file
from schemas.casework import Ruling
from schemas.strict_yaml import Faults, read_yaml
from tests.consumers.case_making import a_line, case_record
from tests.consumers.ledger_making import FORCE
from tests.consumers.making import at
from tests.consumers.test_ledger_cases import Kept
from tests.deploy.test_trace_people import a_life
from tests.docs.desk_examples import screens, taken_back
from tests.postgres_server import PostgresServer

DOCS = Path(__file__).parents[2] / "docs"
CASES, RETRACTING, TRACING = ((DOCS / name).read_text("utf-8") for name in ("cases.md", "retracting.md", "tracing.md"))


def blocks(guide: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", guide, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [
    line
    for guide in (CASES, RETRACTING)
    for block in blocks(guide, "sh")
    for line in block.splitlines()
    if line.startswith("huecry ")
]


def test_the_screens_are_what_people_see(tmp_path: Path) -> None:
    assert [block.rstrip("\n") for block in blocks(CASES, "console")] == list(screens(tmp_path))
    assert [block.rstrip("\n") for block in blocks(RETRACTING, "console")] == [taken_back()]


def test_every_line_that_the_guide_to_tracing_shows_of_people_is_one_that_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    a_life().keep(path)
    with Ledger(path) as ledger:
        printed = list(as_lines(trace_incident(ledger, "i-1")))
    shown = next(block for block in blocks(TRACING, "text") if "RULED" in block).splitlines()
    assert [line for line in shown if line not in printed] == []
    assert [line for line in printed if line in shown] == shown, "in this order"


def parsed(line: str) -> tuple[click.Command, click.Context]:
    """The command of a line, with its words read as the command would."""
    program, *words = shlex.split(line)
    assert program == "huecry"
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found, line
        command = found
    environment = ["--ledger", "l.db"] if any("--ledger" in each.opts for each in command.params) else []
    if any("--exchange" in each.opts for each in command.params) and "--exchange" not in words:
        environment += ["--exchange", "e.yaml"]
    # A command remembers its help option as it first made it: it must be made as under `huecry`.
    context = command.make_context(command.name, [*words, *environment], **cli.context_settings)
    return command, context


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: line[:60])
def test_each_command_is_one_of_ours_with_its_words(line: str) -> None:
    parsed(line)


def test_there_is_a_command_for_each_way_of_ruling() -> None:
    named = {parsed(line)[0].name for line in COMMANDS} | set(re.findall(r"huecry cases ([a-z-]+)", CASES))
    assert named >= {*CaseRuling.__args__, "share", "retract", "lift", "withdraw", "desk", "discretions"}  # type: ignore[attr-defined]


def test_the_people_of_the_example_load(tmp_path: Path) -> None:
    (text,) = blocks(CASES, "yaml")
    (tmp_path / "bundle.yaml").write_text(text)
    members = {"west-yorkshire": {"name": "West Yorkshire Police", "publishes": True, "receives": True}}
    (tmp_path / "exchange.yaml").write_text(yaml.safe_dump({"exchange": "x", "members": members}))
    faults = Faults("bundle.yaml")
    root = read_yaml(tmp_path / "bundle.yaml", faults)
    assert root is not None
    people = read_bundle_file(root, tmp_path, faults).people
    assert faults.noted == []
    assert [(person.id, person.user) for person in people] == [("inspector.ahmed", ""), ("inspector.smith", "asmith")]


def test_the_digest_of_a_token_is_what_the_guide_tells_to_make(tmp_path: Path) -> None:
    from deploy.desk.callers import caller

    made = next(block for block in blocks(CASES, "sh") if "openssl" in block)
    assert 'printf %s "$(cat token)" | sha256sum' in made
    token = tmp_path / "token"
    token.write_text("0123456789abcdef" * 4 + "\n")  # as openssl writes it, with the end of its line
    token.chmod(0o600)
    assert caller(token, {}).token_sha256 == hashlib.sha256(b"0123456789abcdef" * 4).hexdigest()


def test_the_notice_that_is_shown_has_the_fields_of_one() -> None:
    (shown,) = blocks(CASES, "json")
    told = Notice("n", "c", "opened", "r", at(0)).body(at(0))
    assert list(json.loads(shown)) == list(told)


def test_the_times_that_the_guide_names_are_times() -> None:
    for said in ("2h30m", "03:45", "2026-11-29T03:45"):
        assert said in CASES
        moment_said(said, at(0))


def test_the_options_that_a_ruling_has_are_fields_of_it() -> None:
    assert {"until", "locate", "seen_sequence", "because", "basis", "reason", "ask"} <= set(Ruling.model_fields)


def test_the_rights_that_the_guide_lists_let_an_inspector_look_and_no_less_would_do(postgres: PostgresServer) -> None:
    url = postgres.make_database()
    database = url.partition("@/")[2].partition("?")[0]
    postgres.run(url, "CREATE SCHEMA huecry", "CREATE ROLE inspector LOGIN")
    owner = PostgresUrl(postgres.url(database, "postgres", options="-c search_path=huecry"))
    as_inspector = PostgresUrl(postgres.url(database, "inspector", options="-c search_path=huecry"))
    try:
        LedgerSink(owner, FORCE).close()
        kept = Kept(owner)
        with closing(kept.sink):
            kept.take("cases", case_record(a_line()))
        (grants,) = blocks(CASES, "sql")
        postgres.run(url, "SET search_path TO huecry", *(each for each in grants.split(";\n") if each.strip()))
        with CaseBook(as_inspector, FORCE, who="asmith") as book:
            (shown,) = book.whole_case("i-1").records
            for minute in (1, 2):
                book.has_looked("asmith", shown, at(minute))
            assert book.last_view("asmith", "i-1") is not None
    finally:
        postgres.run(url, "DROP OWNED BY inspector CASCADE", "DROP ROLE inspector")
