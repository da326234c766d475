"""Every example in README.md runs, in the order in which it stands there; what it points at exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import click
import psutil
import pytest

from deploy.broker import EmbeddedBroker
from deploy.cli import cli
from deploy.cli.broker import broker as broker_command
from deploy.demo.figures import rows
from deploy.demo.lives import LIVES
from deploy.demo.run import HERE
from deploy.demo.screen import _COLUMNS
from schemas.catalogue import catalogue
from schemas.exchange import load_exchange
from schemas.registry_api import serve_registry
from tests.ending import still_running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
MEMBERS = sorted(load_exchange(HERE / "exchange.yaml").members)
PATIENCE_S = 90.0
EXPORT = """Ref,When,Type,District,Street,Note
WY-1,2026-06-05 21:14:03,ROB,Kirklees,High Street,Two men on a moped
WY-2,2026-06-05 21:15:00,BUR,Calderdale,Mill Lane,Back door forced
WY-3,2026-06-05 21:16:00,XXX,Leeds,Low Lane,No such code
"""
MAPPING = """mapping: readme
system: readme
time_zone: Europe/London
incident_key: Ref
event_key: Ref
fields:
  kind: {constant: created}
  mode: {constant: actual}
  recorded_at: {column: When, date: "%Y-%m-%d %H:%M:%S"}
  local_ref: Ref
  classification.category: {column: Type, codes: types}
  locations[0].kind: {constant: incident}
  locations[0].district: District
  locations[0].road: Street
  facts[0].text: Note
codes:
  types: {ROB: crime/robbery, BUR: crime/burglary}
