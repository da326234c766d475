"""What people did stands in an incident's trace: asked, ruled, took back, confirmed, as the real router tells it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from consumers.ledger_queries import Ledger
from consumers.sinks.places import read_place
from deploy.cli import cli
from deploy.explaining import explain_event
from deploy.tracing import Trace, trace_incident
from deploy.tracing_acts import Act
from deploy.tracing_holdings import Standing
from deploy.tracing_words import as_lines
from routing.agreements.model import Condition
from tests.deploy.played import Played
from tests.deploy.retracting.test_taken_back_routed import ASK, SOUTH
from tests.postgres_server import PostgresServer
from tests.routing.play import MANAGER, SUPERINTENDENT
from tests.routing.scene import a_forbid


def a_life() -> Played:
    """Referred; nobody rules in time; extended, released, and once too often; then taken back and confirmed."""
    play = Played(SOUTH, ASK)
    play.event(flags=["child"])
    play.answer("south", "delivered", play.sent("south")[-1])
    play.pass_time(minutes=16)
    later = play.now + timedelta(minutes=20)
    play.rule("extend", role=SUPERINTENDENT, because="Waiting for the sergeant", until=later)
    play.pass_time(minutes=2)
    play.rule("release", role=SUPERINTENDENT, because="They are at the door", authenticated_by="token")
    play.pass_time(seconds=1)
    play.rule("release", role=SUPERINTENDENT, because="Again")
    play.answer("south", "accepted", play.sent("south")[-1], reference="S-1")
    play.pass_time(minutes=2)
    play.rule("retract", recipients=(), reason="wrong-recipient", ask="erase", role=MANAGER, because="Not theirs")
    notice = play.sent("south")[-1]
    for kind, words in (
        ("restricted", {}),
        ("restricted", {}),  # the member was not sure that the first arrived
        ("passed-on", {"passed_to": "a contractor", "by_role": "supervisor"}),
    ):
        play.pass_time(seconds=1)
        play.answer("south", kind, notice, at=play.now.replace(second=2) if kind == "restricted" else play.now, **words)
    play.pass_time(minutes=20)
    play.answer("south", "erased", notice, by_role="supervisor")
    return play


@pytest.fixture(scope="module")
def life() -> Played:
    return a_life()


@pytest.fixture(scope="module")
def ledger(life: Played, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    life.keep(path)
    return path


def traced(ledger: Path) -> Trace:
    with Ledger(ledger) as opened:
        return trace_incident(opened, "i-1")


def flowing(trace: Trace) -> str:
    return " ".join("\n".join(as_lines(trace)).split())


def the(trace: Trace, kind: str, **stated: object) -> Act:
    found = [
        act
        for act in trace.acts
        if act.kind == kind and all(getattr(act, name) == value for name, value in stated.items())
    ]
    assert len(found) == 1, [act.kind for act in trace.acts]
    return found[0]


def test_who_was_asked_until_when_and_how_long_each_took_to_rule(ledger: Path) -> None:
    trace = traced(ledger)
    referred = the(trace, "referred")
    assert (referred.member, referred.role, referred.reason) == ("south", "duty-inspector", "T-1/ask")
    assert the(trace, "escalated").step_ms == 15 * 60_000
    extend, release = the(trace, "ruled", ruling_kind="extend"), the(trace, "ruled", because="They are at the door")
    assert (extend.person, extend.role, extend.step_ms, extend.since) == ("supt.jones", SUPERINTENDENT, 60_000, "asked")
    assert (release.step_ms, release.authenticated_by) == (2 * 60_000, "token")
    assert (the(trace, "released").step_ms, the(trace, "released").since) == (0, "ruled")


def test_what_a_ruling_came_to_is_told_also_where_it_did_not_count(ledger: Path) -> None:
    told = flowing(traced(ledger))
    assert "RULED supt.jones as superintendent, known by token: release for south (2 min 0 s after asking)" in told
    assert "because: They are at the door" in told
    assert "ruling-not-taken (already-ruled) (0 ms after the ruling) it was released before this" in told


def test_an_event_that_was_decided_again_stands_behind_its_ruling_with_its_own_receipts(ledger: Path) -> None:
    trace = traced(ledger)
    first, again = trace.events
    assert (first.event_id, first.ruling_id) == (again.event_id, None)
    assert again.ruling_id == the(trace, "ruled", because="They are at the door").ruling_id
    news = [
        [news.kind for group in event.groups for copy in group.members for news in copy.news] for event in trace.events
    ]
    assert news == [["delivered"], ["accepted"]]
    told = flowing(trace)
    ruled, decided = told.index("They are at the door"), told.index("decided again by the ruling of supt.jones")
    assert ruled < decided < told.index("because: Again")
    assert told.startswith("Incident i-1 of north 1 event, ")


def test_what_was_taken_back_is_followed_to_the_last_confirmation(ledger: Path) -> None:
    trace = traced(ledger)
    assert the(trace, "retracted").step_ms == 0
    assert the(trace, "restricted").since == "taken back"
    passed_on = the(trace, "passed-on")
    assert (passed_on.by_role, passed_on.passed_to) == ("supervisor", "a contractor")
    assert the(trace, "unanswered").detail.startswith("the member has not answered: a person there is to confirm")
    told = flowing(trace)
    assert "RULED fim.lee as force-incident-manager: retract for every holder (wrong-recipient)" in told
    assert "erased south by a person (supervisor) (retract) (20 min 3 s after it was taken back)" in told


def test_a_member_has_nothing_of_what_was_taken_back_once_it_has_answered(ledger: Path) -> None:
    (south,) = [each for each in traced(ledger).members if each.member == "south"]
    assert (south.has, south.pending) == ((), ())
    assert {"head", "classification"} <= set(south.taken_back)
    (asked,) = south.asked_back
    assert (asked.kind, asked.parts) == ("retracted", ())
    assert [kind for kind, *_ in asked.said] == ["restricted", "erased"]
    last = flowing(traced(ledger)).partition("What each member has now ")[2]
    assert "was retracted (everything) Mon 1 Jun 2026" in last


def test_until_it_has_answered_it_has_what_it_had_and_who_is_still_asked_is_told(tmp_path: Path) -> None:
    play = Played(SOUTH, ASK)
    play.event(flags=["child"])
    play.answer("south", "delivered", play.sent("south")[-1])
    play.pass_time(seconds=1)
    play.rule("withdraw", sections=("vehicles",), reason="excessive", role=MANAGER)
    play.keep(tmp_path / "ledger.db")
    trace = traced(tmp_path / "ledger.db")
    south: Standing = next(each for each in trace.members if each.member == "south")
    assert {held.section for held in south.has} | set(south.told_none) >= {"head", "vehicles"}
    assert south.asked_back[0].parts == ("vehicles",)
    assert "was withdrawn (vehicles) Mon 1 Jun 2026 12:00:01: nothing said of it" in flowing(trace)
    (line,) = trace.still_asked
    assert (line.role, line.sections, line.rule) == ("duty-inspector", ("classification",), "T-1/ask")
    assert "Still asked duty-inspector until Mon 1 Jun 2026 12:15:00: classification for south (T-1/ask)" in flowing(
        trace
    )


def a_correction_that_came_late() -> Played:
    """South could not be reached when it was corrected; then it is sent what is left, and removes what was taken."""
    play = Played(SOUTH, a_forbid("weapon", ["south"], ["classification"], Condition("flags", ("firearm",))))
    play.event()
    play.answer("south", "delivered", play.sent("south")[-1])
    play.suspend("south")
    changes = [{"path": "grade", "reason": "wrong-grade", "wrong_from_start": True}]
    play.event(kind="CORRECTED", flags=["firearm"], changes=changes)
    play.pass_time(minutes=20)
    play.suspend()
    return play


def told_of(play: Played, ledger: Path) -> str:
    """Without the ends of lines."""
    play.keep(read_place(str(ledger)))
    return " ".join("\n".join(as_lines(traced(ledger))).split())


def test_what_could_not_be_sent_of_a_correction_is_missed_until_it_is(tmp_path: Path) -> None:
    told = told_of(a_correction_that_came_late(), tmp_path / "before.db")
    assert "event 2 NOT THERE (missing-topic)" in told
    play = a_correction_that_came_late()
    play.pass_time(minutes=20)
    correction, notice = play.sent("south")[1:]
    play.answer("south", "delivered", correction)
    play.answer("south", "erased", notice)
    told = told_of(play, tmp_path / "after.db")
    assert "the member could be asked only now" in told
    assert "NOT THERE" not in told
    now = told.partition("What each member has now")[2]
    assert "no longer classification, which was taken back" in now
    assert "erased by its adapter" in now


def test_time_runs_from_what_was_taken_back_for_what_answers_that_alone(tmp_path: Path) -> None:
    play = a_correction_that_came_late()
    play.pass_time(minutes=20)
    late = told_of(play, tmp_path / "ledger.db").split("unanswered south (correct)")[1]
    assert late.startswith(" the member has not answered: a person there is to accept the correction")


def test_explain_tells_each_decision_and_the_last_last(ledger: Path, life: Played) -> None:
    with Ledger(ledger) as opened:
        first, last = explain_event(opened, "i-1.1", "south", life.policy.bundle)
    assert (first.decision["sections"]["classification"], last.decision["sections"]["classification"]) == (
        "referred",
        "granted",
    )
    assert (first.same_decision, last.same_decision) == (True, True)
    assert [[row["kind"] for row in each.feedback] for each in (first, last)] == [["delivered"], ["accepted"]]
    told = run("explain", "i-1.1", "--to", "south", "--ledger", ledger)
    assert told.startswith("Decided 2 times, because somebody ruled: this is decision 1.")
    assert "\nDecision 2, the last:\n" in told
    as_data = json.loads(run("explain", "i-1.1", "--to", "south", "--ledger", ledger, "--json"))
    assert as_data["sections"]["classification"] == "granted"
    assert [each["sections"]["classification"] for each in as_data["earlier"]] == ["referred"]


def run(*words: str | Path) -> str:
    result = CliRunner().invoke(cli, list(map(str, words)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_is_found_by_the_log_number_of_its_case(tmp_path: Path) -> None:
    play = Played(SOUTH, ASK)
    play.event(flags=["child"], local_ref="WY-0310")
    play.keep(tmp_path / "ledger.db")
    with Ledger(tmp_path / "ledger.db") as opened:
        found = trace_incident(opened, "WY-0310")
    assert (found.incident_id, found.found_as) == ("i-1", "log number")
    assert "the incident of log number WY-0310" in flowing(found)


def test_as_json_everything_that_people_did_is_there(ledger: Path) -> None:
    told = json.loads(run("trace", "i-1", "--ledger", ledger, "--json"))
    assert [act["kind"] for act in told["acts"]].count("ruled") == 4
    assert told["still_asked"] == []
    assert told["events"][1]["ruling_id"] == "r-2"


def test_a_ledger_in_postgresql_says_the_same_word_for_word(
    life: Played, postgres: PostgresServer, ledger: Path
) -> None:
    url = postgres.make_database()
    life.keep(read_place(url))
    for how in ((), ("--json",)):
        assert run("trace", "i-1", "--ledger", url, *how) == run("trace", "i-1", "--ledger", ledger, *how)
    assert run("explain", "i-1.1", "--to", "south", "--ledger", url) == run(
        "explain", "i-1.1", "--to", "south", "--ledger", ledger
    )
