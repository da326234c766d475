"""What a page of the runbook tells somebody to type, at three in the morning, is there."""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing

import click
import pytest
import yaml

from consumers.ledger import LedgerSink
from consumers.sinks.sql import SqlSink
from deploy.cli import cli
from tests.operations.alert_rules import RUNBOOK, alerts, faults_of

PAGES = sorted(RUNBOOK.glob("*.md"))
SECTIONS = ["What it means", "How to see more", "What to do", "It is over when", "Whom to tell"]
EXTERNAL = {"sqlite3"}


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language, also those within a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def lines(language: str) -> list[tuple[str, str]]:
    return [
        (page.stem, line)
        for page in PAGES
        for block in blocks(page.read_text("utf-8"), language)
        for line in block.splitlines()
        if line
    ]


COMMANDS = lines("sh")
QUERIES = lines("promql")


def label(value: object) -> str:
    return str(value)[:70]


def test_every_alert_has_a_page_every_page_an_alert_and_the_index_has_them_all():
    assert {page.stem for page in PAGES} == {*alerts(), "README"}
    index = (RUNBOOK / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| (.*?) \|", index, re.MULTILINE))
    assert rows == {name: rule["labels"]["severity"] for name, rule in alerts().items()}
    waits = dict(re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| \w+ \| (\w+) \|", index, re.MULTILINE))
    assert waits == {name: rule["for"] for name, rule in alerts().items()}


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "README"], ids=lambda page: page.stem)
def test_every_page_says_what_it_means_how_to_see_more_what_to_do_when_it_is_over_and_whom_to_tell(page):
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert all(part.strip() for part in re.split(r"^## .*$", text, flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        assert (RUNBOOK / target).resolve().exists(), target


def fault_of_command(line: str) -> str:
    """What is wrong with a command of ours; empty if it exists as it is written."""
    program, *words = shlex.split(line)
    if program in EXTERNAL:
        return ""
    if program != "huecry":
        return f"what is {program}?"
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        if not words:
            return "a command is missing"
        if words == ["--version"]:
            return ""
        found = command.get_command(context, word := words.pop(0))
        if found is None:
            return f"no command {word}"
        command = found
    return _fault_of_words(command, words)


def _fault_of_words(command: click.Command, words: list[str]) -> str:
    options = {name: p for p in command.params if isinstance(p, click.Option) for name in p.opts}
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    given, plain = set(), []
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            plain.append(word)
        elif word not in options:
            return f"no option {word}"
        else:
            given.add(options[word].name)
            if not options[word].is_flag:
                words.pop(0)
    lacking = [name for name, option in options.items() if option.required and option.name not in given]
    if lacking:
        return f"{lacking[0]} is required"
    least = sum(argument.required for argument in arguments)
    most = len(arguments) if all(argument.nargs == 1 for argument in arguments) else len(plain)
    if not least <= len(plain) <= most:
        return f"{len(plain)} arguments"
    for argument, value in zip(arguments, plain, strict=False):
        if isinstance(argument.type, click.Choice) and value not in argument.type.choices:
            return f"{value} is none of {argument.type.choices}"
    return ""


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=label)
def test_every_command_exists_with_these_options(page, line):
    assert fault_of_command(line) == ""


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("huecry mend everything", "no command mend"),
        ("huecry quarantine list --exchange e.yaml", "--member is required"),
        ("huecry health rady --metrics-port 1", "rady is none of ('ready', 'live')"),
        ("huecry setaside show --spool s.db", "0 arguments"),
        ("huecry provision plan --exchange e.yaml --force", "no option --force"),
        ("kafka-mender --now", "what is kafka-mender?"),
    ],
)
def test_a_command_that_is_not_there_would_be_found(line, fault):
    assert fault_of_command(line) == fault


@pytest.mark.parametrize(("page", "line"), [each for each in COMMANDS if each[1].startswith("sqlite3")], ids=label)
def test_every_question_to_a_database_is_answered(page, line, tmp_path):
    _, file, query = shlex.split(line)
    path = tmp_path / file
    sink = LedgerSink(path, "north") if file == "ledger.db" else SqlSink(path, "north")
    sink.close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(query).fetchall() == []


@pytest.mark.parametrize(("page", "line"), QUERIES, ids=label)
def test_every_query_names_metrics_labels_and_values_that_there_are(page, line):
    assert faults_of(line) == []


def test_prometheus_understands_every_query(tmp_path):
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool here: apt-get install prometheus, or put Prometheus' own on the PATH")
    made = [{"record": f"query:{page}:{number}", "expr": query} for number, (page, query) in enumerate(QUERIES)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "runbook", "rules": made}]}), "utf-8")
    ran = subprocess.run([program, "check", "rules", path], capture_output=True, text=True, timeout=280, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(QUERIES) > 50
