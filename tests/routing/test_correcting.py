"""A correction reaches every holder: those that cannot be reached are tried until they can be."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.agreements import considered_from_dict, decide
from routing.agreements.decision import HEAD
from routing.agreements.model import Condition
from routing.agreements.state import state_from_dict
from schemas.exchange import AnswersWithin
from tests.routing.play import MANAGER, Play, a_policy_with_people
from tests.routing.scene import ALL, a_forbid, a_share, an_exchange, control, event_bytes, item, small

SOUTH = a_share("south", ["south"], ["classification"])
VEHICLES = a_share("vehicles", ["south"], ["vehicles"], Condition("grade", ("emergency",)))
WEAPON = a_forbid("weapon", ["south"], ["vehicles"], Condition("flags", ("firearm",)))
SOURCE = a_forbid("source", ["south"], ALL, Condition("caveats", ("source-sensitive",)))
GRADE = [{"path": "grade", "reason": "wrong-grade", "wrong_from_start": True}]
CAVEATS = [{"path": "control.caveats", "reason": "other", "wrong_from_start": True}]
LOCAL_REF = [{"path": "local_ref", "reason": "wrong-grade", "wrong_from_start": True}]


def missed(*rules, changes=GRADE, **stated) -> Play:
    """South holds the incident, and could not be sent its correction."""
    play = Play(SOUTH, VEHICLES, *rules)
    play.event(grade="EMERGENCY")
    play.suspend("south")
    play.event(kind="CORRECTED", changes=changes, **{"grade": "EMERGENCY"} | stated)
    assert actions(play) == ["SHARE"]
    assert play.told()[0] == ("undeliverable", "south", "missing-topic")
    return play


def actions(play: Play, member: str = "south") -> list[str]:
    return [delivery["disclosure"]["action"] for delivery in play.sent(member)]


def owed(play: Play) -> list[tuple[str, str]]:
    return [(each.member, each.kind) for each in play.state().expected.value]


def held(play: Play) -> list[str]:
    return [part.part for holding in play.state().holdings.value for part in holding.parts]


def test_it_is_sent_once_its_holder_can_be_reached_and_is_to_be_accepted():
    play = missed()
    play.pass_time(hours=9)
    assert [kind for kind, *_ in play.told()] == ["undeliverable"], "nobody is waited for who was not asked"
    play.suspend()
    play.pass_time(minutes=5)
    assert actions(play) == ["SHARE", "CORRECT"]
    terms, event = (play.sent("south")[-1][name] for name in ("disclosure", "event"))
    assert (event["event_id"], [change["path"] for change in terms["changes"]]) == ("i-1.2", ["grade"])
    assert (terms["number"], terms["stream_sequence"], terms["covers"]) == (2, 2, ["classification", "vehicles"])
    assert owed(play) == [("south", "correct")]
    play.answer("south", "accepted", play.sent("south")[-1], by_role="dispatcher")
    assert owed(play) == []
    play.pass_time(hours=1)
    assert actions(play) == ["SHARE", "CORRECT"]


def test_while_its_holder_cannot_be_reached_nothing_is_read_for_it(monkeypatch):
    """Reading is a round to Kafka, in which everybody else's events would wait."""
    play, read = missed(), []
    monkeypatch.setattr(play, "_event_at", lambda *place: read.append(place))
    play.pass_time(hours=9)
    assert read == []
    play.suspend()
    play.pass_time(minutes=5)
    assert len(read) == 1


def test_it_is_recorded_as_a_disclosure_of_its_own_which_can_be_decided_again():
    play = missed()
    play.suspend()
    play.pass_time(minutes=5)
    _, then, now = play.on("disclosures", "north")
    assert (then["event_id"], now["event_id"]) == ("i-1.2", "i-1.2")
    assert then["record_id"] != now["record_id"]
    (recipient,) = now["decisions"][0]["recipients"]
    assert recipient["delivery_id"] == play.sent("south")[-1]["disclosure"]["delivery_id"]
    stated = now["considered"] | {name: now[name] for name in ("origin", "sequence")}
    state = state_from_dict(json.loads(now["state"]))
    again = decide(play.policy.bundle, considered_from_dict(stated), "south", now["decided_at"], state)
    assert (again.action, again.covers) == ("correct", ("classification", "vehicles"))


def test_of_one_that_nobody_need_accept_nothing_is_owed_once_it_is_sent():
    play = missed(changes=LOCAL_REF)
    assert owed(play) == [("south", "correct")]
    play.suspend()
    play.pass_time(minutes=5)
    assert (actions(play), owed(play)) == (["SHARE", "CORRECT"], [])


def test_an_event_that_covers_all_that_is_held_brings_it():
    play = missed()
    play.suspend()
    play.event(kind="UPDATED", grade="EMERGENCY")
    assert owed(play) == []
    play.pass_time(hours=1)
    assert actions(play) == ["SHARE", "SHARE"]


