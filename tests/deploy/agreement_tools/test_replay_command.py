"""The same bundle and the same record give the same decision, always: recorded decisions are made again."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.delivery import Record as ReadRecord
from consumers.delivery import open_batch
from consumers.ledger import LedgerSink, ledger_opener
from consumers.ledger_queries import Ledger
from deploy.agreement_tools import replaying
from deploy.agreement_tools.replaying import Replaying
from deploy.cli import cli
from routing.agreements import Decision, decide
from routing.effects import Policy
from routing.route import route
from tests.bench.workload import ORIGIN, records
from tests.deploy.asking import AGREEMENTS, MOST, NOW, a_policy
from tests.routing.play import MANAGER, Play
from tests.routing.test_ruled import OFFENCE, PLACE, PLAIN, SENSITIVE, SOURCE

BETWEEN = (NOW, NOW.replace(year=2027))


def decided(path: Path, policy: Policy, events: int) -> Path:
    """A ledger of so many events as the router decides them."""
    with closing(LedgerSink(path, ORIGIN)) as sink:
        made: list[ReadRecord] = []
        for number, record in enumerate(records(policy, events)):
            (value,) = [out.value for out in route(record, policy, NOW).outputs if out.topic == f"disclosures.{ORIGIN}"]
            made.append(ReadRecord(f"disclosures.{ORIGIN}", 0, number, 0, value))
            if len(made) == 500 or number == events - 1:
                batch = open_batch(made, ledger_opener(MOST))
                sink.write(batch)
                made = []
    return path


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return decided(tmp_path / "ledger.db", a_policy(), 300)


def says(ledger: Path, *words: str) -> Result:
    given = ("--ledger", str(ledger), "--since", "2026-06-01")
    return CliRunner().invoke(cli, ["agreements", "replay", str(AGREEMENTS), *given, *words])


def test_every_recorded_decision_comes_out_again(ledger: Path) -> None:
    result = says(ledger)
    assert result.exit_code == 0, result.exception
    assert result.output == (
        "300 events, 1500 decisions made again under version 1: none came out otherwise\n"
        "  30 of them by the interpreter too\n"
    )


def test_the_interpreter_decides_each_if_asked(ledger: Path) -> None:
    result = says(ledger, "--interpret-every", "1", "--json")
    assert result.exit_code == 0, result.exception
    assert json.loads(result.output)["interpreted"] == 1500


def test_an_engine_that_decides_otherwise_than_the_interpreter_is_found(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def otherwise(*asked: Any) -> Decision:
        return replace(decide(*asked), retain_days=7)

    monkeypatch.setattr(replaying, "decide", otherwise)
    result = says(ledger, "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["differing"] == {"interpreter": 30}


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        ("UPDATE decision SET outcome = 'shared' WHERE outcome = 'shared-in-part' AND rowid % 7 = 0", "outcome"),
        ("UPDATE decision SET grounds = '[]' WHERE grounds <> '[]'", "grounds"),
        ("UPDATE decision SET retain_days = 3650 WHERE retain_days IS NOT NULL", "retain_days"),
        ("UPDATE disclosure SET considered = replace(considered, 'crime/robbery', 'asb/nuisance')", "rules"),
        ("DELETE FROM decision WHERE member = 'rivers-agency'", "nobody"),
    ],
)
def test_a_record_that_was_changed_is_found(ledger: Path, spoil: str, what: str) -> None:
    with closing(sqlite3.connect(ledger)) as database, database:
        assert database.execute(spoil).rowcount
    result = says(ledger, "--json")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert what in told["differing"]
    assert told["examples"]


def test_what_another_bundle_decided_is_left_alone(ledger: Path) -> None:
    policy = a_policy()
    other = replace(policy.bundle, version=2)
    with Ledger(ledger) as opened:
        found = Replaying(other).run(opened.whole_between(*BETWEEN))
    assert (found.events, found.differing) == (0, {})
    assert found.other_bundles == {(1, policy.bundle.hash): 300}


def test_what_people_ruled_and_took_back_comes_out_again(tmp_path: Path) -> None:
    """The records of a release, of discretion, of a correction and of a retraction by the control room itself."""
    play = Play(PLAIN, PLACE, SENSITIVE, SOURCE)
    facts = [{"entry_id": "l1", "text": "seen"}]
    play.event(facts=facts, **OFFENCE)
    play.rule("release")
    play.event(kind="UPDATED", facts=facts, **OFFENCE)
    play.rule("discretion", role=MANAGER, sections=("facts",), agreement="T-1", recipients=("west",))
    play.rule("refuse", recipients=("west",))
    play.event(kind="CORRECTED", changes=[{"path": "grade", "reason": "wrong-grade"}], **OFFENCE)
    play.event(kind="RETRACT", to=["west"], changes=[{"path": "", "reason": "wrong-recipient"}])
    play.event(kind="UPDATED", **OFFENCE)
    written = [output.value for output in play.outputs if output.topic == "disclosures.north"]
    with closing(LedgerSink(tmp_path / "ledger.db", "north")) as sink:
        made = [ReadRecord("disclosures.north", 0, number, 0, value) for number, value in enumerate(written)]
        sink.write(open_batch(made, ledger_opener(MOST)))
    with Ledger(tmp_path / "ledger.db") as opened:
        since = play.now.replace(hour=0)
        found = Replaying(play.policy.bundle, 1).run(opened.whole_between(since, since.replace(year=2027)))
    assert (found.events, found.differing) == (7, {}), found.examples
    assert found.decisions == 2 + 1 + 2 + 1 + 2 + 0 + 2


@pytest.mark.long
def test_a_hundred_thousand_events_are_decided_again_as_they_were(tmp_path: Path) -> None:
    policy = a_policy()
    with Ledger(decided(tmp_path / "ledger.db", policy, 100_000)) as opened:
        found = Replaying(policy.bundle).run(opened.whole_between(*BETWEEN))
    assert (found.events, found.decisions, found.differing) == (100_000, 500_000, {})