"""


def blocks(heading: str, language: str) -> list[str]:
    """The code blocks of a language beneath a heading."""
    start = re.search(rf"^#+ {heading}$", README, re.MULTILINE)
    assert start is not None, heading
    rest = README[start.end() :]
    without_code = re.sub(r"```.*?```", lambda block: "." * len(block[0]), rest, flags=re.DOTALL)
    end = re.search(r"^#+ ", without_code, re.MULTILINE)
    section = rest[: end.start()] if end else rest
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def lines(heading: str) -> list[str]:
    """The commands of the one sh block beneath a heading."""
    (block,) = blocks(heading, "sh")
    return block.splitlines()


@dataclass
class Folder:
    """A reader's folder and terminals. Members have names of this test's own, the same in every file and command."""

    path: Path
    environment: dict[str, str]
    suffix: str
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def named(self, text: str) -> str:
        return re.sub("|".join(MEMBERS), lambda member: f"{member[0]}-{self.suffix}", text)

    def member(self, name: str) -> str:
        return f"{name}-{self.suffix}"

    def run(self, line: str) -> str:
        """A command that ends by itself, and well."""
        words = shlex.split(self.named(line), comments=True)
        if words[0] == "sqlite3" and shutil.which("sqlite3") is None:
            with closing(sqlite3.connect(self.path / words[1])) as database:
                return "\n".join("|".join(map(str, row)) for row in database.execute(words[2]))
        done = subprocess.run(
            words, cwd=self.path, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, line: str, *more: str) -> subprocess.Popen[str]:
        """A command that runs until it is stopped."""
        words = [*shlex.split(self.named(line), comments=True), *more]
        log = (self.path / f"{words[1]}.log").open("w")
        with log:
            process = subprocess.Popen(words, cwd=self.path, env=self.environment, stdout=log, stderr=log, text=True)
        self.running.append(process)
        return process

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            ended = [process.args for process in self.running if process.poll() is not None]
            assert not ended, f"{ended}: {''.join(log.read_text() for log in self.path.glob('*.log'))}"
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.1)

    def stop(self) -> None:
        """As Ctrl-C does; every command ends well, and takes its children along."""
        children = [each for process in self.running for each in psutil.Process(process.pid).children(recursive=True)]
        for process in self.running:
            process.terminate()
        codes = {str(process.args): process.wait(30) for process in self.running}
        self.running.clear()
        assert set(codes.values()) <= {0}, codes
        assert not still_running(children, within_s=5)


@pytest.fixture(scope="module")
def folder(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    path = tmp_path_factory.mktemp("reader")
    beside = str(Path(sys.executable).parent)  # where `huecry` was installed
    environment = {
        **os.environ,
        "HUECRY_BOOTSTRAP": broker.bootstrap,
        "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
        "XDG_STATE_HOME": str(path / "state"),
    }
    made = Folder(path, environment, uuid.uuid4().hex[:6])
    exchange = (HERE / "exchange.yaml").read_text("utf-8").replace("exchange: demo", f"exchange: demo-{made.suffix}")
    (path / "exchange.yaml").write_text(made.named(exchange), "utf-8")
    shutil.copytree(HERE / "agreements", path / "agreements")
    for file in (path / "agreements").rglob("*.yaml"):
        file.write_text(made.named(file.read_text("utf-8")), "utf-8")
    (path / "export.csv").write_text(EXPORT, "utf-8")
    (path / "mapping.yaml").write_text(MAPPING, "utf-8")
    yield made
    for process in made.running:
        process.kill()
        process.wait()


@pytest.mark.timeout(400)
def test_the_commands_run_in_order_and_do_what_they_are_said_to_do(folder: Folder) -> None:
    start_kafka, provision, check, publish, route, registry = lines("Run an exchange")
    words = shlex.split(start_kafka, comments=True)
    assert words[:2] == ["huecry", "broker"]
    # Its options are right; tests/deploy/test_broker.py runs it.
    broker_command.make_context("broker", words[2:], parent=click.Context(cli, **cli.context_settings))
    assert f"incidents.{folder.member('west-yorkshire')}" in folder.run(provision)
    folder.run(check)
    assert "policy version 1" in folder.run(publish)
    folder.start(route)
    folder.start(registry, "--port", "0")

    rehearse, produce, set_aside, quarantined = lines("A force connects")
    assert "3 records: 2 events" in folder.run(rehearse)
    assert "2 published" in folder.run(produce)
    assert "1 wait" in folder.run(set_aside)
    assert "Nothing of" in folder.run(quarantined)

    consume, query = lines("A partner receives")
    folder.start(consume)
    received = folder.path / "received.db"
    folder.until(lambda: len(rows(received, "SELECT 1 FROM incident")) == 2, "both incidents are received")
    assert f"{folder.member('west-yorkshire')}|WY-1|crime|" in folder.run(query)

    ledger, events, explain = lines("Somebody asks why")
    folder.start(ledger)
    kept = folder.path / "ledger.db"
    folder.until(lambda: len(rows(kept, "SELECT 1 FROM disclosure")) == 2, "both decisions are in the ledger")
    listed = [line.split("|") for line in folder.run(events).splitlines()]
    assert sorted(category for _, category, _ in listed) == ["crime/burglary", "crime/robbery"]
    event_id = next(event for event, category, _ in listed if category == "crime/robbery")
    told = folder.run(explain.replace("EVENT_ID", event_id))
    _says(told, folder.named(blocks("Somebody asks why", "text")[0]))

    cases, retractions, answers, trace = lines("People decide, take back, answer")
    assert "Nobody is asked anything" in folder.run(cases)
    assert "Nothing was taken back" in folder.run(retractions)
    assert "nothing waits for an answer" in folder.run(answers)
    (incident_id,) = next(map(tuple, rows(kept, "SELECT incident_id FROM disclosure")))
    assert f"Incident {incident_id} of" in folder.run(trace.replace("INCIDENT_ID", incident_id))
    folder.stop()


def _says(told: str, shown: str) -> None:
    """What README shows of an output stands in it, line by line and in order; `...` is whatever stands between."""
    rest = told
    for line in shown.splitlines():
        if line != "...":
            assert line in rest, f"README shows {line!r}; what came was\n{told}"
            rest = rest[rest.index(line) + len(line) :]


@pytest.mark.timeout(200)
def test_any_kafka_client_reads_a_partner_topic(
    folder: Folder, broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the commands above: their deliveries are on the topic."""
    (example,) = blocks("A partner receives", "python")
    example = folder.named(example).replace("our-control-room", f"our-control-room-{folder.suffix}")
    with serve_registry(0, catalogue(), []) as registry:
        names = {"BOOTSTRAP": broker.bootstrap, "REGISTRY": registry.url}
        exec(compile(example, "README.md", "exec"), names)  # noqa: S102  our own README
    printed = capsys.readouterr().out.splitlines()
    origin = folder.member("west-yorkshire")
    assert f"{origin} WY-1 locations 1" in printed
    assert f"{origin} WY-2 classification 1" in printed
    assert f"{origin} WY-1 vehicles 0" in printed, "covered and empty: the origin says that there is none"
    assert not any(" facts " in line for line in printed), "what is not granted is not covered"


def test_the_table_that_is_shown_is_that_of_the_demonstration() -> None:
    shown = blocks("See it work", "text")[0]
    for word in " ".join(_COLUMNS).split():
        assert word in shown


def test_the_lives_that_are_shown_are_those_of_the_demonstration() -> None:
    shown = blocks("See it work", "text")[0]
    told = [line for line in shown.splitlines() if re.match(r"D-\d+ ", line)]
    assert [" ".join(line.split()[:-2]) for line in told] == [
        f"{life.log} {life.name}: {life.about} {life.member}" for life in LIVES
    ]


def test_what_is_linked_exists() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        file, _, anchor = target.partition("#")
        assert not file or (ROOT / file).exists(), target
        if anchor:
            text = (ROOT / file).read_text("utf-8") if file else README
            headings = [heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
            assert anchor in headings, target


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?= ARGS|`|$)", README, re.MULTILINE))
    assert {"demo", "test", "check", "bench", "chaos"} <= named <= targets


def test_every_command_that_is_named_exists_with_its_options() -> None:
    for text in re.findall(r"huecry ((?:[a-z]+ ?)+)", re.sub(r"#.*", "", README)):
        command: click.Command | None = cli
        for word in text.split():
            if not isinstance(command, click.Group):
                break
            command = command.get_command(click.Context(command), word)
            assert command is not None, f"huecry {text}"
