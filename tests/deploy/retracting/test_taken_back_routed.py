"""What the real router says of retractions and withdrawals, as the desk reads it in the ledger."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from consumers.ledger_cases import CaseBook
from consumers.ledger_queries import Ledger
from consumers.ledger_taken_back import Beyond
from consumers.sinks.postgres_url import PostgresUrl
from deploy.desk.looking import look
from deploy.retracting.held import Held, held_of
from deploy.retracting.retractions import Retraction, bars_of, retractions_of
from routing.agreements.model import Condition, Refer, Step
from tests.deploy.played import Played
from tests.postgres_server import PostgresServer
from tests.routing.play import INSPECTOR, MANAGER, SUPERINTENDENT
from tests.routing.scene import a_share

SOUTH = a_share("south", ["south"], ["classification", "vehicles"])
ASK = Refer(
    id="ask",
    recipients=("south",),
    sections=("classification",),
    path=(Step(INSPECTOR, 900), Step(SUPERINTENDENT, 1800)),
    when=(Condition("flags", ("child",)),),
    why="A child",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def held(path: Path, play: Played) -> tuple[Held, ...]:
    play.keep(path)
    with Ledger(path) as ledger:
        return held_of(ledger.whole_incident("i-1"), play.now)


def retractions(path: Path, play: Played) -> tuple[Retraction, ...]:
    play.keep(path)
    with Beyond(path) as ledger:
        found = ledger.taken_back(play.now - timedelta(days=30))
    return retractions_of(found.feedback, found.rulings)


def retract(play: Played, *members: str) -> None:
    said = {"reason": "wrong-recipient", "ask": "erase", "role": MANAGER, "because": "It was not theirs"}
    play.rule("retract", recipients=members, **said)


def test_who_was_sent_something_holds_it_until_it_is_taken_back(path: Path, tmp_path: Path) -> None:
    play = Played(SOUTH)
    play.event()
    assert [(each.member, each.names) for each in held(path, play)] == [
        ("south", ("head", "classification", "vehicles"))
    ]
    play.pass_time(seconds=1)
    play.rule("withdraw", recipients=("south",), sections=("vehicles",), reason="excessive", role=MANAGER)
    assert [each.names for each in held(tmp_path / "later.db", play)] == [("head", "classification")]
    play.pass_time(seconds=1)
    retract(play)
    assert held(tmp_path / "last.db", play) == ()


def test_a_withdrawal_that_finds_nothing_takes_nothing(path: Path) -> None:
    play = Played(SOUTH)
    play.event()
    play.pass_time(seconds=1)
    play.rule("withdraw", recipients=("south",), sections=("facts",), reason="excessive", role=MANAGER)
    assert [each.names for each in held(path, play)] == [("head", "classification", "vehicles")]


def test_a_retraction_is_followed_from_the_ruling_to_the_persons_confirmation(path: Path, tmp_path: Path) -> None:
    play = Played(SOUTH)
    play.event()
    retract(play)
    (found,) = retractions(path, play)
    assert (found.member, found.status, found.reason, found.ask) == ("south", "asked", "wrong-recipient", "erase")
    assert (found.person, found.role, found.because) == ("fim.lee", MANAGER, "It was not theirs")
    play.pass_time(minutes=16)
    (late,) = retractions(tmp_path / "late.db", play)
    assert late.is_overdue(play.now)
    assert len(late.unanswered) == 1
    notice = play.sent("south")[-1]
    for kind, words in (
        ("restricted", {}),
        ("passed-on", {"passed_to": "a contractor", "by_role": "supervisor"}),
        ("erased", {"by_role": "supervisor"}),
    ):
        play.pass_time(seconds=1)
        play.answer("south", kind, notice, **words)
    (done,) = retractions(tmp_path / "done.db", play)
    assert (done.status, done.is_open) == ("confirmed", False)
    assert [(each.kind, each.by_role, each.passed_to) for each in done.said] == [
        ("restricted", None, None),
        ("passed-on", "supervisor", "a contractor"),
        ("erased", "supervisor", None),
    ]


def test_a_member_that_held_nothing_is_barred_and_owes_nothing(path: Path) -> None:
    play = Played(SOUTH)
    play.event()
    retract(play, "west")
    (found,) = retractions(path, play)
    assert (found.member, found.status) == ("west", "holds-nothing")
    with Beyond(path) as ledger:
        taken_back = ledger.taken_back(play.now - timedelta(days=1))
    assert [bar.member for bar in bars_of(taken_back.feedback, taken_back.rulings)] == ["west"]


def test_a_bar_is_gone_once_it_is_lifted(path: Path) -> None:
    play = Played(SOUTH)
    play.event()
    retract(play, "south")
    play.pass_time(seconds=1)
    play.rule("lift-bar", recipients=("south",), role=MANAGER)
    play.keep(path)
    with Beyond(path) as ledger:
        taken_back = ledger.taken_back(play.now - timedelta(days=1))
    assert bars_of(taken_back.feedback, taken_back.rulings) == ()


def test_a_case_that_the_router_writes_is_one_that_the_desk_shows(path: Path) -> None:
    play = Played(SOUTH, ASK)
    play.event(flags=["child"])
    play.event(flags=["child"], grade="PRIORITY")
    play.keep(path)
    with CaseBook(path, "north") as book:
        (case,) = book.open_cases()
        whole = book.whole_case(case.now["incident_id"])
        seen = look(whole, None)
    (line,) = whole.lines
    assert (line["recipient"], line["role"], line["why"]) == ("south", INSPECTOR, "A child")
    assert [record["sequence"] for record in whole.records] == [1, 2]
    assert seen.event is not None
    assert seen.event.head["grade"] == "priority"
    assert [(each.part, each.mark) for each in seen.parts if each.mark] == [("grade", "changed")]


def test_what_the_desk_shows_follows_escalation_release_and_lapse(path: Path) -> None:
    play = Played(SOUTH, ASK)
    play.event(flags=["child"])
    play.pass_time(minutes=16)
    play.rule("release", role=SUPERINTENDENT, because="They are at the door")
    play.event("i-2", flags=["child"])
    play.pass_time(hours=2)
    play.keep(path)
    with CaseBook(path, "north") as book:
        assert book.open_cases() == []
        released, lapsed = (book.whole_case(incident) for incident in ("i-1", "i-2"))
    assert [notice["kind"] for notice in released.notices] == ["opened", "escalated", "released"]
    assert (released.notices[-1]["person"], released.notices[-1]["because"]) == ("supt.jones", "They are at the door")
    assert [ruling["kind"] for ruling in released.rulings] == ["release"]
    assert [notice["kind"] for notice in lapsed.notices] == ["opened", "escalated", "lapsed"]


def test_a_ledger_in_postgresql_says_the_same(postgres: PostgresServer, path: Path) -> None:
    play = Played(SOUTH)
    play.event()
    play.event("i-2")
    play.pass_time(seconds=1)
    play.rule("discretion", role=MANAGER, sections=("facts",), agreement="T-1", recipients=("west",))
    retract(play)
    other = PostgresUrl(postgres.make_database())
    for place in (path, other):
        play.keep(place)
    since = play.now - timedelta(days=1)
    with Beyond(path) as one, Beyond(other) as two:
        assert one.taken_back(since) == two.taken_back(since)
        assert one.shared_beyond(since, play.now + timedelta(days=1)) == two.shared_beyond(
            since, play.now + timedelta(days=1)
        )
        assert len(one.shared_beyond(since, play.now + timedelta(days=1)).rulings) == 1
    with Ledger(path) as one_ledger, Ledger(other) as two_ledger:
        assert list(one_ledger.every_incident("test", 1)) == list(two_ledger.every_incident("test", 1))
        assert len(list(one_ledger.every_incident("test", 1))) == 2
