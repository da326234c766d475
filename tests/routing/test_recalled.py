"""What was disclosed is taken back: who hears, who does not, who must confirm, and what never comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from routing.agreements.model import Condition, Suspension
from tests.routing.play import MANAGER, Play
from tests.routing.scene import ALL, NOW, a_forbid, a_share

SOUTH = a_share("south", ["south"], ["classification", "vehicles"])
WEST = a_share("west", ["west"], ["classification"], Condition("flags", ("child",)))


@pytest.fixture
def held() -> Play:
    """South holds the incident, west does not."""
    play = Play(SOUTH, WEST)
    play.event()
    return play


def take_back(play: Play, *members: str, **said):
    changes = {"reason": "wrong-recipient", "ask": "erase", "role": MANAGER, "recipients": members} | said
    return play.rule("retract", **changes)


def actions(play: Play, member: str) -> list[str]:
    return [delivery["disclosure"]["action"] for delivery in play.sent(member)]


def owed(play: Play) -> list[tuple[str, str, bool]]:
    return [(each.member, each.kind, each.is_overdue) for each in play.state().expected.value]


def test_holders_are_asked_and_nobody_else_hears_of_it(held):
    take_back(held)
    assert actions(held, "south") == ["SHARE", "RETRACT"]
    assert held.sent("west") == []
    notice = held.sent("south")[-1]
    assert (notice["disclosure"]["reason"], notice["disclosure"]["ask"]) == ("wrong-recipient", "erase")
    assert (notice["disclosure"]["number"], notice["disclosure"]["stream_sequence"]) == (2, 2)
    event = notice["event"]
    assert (event["origin"], event["incident_id"], event["event_id"]) == ("north", "i-1", "")
    assert all(not event[name] for name in ("classification", "vehicles", "locations", "control"))
    told = held.on("feedback", "north")[-1]
    assert (told["kind"], told["member"], told["reason"]) == ("RETRACTED", "south", "wrong-recipient")
    assert told["entries"][0]["delivery_id"] == notice["disclosure"]["delivery_id"]


def test_it_is_barred_until_a_named_person_lifts_the_bar(held):
    take_back(held)
    held.event(kind="UPDATED")
    held.event(kind="CORRECTED", changes=[{"path": "grade", "reason": "wrong-grade"}])
    assert actions(held, "south") == ["SHARE", "RETRACT"], "not even that there is news"
    assert [kind for kind, *_ in held.told()] == ["retracted"], "and the origin is not told that south is without news"
    held.rule("lift-bar", role=MANAGER)
    assert held.told()[-1][:2] == ("bar-lifted", "south")
    held.event(kind="UPDATED")
    assert actions(held, "south")[-1] == "SHARE"


def test_a_member_that_holds_nothing_is_barred_and_hears_nothing(held):
    take_back(held, "west")
    assert held.sent("west") == []
    assert held.told() == [("retracted", "west", "wrong-recipient")]
    held.event(kind="UPDATED", flags=["child"])
    assert held.sent("west") == []
    assert actions(held, "south") == ["SHARE", "SHARE"]


def test_a_person_s_confirmation_ends_it_and_the_adapter_s_does_not(held):
    take_back(held)
    notice = held.sent("south")[-1]
    held.answer("south", "restricted", notice)
    assert owed(held) == [("south", "retract", False)]
    held.answer("south", "passed-on", notice, passed_to="a hospital", by_role="duty inspector")
    assert owed(held) == [("south", "retract", False)]
    held.answer("south", "erased", notice, by_role="duty inspector")
    assert owed(held) == []
    assert [kind for kind, *_ in held.told()] == ["retracted", "restricted", "passed-on", "erased"]
    entry = held.on("feedback", "north")[-2]["entries"][0]
    assert (entry["passed_to"], entry["by_role"]) == ("a hospital", "duty inspector")


def test_whoever_does_not_confirm_is_told_of_at_each_limit_and_stays_overdue(held):
    take_back(held)
    held.pass_time(seconds=899)
    assert [kind for kind, *_ in held.told()] == ["retracted"]
    held.pass_time(seconds=1)
    assert held.told()[-1] == ("unanswered", "south", "retract")
    assert held.on("feedback", "north")[-1]["remedy"].startswith("call ")
    assert owed(held) == [("south", "retract", True)]
    held.pass_time(hours=9)
    assert [kind for kind, *_ in held.told()] == ["retracted", "unanswered", "unanswered"]
    assert owed(held) == [("south", "retract", True)]
    assert held.state().keep_until_ms is None, "it is not forgotten while somebody owes an answer"


def test_a_ruling_that_takes_nothing_back_and_lifts_nothing_is_answered_all_the_same():
    play = Play(SOUTH)
    play.event()
    play.rule("lift-bar", role=MANAGER, recipients=("south",))
    assert play.told()[-1] == ("ruling-not-taken", None, "not-barred")
    play.event("i-2", to=[], caveats=[], kind="CREATED", mode="TEST")
    for kind in ("retract", "withdraw"):
        play.rule(kind, "i-2", role=MANAGER, recipients=(), reason="unlawful")
        assert play.told()[-1] == ("ruling-not-taken", None, "nobody-holds")


def test_the_same_retraction_again_bars_once_and_asks_nobody_twice(held):
    take_back(held, "south")
    take_back(held, "south")
    assert actions(held, "south") == ["SHARE", "RETRACT"]


def test_a_holder_that_cannot_be_reached_is_asked_once_it_can(held):
    held.suspend("south")
    take_back(held)
    assert actions(held, "south") == ["SHARE"]
    assert [kind for kind, *_ in held.told()] == ["undeliverable", "retracted"]
    held.suspend()
    held.pass_time(minutes=15)
    assert actions(held, "south") == ["SHARE", "RETRACT"]
    assert held.sent("south")[-1]["disclosure"]["ask"] == "erase"
    held.answer("south", "erased", held.sent("south")[-1], by_role="duty inspector")
    assert owed(held) == []


def test_the_control_room_s_own_system_may_take_it_back(held):
    held.event(kind="RETRACT", changes=[{"path": "", "reason": "malicious-call"}])
    assert actions(held, "south") == ["SHARE", "RETRACT"]
    assert held.sent("south")[-1]["disclosure"]["reason"] == "malicious-call"
    assert held.on("disclosures", "north")[-1]["decisions"] == []
    assert held.state().sequence == 2
    held.event(kind="UPDATED")
    assert actions(held, "south") == ["SHARE", "RETRACT"]


def test_from_the_members_addressed_alone():
    play = Play(SOUTH, a_share("everyone", ["west"], ["classification"]))
    play.event()
    play.event(kind="RETRACT", to=["west"], changes=[{"path": "", "reason": "wrong-recipient"}])
    play.event(kind="UPDATED")
    assert actions(play, "west") == ["SHARE", "RETRACT"]
    assert actions(play, "south") == ["SHARE", "SHARE"]


def test_a_withdrawal_removes_sections_and_they_stay_away(held):
    held.rule("withdraw", role=MANAGER, recipients=(), sections=("vehicles",), reason="excessive")
    notice = held.sent("south")[-1]["disclosure"]
    assert (notice["action"], notice["withdraws"], notice["covers"]) == ("WITHDRAW", ["vehicles"], [])
    assert held.told()[-1] == ("withdrawn", "south", "excessive")
    assert owed(held) == [("south", "withdraw", False)]
    held.event(kind="UPDATED")
    assert held.sent("south")[-1]["disclosure"]["covers"] == ["classification"], "though a rule would grant them still"
    held.answer("south", "erased", held.sent("south")[1])
    assert owed(held) == []


def test_what_policy_no_longer_permits_is_withdrawn_at_once_on_request(held):
    from dataclasses import replace

    bundle = replace(held.policy.bundle, version=8, suspended=(Suspension("T-1", "the owner", "an error"),))
    held.change_policy(bundle)
    held.rule("withdraw", role=MANAGER, recipients=("south",), reason="unlawful")
    assert held.sent("south")[-1]["disclosure"]["withdraws"] == ["head", "classification", "vehicles"]
    assert held.state().holdings.value == ()
    assert held.state().rulings.value.refusals == (), "no rule would send it again, so nobody need refuse it"


def test_nothing_to_withdraw_is_told_as_that(held):
    held.rule("withdraw", role=MANAGER, recipients=("west",), reason="unlawful")
    assert held.sent("west") == []
    assert held.told() == [("withdrawn", "west", "unlawful")]
    assert "holds nothing" in held.on("feedback", "north")[-1]["detail"]


def test_answers_on_another_partition_are_passed_on(held):
    take_back(held)
    notice = held.sent("south")[-1]
    place = int(notice["disclosure"]["stream"].rpartition("/")[2])
    notice["disclosure"]["stream"] = f"south/{(place + 1) % 6}"
    assert held.answer("south", "erased", notice, by_role="duty inspector").fate == "forwarded"
    assert owed(held) == []
    assert [kind for kind, *_ in held.told()] == ["retracted", "erased"]


def test_what_others_say_settles_nothing(held):
    take_back(held)
    notice = held.sent("south")[-1]
    held.answer("west", "erased", notice, by_role="duty inspector")
    assert owed(held) == [("south", "retract", False)]
    assert timedelta(0) == NOW - held.now


def test_what_could_not_be_sent_is_tried_until_it_can_be_however_long_that_takes(held):
    held.suspend("south")
    take_back(held)
    held.pass_time(hours=9)
    assert [kind for kind, *_ in held.told()].count("unanswered") == 2, "the origin is told at each limit, once"
    assert held.on("feedback", "north")[-1]["detail"].startswith("the member could not be asked yet")
    held.suspend()
    held.pass_time(hours=1)
    assert held.on("feedback", "north")[-1]["detail"].startswith("the member could be asked only now")
    assert actions(held, "south") == ["SHARE", "RETRACT"]
    held.pass_time(days=2)
    assert actions(held, "south") == ["SHARE", "RETRACT"]
    assert owed(held) == [("south", "retract", True)]


def test_a_second_withdrawal_leaves_the_first_to_be_confirmed(held):
    held.rule("withdraw", role=MANAGER, sections=("vehicles",), reason="excessive")
    held.rule("withdraw", role=MANAGER, sections=("classification",), reason="excessive")
    assert owed(held) == [("south", "withdraw", False)] * 2
    held.answer("south", "erased", held.sent("south")[1])
    assert owed(held) == [("south", "withdraw", False)]


def test_after_a_withdrawal_a_holder_hears_again_that_there_is_news():
    """*Restricted* is not repeated until its next other delivery, and a withdrawal is one."""
    play = Play(SOUTH, a_forbid("source", ["south"], ALL, Condition("caveats", ("source-sensitive",))))
    play.event()
    play.event(kind="UPDATED", caveats=["source-sensitive"])
    play.rule("withdraw", role=MANAGER, sections=("vehicles",), reason="excessive")
    play.event(kind="UPDATED", caveats=["source-sensitive"])
    assert actions(play, "south") == ["SHARE", "RESTRICTED", "WITHDRAW", "RESTRICTED"]


def test_a_retraction_from_one_is_no_event_that_is_released_to_another():
    """Nobody who never held anything hears of a retraction: what is shared is the last event before it."""
    play = Play(SOUTH, a_share("everyone", ["west"], ["classification"]))
    play.event()
    play.event(kind="RETRACT", to=["west"], changes=[{"path": "", "reason": "wrong-recipient"}])
    play.rule("discretion", role=MANAGER, recipients=("south",), sections=("facts",), agreement="T-1")
    assert [each["event"]["kind"] for each in play.sent("south")] == ["CREATED", "CREATED"]


def test_of_an_incident_that_was_only_ever_taken_back_there_is_nothing_to_share():
    play = Play(SOUTH)
    play.event(kind="RETRACT", to=["west"], changes=[{"path": "", "reason": "wrong-recipient"}])
    play.rule("discretion", role=MANAGER, recipients=("south",), sections=("facts",), agreement="T-1")
    assert play.told()[-1] == ("ruling-not-taken", None, "event-gone")


def test_who_has_had_everything_taken_away_by_a_correction_holds_nothing():
    play = Play(SOUTH, a_forbid("source", ["south"], ALL, Condition("caveats", ("source-sensitive",))))
    play.event()
    play.event(kind="CORRECTED", caveats=["source-sensitive"], changes=[{"path": "control.caveats", "reason": ""}])
    play.event(kind="UPDATED", caveats=["source-sensitive"])
    assert actions(play, "south") == ["SHARE", "WITHDRAW"], "not even that there is news of what it no longer has"
    assert play.state().holdings.value == ()