def test_a_transfer_that_brings_it_is_owed_an_answer():
    play = missed()
    play.event(kind="TRANSFER", grade="EMERGENCY", to=["south"])
    assert owed(play) == [("south", "correct")]
    play.suspend()
    play.pass_time(minutes=5)
    assert play.sent("south")[-1]["disclosure"]["addressed_to_you"]
    assert (actions(play), owed(play)) == (["SHARE", "SHARE"], [("south", "transfer")])
    play.answer("south", "accepted", play.sent("south")[-1], reference="SP-77")
    assert owed(play) == []


def test_a_person_who_shares_more_of_it_meanwhile_brings_it():
    play = missed()
    play.suspend()
    play.rule("discretion", role=MANAGER, recipients=("south",), sections=("facts",), agreement="T-1")
    assert (actions(play), owed(play)) == (["SHARE", "CORRECT"], [])
    play.pass_time(hours=1)
    assert actions(play) == ["SHARE", "CORRECT"]


def test_of_one_that_another_event_does_not_bring_the_origin_is_told():
    """The vehicles stand there uncorrected, and no event says them anew that may be sent."""
    play = missed(WEAPON)
    play.suspend()
    play.event(kind="UPDATED", grade="EMERGENCY", flags=["firearm"])
    assert play.sent("south")[-1]["disclosure"]["covers"] == ["classification"]
    assert owed(play) == [("south", "correct")]
    play.pass_time(minutes=5)
    assert actions(play) == ["SHARE", "SHARE"]
    assert play.told()[-1] == ("undeliverable", "south", "correction-missed")
    assert owed(play) == []


def test_of_one_that_is_no_longer_on_its_topic_the_origin_is_told():
    play = missed()
    for log in play.logs.values():
        log.clear()
    play.suspend()
    play.pass_time(minutes=5)
    assert play.told()[-1] == ("undeliverable", "south", "correction-missed")
    assert owed(play) == []


def test_of_one_that_is_malformed_where_nobody_was_to_see_the_origin_is_told():
    """Nobody was granted the vehicles, so the router took the event; by now they are."""
    play = Play(SOUTH)
    play.event(grade="EMERGENCY")
    play.suspend("south")
    stated = {"control": control(sequence=2, changes=GRADE), "vehicles": [item("vehicles") | {"vrm": "AB12CDE"}]}
    value = event_bytes(event="i-1.2", kind="CORRECTED", grade="EMERGENCY", **small(**stated))
    assert play.send("incidents.north", "i-1", value.replace(b"AB12CDE", b"AB\xff2CDE")).fate == "routed"
    play.change_policy(replace(a_policy_with_people(SOUTH, VEHICLES).bundle, version=8))
    play.suspend()
    play.pass_time(minutes=5)
    assert (actions(play), owed(play)) == (["SHARE"], [])
    assert play.told()[-1] == ("undeliverable", "south", "correction-missed")
    assert len(play.on("disclosures", "north")) == 2


def test_what_it_takes_away_is_taken_once_its_holder_can_be_reached():
    play = missed(SOURCE, changes=CAVEATS, caveats=["source-sensitive"])
    assert (owed(play), held(play)) == ([("south", "withdraw")], [])
    assert [kind for kind, *_ in play.told()] == ["undeliverable", "withdrawn"]
    assert play.on("feedback", "north")[-1]["sections"] == ["head", "classification", "vehicles"]
    play.suspend()
    play.pass_time(minutes=10)
    notice = play.sent("south")[-1]
    assert (actions(play), notice["disclosure"]["withdraws"]) == (
        ["SHARE", "WITHDRAW"],
        ["head", "classification", "vehicles"],
    )
    play.answer("south", "erased", notice)
    assert owed(play) == []


def test_what_it_takes_away_and_what_is_left_corrected_both_come():
    play = missed(WEAPON, flags=["firearm"])
    assert sorted(owed(play)) == [("south", "correct"), ("south", "withdraw")]
    play.suspend()
    play.pass_time(minutes=10)
    assert actions(play) == ["SHARE", "CORRECT", "WITHDRAW"]
    correction, notice = (delivery["disclosure"] for delivery in play.sent("south")[1:])
    assert (correction["covers"], notice["withdraws"], held(play)) == (
        ["classification"],
        ["vehicles"],
        ["head", "classification"],
    )
    assert [delivery["disclosure"]["number"] for delivery in play.sent("south")] == [1, 2, 3]


def test_what_was_sent_anew_meanwhile_is_not_taken_away():
    play = missed(SOURCE, changes=CAVEATS, caveats=["source-sensitive"])
    play.suspend()
    play.event(kind="CORRECTED", grade="EMERGENCY", changes=CAVEATS, caveats=[])
    assert held(play) == ["head", "classification", "vehicles"]
    play.pass_time(hours=1)
    assert (actions(play), owed(play)) == (["SHARE", "SHARE"], [])


