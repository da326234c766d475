"""Transfers, requests for assistance and corrections: who owes an answer, until when, and what the origin hears."""

from __future__ import annotations

from routing.agreements.model import Condition, Refer, Step
from schemas.exchange import ControlRoom, Member
from tests.routing.play import INSPECTOR, WITHIN, Play
from tests.routing.scene import ALL, a_forbid, a_share, an_exchange

SOUTH = a_share("south", ["south"], ["classification", "vehicles", "locations"])
SOURCE = a_forbid("source", ["south", "west"], ALL, Condition("caveats", ("source-sensitive",)))


def a_play(*rules) -> Play:
    exchange = an_exchange(answers=WITHIN)
    west = Member(name="West Ambulance", receives=True, contact=ControlRoom(desk="duty manager", phone="01632 960999"))
    exchange = exchange.model_copy(update={"members": {**exchange.members, "west": west}})
    return Play(SOUTH, SOURCE, *rules, exchange=exchange)


def owed(play: Play) -> list[tuple[str, str]]:
    return [(each.member, each.kind) for each in play.state().expected.value]


def test_whoever_a_transfer_is_addressed_to_owes_an_answer_and_its_reference_reaches_the_origin():
    play = a_play()
    play.event(kind="TRANSFER", to=["south"])
    (delivery,) = play.sent("south")
    assert delivery["disclosure"]["addressed_to_you"]
    assert owed(play) == [("south", "transfer")]
    play.answer("south", "accepted", delivery, reference="SP-77")
    assert owed(play) == []
    told = play.on("feedback", "north")[-1]
    assert (told["kind"], told["member"], told["entries"][0]["reference"]) == ("ACCEPTED", "south", "SP-77")


def test_a_rejection_ends_it_too_with_its_cause():
    play = a_play()
    play.event(kind="ASSISTANCE", to=["south"])
    play.answer("south", "rejected", play.sent("south")[0], cause="no-resource")
    assert owed(play) == []
    assert play.told()[-1] == ("rejected", "south", "no-resource")


def test_unanswered_at_each_limit_the_origin_is_told():
    play = a_play()
    play.event(kind="TRANSFER", to=["south"])
    play.pass_time(seconds=120)
    assert play.told() == [("unanswered", "south", "transfer")]
    play.pass_time(seconds=179)
    assert len(play.told()) == 1
    play.pass_time(seconds=1)
    assert play.told() == [("unanswered", "south", "transfer")] * 2
    play.pass_time(days=1)
    assert len(play.told()) == 2
    play.answer("south", "accepted", play.sent("south")[0], reference="SP-77")
    assert owed(play) == []


def test_what_policy_stops_the_sender_hears_at_once_with_whom_to_call():
    play = a_play()
    play.event(kind="TRANSFER", to=["west"])
    assert play.told() == [("withheld", "west", "transfer")]
    assert play.on("feedback", "north")[0]["remedy"] == "call duty manager of West Ambulance 01632 960999"
    play.event("i-2", kind="TRANSFER", to=["south"], caveats=["source-sensitive"])
    assert play.told()[-1] == ("forbidden", "south", "transfer")
    assert owed(play) == []


def test_a_holder_that_is_only_told_that_there_is_news_owes_no_answer_to_what_policy_stops():
    play = a_play()
    play.event()
    play.event(kind="TRANSFER", to=["south"], caveats=["source-sensitive"])
    assert [each["disclosure"]["action"] for each in play.sent("south")] == ["SHARE", "RESTRICTED"]
    assert ("forbidden", "south", "transfer") in play.told()
    assert owed(play) == []


def test_a_member_that_does_not_receive_is_told_of():
    play = a_play()
    play.event(kind="ASSISTANCE", to=["nobody"])
    assert play.told() == [("undeliverable", "nobody", "assistance")]


def test_a_member_that_cannot_be_reached_owes_nothing_and_is_told_of():
    play = a_play()
    play.suspend("south")
    play.event(kind="TRANSFER", to=["south"])
    assert [kind for kind, *_ in play.told()] == ["undeliverable"]
    assert owed(play) == []


