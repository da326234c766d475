"""``huecry cases`` on the real broker, with a stand-in for the router: who may rule, on what, and what comes of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker
from deploy.desk.callers import system_user
from routing.agreements.state import Refusal, State
from schemas.partitioner import partition_of
from tests.consumers.case_making import SECRET, an_event, violent_person
from tests.deploy.desk.desk_scene import Scene

RELEASE = ("cases", "release", "i-1", "--to", "greater-manchester", "--because", "They are at the door")


@pytest.fixture
def scene(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, broker.bootstrap, unique)
    with closing(made.kept.sink):
        yield made


@pytest.fixture
def asked(scene: Scene) -> Scene:
    """A case is open, and the duty inspector has looked at it."""
    scene.publish()
    scene.comes(scene.a_line())
    scene.says("cases", "show", "WY-0310", look=True)
    return scene


def test_a_release_goes_to_the_incidents_partition_with_every_word_and_is_said_to_count(asked: Scene) -> None:
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    with asked.router().at_work() as router:
        words = ("--sections", "locations,facts", "--locate", "1km", "--until", until)
        told = asked.says(*RELEASE, *words)
    assert told == "released: greater-manchester, facts, locations\n"
    ((ruling, partition),) = router.rulings
    assert partition == partition_of(b"i-1", asked.exchange.partitions)
    assert (ruling.kind, ruling.member, ruling.incident_id) == ("release", "west-yorkshire", "i-1")
    assert (ruling.person, ruling.role, ruling.authenticated_by) == ("inspector.smith", "duty-inspector", "os-user")
    assert (ruling.recipients, ruling.sections, ruling.locate) == (
        ("greater-manchester",),
        ("locations", "facts"),
        "1km",
    )
    assert (ruling.seen_sequence, ruling.because) == (1, "They are at the door")
    assert ruling.until is not None
    assert abs(ruling.until - datetime.fromisoformat(until)) < timedelta(seconds=1)


def test_a_refusal_an_extension_and_asking_again_are_told_as_the_router_says(asked: Scene) -> None:
    with asked.router().at_work():
        words = ("WY-0310", "--to", "greater-manchester", "--because", "Not yet")
        assert asked.says("cases", "extend", *words, "--until", "20m").startswith("extended: greater-manchester, ")
        assert asked.says("cases", "refuse", *words).startswith("refused: greater-manchester, ")
        asked.state = State(
            refusals=(
                Refusal(kind="lapse", recipients=frozenset({"greater-manchester"}), parts=frozenset({"locations"})),
            )
        )
        assert asked.says("cases", "ask-again", *words) == "asked-again: greater-manchester\n"


def test_what_the_router_refuses_is_told_with_the_reason_and_what_to_do_and_has_its_exit_code(asked: Scene) -> None:
    with asked.router().at_work():
        asked.latest = 5  # the router knows of more than the ledger has
        told = asked.says(*RELEASE, exit_code=3)
        assert "NOT TAKEN (stale-view): the ruling is on event 1 of the incident, and the latest is 5" in told
        assert "look at what came since, and rule again" in told
        asked.latest, asked.lines = 1, ()
        assert "NOT TAKEN (no-open-line)" in asked.says(*RELEASE, exit_code=3)


def test_a_role_that_is_in_no_path_is_refused_by_the_router(scene: Scene) -> None:
    scene.roles = {"force-incident-manager": ["inspector.smith"]}
    scene.publish()
    scene.comes(scene.a_line())
    scene.says("cases", "show", "i-1", look=True)
    with scene.router().at_work():
        told = scene.says(*RELEASE, exit_code=3)
    assert "NOT TAKEN (role-not-in-path)" in told
    assert "expected a ruling by duty-inspector, public-protection-superintendent" in told


def test_without_a_router_the_ruling_stands_and_is_said_not_to_be_known_yet(asked: Scene) -> None:
    told = asked.says(*RELEASE, "--wait", "0.5", exit_code=4)
    assert "NOT KNOWN YET: the ruling is sent for good" in told
    assert "Do not rule again: see huecry trace i-1" in told


def test_the_outcome_as_json_has_the_ruling_and_all_that_was_said(asked: Scene) -> None:
    with asked.router().at_work():
        (told,) = asked.tells(*RELEASE)
    assert (told["counts"], told["ruling"]["kind"], told["ruling"]["person"]) == (True, "RELEASE", "inspector.smith")
    assert [said["kind"] for said in told["said"]] == ["released"]


class TestNobodyRulesOnWhatTheyHaveNotSeen:
    def test_who_has_not_looked_is_sent_to_look_and_nothing_is_sent(self, scene: Scene) -> None:
        scene.publish()
        scene.comes(scene.a_line())
        with scene.router().at_work() as router:
            assert "you have not looked at this case" in scene.says(*RELEASE, exit_code=1)
        assert router.rulings == []

    def test_what_came_since_is_shown_and_asked_and_a_no_rules_nothing(self, asked: Scene) -> None:
        changed = an_event(sequence=2, hazards=(violent_person(),), grade="emergency")
        asked.comes(asked.a_line(), event=changed)
        with asked.router().at_work() as router:
            told = asked.says(*RELEASE, stdin="n\n", exit_code=1)
            assert "The incident has changed: you have seen event 1, the latest is 2" in told
            assert "CHANGED: emergency (was: priority)" in told
            assert "NEW: violent-person; certainty: confirmed" in told
            assert "nothing was ruled" in told
            assert router.rulings == []
            assert "released" in asked.says(*RELEASE, stdin="y\n")
            assert router.rulings[0][0].seen_sequence == 2
            assert "has changed" not in asked.says(*RELEASE)

    def test_nobody_there_to_be_asked_is_a_no(self, asked: Scene) -> None:
        asked.comes(asked.a_line(), event=an_event(sequence=2, grade="emergency"))
        with asked.router().at_work() as router:
            asked.says(*RELEASE, stdin="", exit_code=1)
        assert router.rulings == []

    def test_yes_needs_the_event_that_was_seen_and_never_rules_on_a_later_one(self, asked: Scene) -> None:
        asked.comes(asked.a_line(), event=an_event(sequence=2, grade="emergency"))
        with asked.router().at_work() as router:
            assert "--seen must say which event" in asked.says(*RELEASE, "--yes", exit_code=1)
            assert "nothing was ruled" in asked.says(*RELEASE, "--yes", "--seen", "1", exit_code=1)
            assert router.rulings == []
            assert "released" in asked.says(*RELEASE, "--yes", "--seen", "2")

    def test_extending_and_asking_again_need_no_look(self, scene: Scene) -> None:
        scene.publish()
        scene.comes(scene.a_line())
        with scene.router().at_work():
            words = ("i-1", "--to", "greater-manchester", "--because", "x", "--until", "20m")
            assert scene.says("cases", "extend", *words).startswith("extended")


class TestRefusedBeforeAnythingIsSent:
    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("--to", "greater-manchestre"), "expected a member, got greater-manchestre; did you mean greater-man"),
            (("--to", "west-yorkshire"), "expected a member, got west-yorkshire"),
            (("--to", "greater-manchester", "--sections", "victim"), "did you mean victims"),
            (("--to", "greater-manchester", "--until", "soon"), "expected a time as in 2h30m"),
            (("--to", "greater-manchester", "--until", "2026-01-01T08:00"), "expected a time that is still to come"),
            (("--to", "greater-manchester", "--because", " "), "expected why, in 1 to 2000 characters"),
            (("--to", "greater-manchester", "--role", "pope"), "you do not hold the role pope"),
        ],
    )
    def test_words_that_could_not_count(self, asked: Scene, words: tuple[str, ...], told: str) -> None:
        because = () if "--because" in words else ("--because", "x")
        with asked.router().at_work() as router:
            assert told in asked.says("cases", "release", "i-1", *words, *because, exit_code=1)
        assert router.rulings == []

    def test_a_stranger(self, scene: Scene) -> None:
        scene.user = f"not-{system_user()}"
        scene.publish()
        scene.comes(scene.a_line())
        scene.says("cases", "show", "i-1", look=True)
        assert f"user {system_user()} of the operating system is nobody" in scene.says(*RELEASE, exit_code=1)

    def test_somebody_of_several_roles_of_whom_it_is_not_said_in_which(self, scene: Scene) -> None:
        both = ("duty-inspector", "public-protection-superintendent")
        scene.roles = {role: ["inspector.smith"] for role in both}
        scene.publish()
        scene.comes(scene.a_line())
        scene.says("cases", "show", "i-1", look=True)
        assert "in which role do you rule?" in scene.says(*RELEASE, exit_code=1)
        with scene.router().at_work():
            assert "released" in scene.says(*RELEASE, "--role", "public-protection-superintendent")

    def test_no_policy(self, scene: Scene) -> None:
        scene.comes(scene.a_line())
        scene.says("cases", "show", "i-1", look=True)
        assert "no policy has been published" in scene.says(*RELEASE, exit_code=1)

    def test_no_such_case(self, asked: Scene) -> None:
        other = ("cases", "release", "i-9", "--to", "greater-manchester", "--because", "x")
        assert "this ledger has no case of i-9" in asked.says(*other, exit_code=1)


class TestLooking:
    def test_list_and_show_need_the_ledger_alone_and_note_who_looked(self, asked: Scene) -> None:
        assert "WY-0310" in asked.says("cases", "list", look=True)
        (case,) = asked.tells("cases", "list", look=True)
        assert (case["incident_id"], case["overdue"], case["lines"][0]["role"]) == ("i-1", False, "duty-inspector")
        with closing(sqlite3.connect(asked.ledger)) as database:
            looked = database.execute("SELECT who, what FROM access_log").fetchall()
        assert (system_user(), "whole_case") in looked
        assert (system_user(), "open_cases") in looked

    def test_show_as_json_has_all_and_what_is_new(self, asked: Scene) -> None:
        asked.comes(asked.a_line(), event=an_event(sequence=2, grade="emergency"))
        told = asked.tells("cases", "show", "i-1", look=True)
        assert told["changes"] == [{"part": "grade", "mark": "changed", "now": "emergency", "was": "priority"}]
        assert told["compared_with"] == 1
        assert SECRET in json.dumps(told["event"])
        assert [notice["new"] for notice in told["notices"]] == [False, True]

    def test_what_a_token_looked_at_is_remembered_apart_from_its_user(self, asked: Scene, monkeypatch) -> None:
        monkeypatch.setenv("HUECRY_TOKEN", "x" * 40)
        assert "you have not looked before" in asked.says("cases", "show", "i-1", look=True)
        assert "since you last looked" in asked.says("cases", "show", "i-1", look=True)

    def test_cases_that_were_closed_are_listed_when_asked_for(self, asked: Scene) -> None:
        assert asked.says("cases", "list", "--closed", look=True) == "No case was closed in the last seven days.\n"