def test_a_later_correction_stands_for_an_earlier_one():
    play = missed()
    play.event(kind="CORRECTED", grade="EMERGENCY", changes=GRADE)
    assert owed(play) == [("south", "correct")]
    play.suspend()
    play.pass_time(minutes=5)
    assert [delivery["event"]["event_id"] for delivery in play.sent("south")] == ["i-1.1", "i-1.3"]


def test_who_has_to_give_it_all_back_needs_no_correction():
    play = missed()
    play.rule("retract", role=MANAGER, reason="wrong-recipient", ask="erase")
    play.suspend()
    play.pass_time(hours=1)
    assert actions(play) == ["SHARE", "RETRACT"]


def test_who_has_to_remove_all_it_holds_needs_no_correction_either():
    play = missed()
    play.rule("withdraw", role=MANAGER, reason="excessive")
    play.suspend()
    play.pass_time(hours=1)
    assert actions(play) == ["SHARE", "WITHDRAW"]
    assert len(play.on("disclosures", "north")) == 2
    assert "correction-missed" not in [reason for *_, reason in play.told()]


def test_where_corrections_have_no_limit_it_is_tried_as_often_as_a_withdrawal():
    play = Play(SOUTH, exchange=an_exchange(answers=AnswersWithin(correction_s=(), withdrawal_s=(60,))))
    play.event()
    play.suspend("south")
    play.event(kind="CORRECTED", changes=GRADE)
    play.suspend()
    play.pass_time(minutes=1)
    assert actions(play) == ["SHARE", "CORRECT"]
    assert owed(play) == [("south", "correct")]
    play.pass_time(hours=1)
    assert play.told() == [("undeliverable", "south", "missing-topic")], "and nobody is reminded"


def test_holders_that_are_reached_one_after_the_other_each_have_a_record():
    play = Play(a_share("both", ["south", "west"], ["classification"]))
    play.event()
    play.suspend("south", "west")
    play.event(kind="CORRECTED", changes=GRADE)
    play.suspend("west")
    play.pass_time(minutes=5)
    play.suspend()
    play.pass_time(minutes=5)
    assert actions(play, "south") == actions(play, "west") == ["SHARE", "CORRECT"]
    records = play.on("disclosures", "north")
    assert len({record["record_id"] for record in records}) == len(records) == 4


def test_an_answer_that_names_no_delivery_settles_nothing_that_was_never_sent():
    play = missed(SOURCE, changes=CAVEATS, caveats=["source-sensitive"])
    nothing = play.sent("south")[0]
    nothing["disclosure"]["delivery_id"] = ""
    play.answer("south", "erased", nothing, by_role="dispatcher")
    assert owed(play) == [("south", "withdraw")]


STEPS = st.one_of(
    st.tuples(
        st.sampled_from(["UPDATED", "CORRECTED"]),
        st.sampled_from(["EMERGENCY", "PRIORITY"]),
        st.sampled_from([(), ("firearm",)]),
        st.sampled_from([(), ("source-sensitive",)]),
    ),
    st.sampled_from(["reached", "unreachable", "later"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=12))
@example(["unreachable", ("CORRECTED", "EMERGENCY", (), ())])
def test_no_holder_is_left_with_what_was_corrected_unless_the_origin_is_told(steps):
    """What south holds in the end was said after every correction of it, or is to be removed, or the origin knows."""
    play = Play(SOUTH, VEHICLES, WEAPON, SOURCE)
    play.event(grade="EMERGENCY")
    due: list[tuple[int, str]] = []
    for step in steps:
        match step:
            case "unreachable":
                play.suspend("south")
            case "reached":
                play.suspend()
            case "later":
                play.pass_time(minutes=5)
            case (kind, grade, flags, caveats):
                if kind == "CORRECTED":
                    due += [(play.sequences["i-1"] + 1, part) for part in held(play)]
                changes = [*GRADE, *CAVEATS] if kind == "CORRECTED" else []
                play.event(kind=kind, grade=grade, flags=list(flags), caveats=list(caveats), changes=changes)
    play.suspend()
    play.pass_time(hours=1)
    said: dict[str, int] = {}
    for delivery in play.sent("south"):
        terms, sequence = delivery["disclosure"], int(delivery["event"]["event_id"].rpartition(".")[2] or 0)
        if terms["action"] in ("SHARE", "CORRECT"):
            said |= dict.fromkeys([HEAD, *terms["covers"]], sequence)
        for part in terms["withdraws"]:
            said.pop(part, None)
    stale = {part for sequence, part in due if part in said and said[part] < sequence}
    assert not stale or ("undeliverable", "south", "correction-missed") in play.told()
    assert set(held(play)) == set(said), "what is remembered of holders is what they were sent"
    numbers = [delivery["disclosure"]["number"] for delivery in play.sent("south")]
    assert numbers == list(range(1, len(numbers) + 1))