def test_stand_down_cancels():
    play = a_play()
    play.event(kind="ASSISTANCE", to=["south"])
    play.event(kind="STAND_DOWN")
    assert owed(play) == []
    assert play.sent("south")[-1]["disclosure"]["addressed_to_you"], "it was asked, so it is told, by name or not"
    play.pass_time(days=1)
    assert play.told() == []


def test_stand_down_of_one_leaves_the_others():
    play = a_play(a_share("west", ["west"], ["classification"]))
    play.event(kind="ASSISTANCE", to=["south", "west"])
    play.event(kind="STAND_DOWN", to=["west"])
    assert owed(play) == [("south", "assistance")]


def test_asking_again_is_owed_anew():
    play = a_play()
    play.event(kind="TRANSFER", to=["south"])
    play.pass_time(seconds=100)
    play.event(kind="TRANSFER", to=["south"])
    play.pass_time(seconds=100)
    assert play.told() == []
    assert owed(play) == [("south", "transfer")]


def corrected(path: str, play: Play | None = None) -> Play:
    play = play or a_play()
    play.event()
    play.event(kind="CORRECTED", changes=[{"path": path, "reason": "wrong-grade", "wrong_from_start": True}])
    return play


def test_a_correction_of_grade_weapon_flag_or_place_asks_a_person_to_accept_it():
    for path in ("grade", "locations", "locations[0].point", "classification.flags", "classification"):
        play = corrected(path)
        assert owed(play) == [("south", "correct")], path
        play.pass_time(minutes=5)
        assert play.told() == [("unanswered", "south", "correct")]
        play.answer("south", "accepted", play.sent("south")[-1])
        assert owed(play) == [("south", "correct")], "a system took it in, and no person has seen it"
        play.answer("south", "accepted", play.sent("south")[-1], by_role="dispatcher")
        assert owed(play) == []


def test_other_corrections_ask_nobody():
    for path in ("vehicles[0].vrm", "classification.local_text", "local_ref"):
        assert owed(corrected(path)) == [], path


def test_a_correction_of_what_the_holder_cannot_see_asks_it_nothing():
    assert owed(corrected("hazards[0].kind")) == []


def test_whoever_hears_of_it_for_the_first_time_has_nothing_to_correct():
    play = a_play(a_share("west", ["west"], ["classification"], Condition("grade", ("priority",))))
    play.event()
    play.event(kind="CORRECTED", grade="PRIORITY", changes=[{"path": "grade", "reason": "wrong-grade"}])
    assert [each["disclosure"]["action"] for each in play.sent("west")] == ["SHARE"]
    assert owed(play) == [("south", "correct")]


def test_a_holder_that_is_only_told_that_there_is_news_was_not_sent_the_transfer():
    play = a_play()
    play.event()
    play.event(kind="TRANSFER", to=["south"], caveats=["source-sensitive"])
    assert [each["disclosure"]["action"] for each in play.sent("south")] == ["SHARE", "RESTRICTED"]
    assert ("forbidden", "south", "transfer") in play.told()
    assert owed(play) == []


def test_a_transfer_that_a_person_had_to_release_is_owed_an_answer_from_then_on():
    step = Step(INSPECTOR, 900)
    refers = Refer(id="ask", recipients=("south",), sections=ALL, path=(step,), when=(Condition("flags", ("child",)),))
    play = a_play(refers)
    play.event(kind="TRANSFER", to=["south"], flags=["child"])
    assert (owed(play), play.told()[-1]) == ([], ("referred", "south", "transfer"))
    play.pass_time(minutes=10)
    play.rule("release")
    assert owed(play) == [("south", "transfer")]
    play.pass_time(seconds=119)
    assert "unanswered" not in [kind for kind, *_ in play.told()]
    play.answer("south", "accepted", play.sent("south")[-1], reference="SP-77")
    assert owed(play) == []


def test_a_member_from_which_a_correction_takes_something_is_to_confirm_its_removal():
    weapon = a_forbid("weapon", ["south"], ["vehicles"], Condition("flags", ("firearm",)))
    play = a_play(weapon)
    play.event()
    play.event(kind="CORRECTED", flags=["firearm"], changes=[{"path": "local_ref", "reason": "wrong-hazard"}])
    assert owed(play) == [("south", "withdraw")]
    notice = next(each for each in play.sent("south") if each["disclosure"]["action"] == "WITHDRAW")
    play.answer("south", "erased", notice)
    assert owed(play) == []
