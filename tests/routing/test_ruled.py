"""Whom people are asked about, what their rulings change, and who hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from routing.agreements.model import Condition, Person, Refer, RulingTerms, Step
from schemas import codec
from schemas.casework import Ruling
from schemas.codes import enum_code
from tests.routing.play import INSPECTOR, MANAGER, SUPERINTENDENT, Play
from tests.routing.scene import ALL, NOW, a_forbid, a_share

PLAIN = a_share("plain", ["south", "west"], ["classification", "vehicles"])
PLACE = a_share("place", ["south", "west"], ["locations"])
SENSITIVE = Refer(
    id="sensitive",
    recipients=("south", "west"),
    sections=("locations",),
    path=(Step(INSPECTOR, 900), Step(SUPERINTENDENT, 1800)),
    ruling=RulingTerms("safeguarding", "Children Act 2004 s.11", 30),
    when=(Condition("flags", ("sexual-offence",)),),
    why="The place may identify the victim",
)
SOURCE = a_forbid("source", ["south", "west"], ALL, Condition("caveats", ("source-sensitive",)))
OFFENCE: dict[str, Any] = {"flags": ["sexual-offence"], "locations": [{"location_ref": "a", "kind": "INCIDENT"}]}


def a_play(*more, **bundle) -> Play:
    return Play(PLAIN, PLACE, SENSITIVE, SOURCE, *more, **bundle)


@pytest.fixture
def asked() -> Play:
    """An offence was told: everybody has what is plain, the inspector is asked about the place."""
    play = a_play()
    play.event(**OFFENCE)
    return play


def covers(play: Play, member: str) -> list[list[str]]:
    return [delivery["disclosure"]["covers"] for delivery in play.sent(member)]


def test_what_is_referred_waits_what_is_not_flows_and_the_desk_and_the_origin_hear_of_it(asked):
    assert covers(asked, "south") == [["classification", "vehicles"]]
    (case,) = asked.on("cases", "north")
    assert (case["origin"], case["incident_id"], case["sequence"], case["local_ref"]) == ("north", "i-1", 1, "NP-0001")
    assert case["event"] == asked.logs["incidents.north", _place(asked)][0].value
    lines = {line["recipient"]: line for line in case["lines"]}
    assert lines.keys() == {"south", "west"}
    assert (lines["south"]["sections"], lines["south"]["why"]) == (["locations"], "The place may identify the victim")
    assert lines["south"]["deadline"] == NOW + timedelta(minutes=15)
    assert {(notice["kind"], notice["role"]) for notice in case["notices"]} == {("opened", INSPECTOR)}
    assert asked.told() == [("referred", "south", "T-1/sensitive"), ("referred", "west", "T-1/sensitive")]


def _place(play: Play) -> int:
    (place,) = {partition for topic, partition in play.logs if topic == "incidents.north"}
    return place


def test_a_release_delivers_the_latest_event_to_those_it_names_with_its_record(asked):
    effects = asked.rule("release", sections=("locations",))
    assert effects.fate == "ruled"
    assert covers(asked, "south")[-1] == ["classification", "locations", "vehicles"]
    delivery = asked.sent("south")[-1]["disclosure"]
    assert (delivery["number"], delivery["stream_sequence"], delivery["action"]) == (2, 2, "SHARE")
    assert {ground["rule"] for ground in delivery["grounds"] if ground["section"] == "locations"} == {"place", "r-1"}
    assert covers(asked, "west") == [["classification", "vehicles"]], "nobody released it to west"
    record = asked.on("disclosures", "north")[-1]
    assert record["source"]["topic"] == "rulings.north"
    (group,) = record["decisions"]
    assert [(to["member"], to["delivery_id"]) for to in group["recipients"]] == [("south", delivery["delivery_id"])]
    assert ("released", "south", "T-1/sensitive") in asked.told()
    told = asked.on("feedback", "north")[-1]
    assert (told["role"], told["person"], told["ruling_id"]) == (INSPECTOR, "insp.ahmed", "r-1")


def test_a_release_covers_later_events_until_its_limit(asked):
    asked.rule("release", until=NOW + timedelta(hours=2))
    asked.event(kind="UPDATED", **OFFENCE)
    assert "locations" in covers(asked, "south")[-1]
    asked.pass_time(hours=3)
    asked.event(kind="UPDATED", **OFFENCE)
    assert "locations" not in covers(asked, "south")[-1]


def test_what_the_release_granted_coarsely_is_told_coarsely(asked):
    point = {"latitude": 53.7, "longitude": -1.8}
    asked.event(kind="UPDATED", **OFFENCE | {"locations": [{"location_ref": "a", "kind": "INCIDENT", "point": point}]})
    asked.rule("release", locate="1km")
    (place,) = asked.sent("south")[-1]["event"]["locations"]
    assert place["point"] is None or enum_code(place["kind"]) == "incident"


def test_a_refusal_is_withheld_until_the_grade_rises(asked):
    asked.event(kind="UPDATED", grade="PRIORITY", **OFFENCE)
    asked.rule("refuse")
    assert ("refused", "south", "T-1/sensitive") in asked.told()
    before = len(asked.on("cases", "north"))
    asked.event(kind="UPDATED", grade="PRIORITY", **OFFENCE)
    assert [line["recipient"] for line in asked.on("cases", "north")[-1]["lines"]] == ["west"]
    asked.event(kind="UPDATED", grade="EMERGENCY", **OFFENCE)
    assert len(asked.on("cases", "north")) > before
    assert {line["recipient"] for line in asked.on("cases", "north")[-1]["lines"]} == {"south", "west"}
    asked.event(kind="UPDATED", grade="PRIORITY", **OFFENCE)
    assert asked.state().rulings.value.refusals == (), "once the grade has risen, the refusal is over for good"


def test_whoever_does_not_rule_in_time_is_passed_by_and_at_the_end_it_lapses(asked):
    asked.pass_time(minutes=15)
    escalated = asked.on("cases", "north")[-1]
    assert {(notice["kind"], notice["role"]) for notice in escalated["notices"]} == {("escalated", SUPERINTENDENT)}
    assert ("escalated", "south", "T-1/sensitive") in asked.told()
    asked.pass_time(minutes=29)
    assert asked.on("cases", "north")[-1] is escalated, "not before its time"
    asked.pass_time(minutes=1)
    closed = asked.on("cases", "north")[-1]
    assert (closed["lines"], {notice["kind"] for notice in closed["notices"]}) == ([], {"lapsed"})
    assert ("lapsed", "west", "T-1/sensitive") in asked.told()
    asked.pass_time(days=2)
    assert asked.on("cases", "north")[-1] == closed, "each timer fires once"
    asked.event(kind="UPDATED", **OFFENCE)
    assert asked.on("cases", "north")[-1] == closed, "the inspector is not woken by each log line"


def test_a_ruling_that_the_broker_took_after_the_last_deadline_is_late_though_nothing_fired_yet(asked):
    asked.pass_time(minutes=15)
    asked.now += timedelta(minutes=31)  # the router was away
    asked.rule("release", role=SUPERINTENDENT)
    assert asked.told()[-1] == ("ruling-not-taken", None, "lapsed")
    assert covers(asked, "south") == [["classification", "vehicles"]]


def test_more_time_is_given_by_whoever_may_rule(asked):
    asked.rule("extend", until=NOW + timedelta(hours=1))
    assert ("extended", "south", "T-1/sensitive") in asked.told()
    asked.pass_time(minutes=59)
    assert "south" not in {who for kind, who, _ in asked.told() if kind == "escalated"}


def test_the_origin_may_ask_again(asked):
    asked.rule("refuse", recipients=("south", "west"))
    asked.rule("ask-again")
    asked.event(kind="UPDATED", **OFFENCE)
    assert [line["recipient"] for line in asked.on("cases", "north")[-1]["lines"]] == ["south"]


@pytest.mark.parametrize(
    ("reason", "kind", "said"),
    [
        ("not-in-role", "release", {"person": "somebody"}),
        ("stale-view", "release", {"seen_sequence": 0}),
        ("role-not-in-path", "release", {"role": MANAGER}),
        ("bad-recipient", "release", {"recipients": ("nobody",)}),
        ("no-open-line", "release", {"sections": ("narrative",)}),
        ("bad-limit", "extend", {"until": NOW + timedelta(days=9)}),
        ("not-at-discretion", "discretion", {"sections": ("facts",), "agreement": "T-1"}),
        ("no-reason", "retract", {}),
        ("bad-ask", "retract", {"reason": "unlawful", "ask": "forget"}),
    ],
)
def test_a_ruling_that_does_not_count_changes_nothing_and_its_desk_hears_why(asked, reason, kind, said):
    before = asked.state()
    effects = asked.rule(kind, **said)
    assert (effects.fate, effects.reason) == ("ruled", reason)
    assert asked.told()[-1] == ("ruling-not-taken", None, reason)
    told = asked.on("feedback", "north")[-1]
    assert (told["ruling_id"], bool(told["detail"])) == ("r-1", True)
    assert asked.state() == before
    assert len(asked.sent("south")) == 1


@pytest.mark.parametrize(
    ("names", "rules"),
    [
        ({"given": "Amina", "family": "Ahmed"}, False),
        ({"given": None, "family": "AHMED"}, False),
        ({"given": "Zoe", "family": "Moss", "aliases": ["A. Ahmed"]}, False),
        ({"given": "Bilal", "family": "Ahmed"}, True),
        ({"given": "Amina", "family": "Ahmeds"}, True),
    ],
)
def test_nobody_rules_on_what_names_them(names, rules):
    play = a_play(people=(Person("insp.ahmed", "A. Ahmed", "aahmed"), Person("supt.jones", "", "jones")))
    play.event(suspects=[{"person_ref": "p1", "role": "suspected", "names": {"aliases": []} | names}], **OFFENCE)
    play.rule("release")
    assert (play.told()[-1][2] == "named") != rules
    assert (len(play.sent("south")) == 2) == rules
    play.rule("release", role=SUPERINTENDENT)
    assert len(play.sent("south")) == 2


def test_a_ruling_on_an_incident_that_nobody_knows_is_told_so():
    play = a_play()
    play.rule("release", incident="i-9")
    assert play.told() == [("ruling-not-taken", None, "unknown-incident")]


def test_the_same_ruling_again_is_told_to_have_been_ruled(asked):
    asked.rule("release")
    asked.rule("release", ruling_id="r-1")
    assert asked.told()[-1] == ("ruling-not-taken", None, "already-ruled")
    assert len(asked.sent("south")) == 2


def test_a_ruling_once_the_event_has_gone_from_its_topic_is_told_so(asked):
    asked.logs.clear()
    asked.rule("release")
    assert asked.told()[-1] == ("ruling-not-taken", None, "event-gone")


def test_what_lapses_once_the_event_has_gone_is_withheld_all_the_same(asked):
    asked.logs.clear()
    asked.pass_time(hours=1)
    assert ("lapsed", "south", "T-1/sensitive") in asked.told()
    assert asked.on("cases", "north")[-1]["event"] is None


def test_what_is_false_or_another_force_s_is_quarantined(asked):
    effects = asked.rule("release", member="south")
    assert (effects.fate, effects.reason) == ("ruled", "unknown-incident"), "south's own topic, and no incident of its"
    effects = asked.send("rulings.north", "i-1", asked.logs["rulings.south", _place(asked)][0].value)
    assert (effects.fate, effects.reason) == ("quarantined", "wrong-member")
    effects = asked.send("rulings.north", "i-1", b"nonsense")
    assert (effects.fate, effects.reason) == ("quarantined", "not-framed")
    assert [kept["reason"] for kept in asked.on("quarantine", "north")] == ["wrong-member", "not-framed"]


def test_discretion_shares_what_no_rule_grants_of_one_event(asked):
    facts = [{"entry_id": "l1", "text": "seen"}]
    asked.event(kind="UPDATED", facts=facts, **OFFENCE)
    asked.rule("discretion", role=MANAGER, sections=("facts",), agreement="T-1", recipients=("west",))
    assert covers(asked, "west")[-1] == ["classification", "vehicles", "facts"]
    assert ("shared-at-discretion", "west", "") in asked.told()
    asked.event(kind="UPDATED", facts=facts, **OFFENCE)
    assert "facts" not in covers(asked, "west")[-1]


def test_discretion_never_shares_what_is_referred(asked):
    asked.rule("discretion", role=MANAGER, sections=("locations",), agreement="T-1")
    assert asked.told()[-1] == ("ruling-not-taken", None, "referred")


def test_an_override_lifts_a_forbid_that_names_the_role_for_four_hours():
    lifted = replace(SOURCE, id="covert", override=(MANAGER,))
    play = Play(PLAIN, lifted)
    play.event(caveats=["source-sensitive"])
    assert play.sent("south") == []
    play.rule("override", role=MANAGER, sections=("classification",), agreement="T-1")
    assert covers(play, "south") == [["classification"]]
    assert ("overridden", "south", "") in play.told()
    play.pass_time(hours=3)
    play.event(kind="UPDATED", caveats=["source-sensitive"])
    assert covers(play, "south") == [["classification"]] * 2
    play.pass_time(hours=2)
    play.event(kind="UPDATED", caveats=["source-sensitive"])
    assert [each["disclosure"]["action"] for each in play.sent("south")][-1] == "RESTRICTED"


def test_released_and_still_forbidden_is_told_as_that(asked):
    asked.event(kind="UPDATED", caveats=["source-sensitive"], **OFFENCE)
    before = len(asked.sent("south"))
    asked.rule("release")
    assert ("forbidden", "south", "") in asked.told()
    assert len(asked.sent("south")) == before


def test_a_ruling_on_another_partition_than_its_incident_s_is_passed_on(asked):
    other = (_place(asked) + 1) % 6
    ruling = Ruling(
        ruling_id="r-7",
        member="north",
        incident_id="i-1",
        kind="release",
        person="insp.ahmed",
        role=INSPECTOR,
        made_at=NOW,
        recipients=("south",),
        seen_sequence=1,
    )
    value = codec.encode("Ruling", ruling.to_avro())
    effects = asked.send("rulings.north", "i-1", value, other)
    assert effects.fate == "forwarded"
    assert covers(asked, "south")[-1] == ["classification", "locations", "vehicles"]
    record = asked.on("disclosures", "north")[-1]
    assert record["source"]["topic"] == "routing.inbox.tests"


def test_while_a_case_is_open_the_desk_is_shown_each_event(asked):
    asked.event(kind="UPDATED", **OFFENCE)
    case = asked.on("cases", "north")[-1]
    assert (case["sequence"], case["notices"], len(case["lines"])) == (2, [], 2)


def test_a_release_for_several_discharges_for_each_only_what_its_own_case_asked(asked):
    """West is asked about under two rules, south under one: the second rule, once it matches for south, asks anew."""
    second = replace(SENSITIVE, id="second", when=(Condition("flags", ("child",)),), recipients=("south", "west"))
    only_west = replace(second, recipients=("west",))
    play = a_play(only_west)
    play.event(**OFFENCE | {"flags": ["sexual-offence", "child"]})
    play.rule("release", recipients=("south", "west"))
    assert "locations" in covers(play, "south")[-1]
    play.change_policy(replace(a_play(second).policy.bundle, version=8))
    play.event(kind="UPDATED", **OFFENCE | {"flags": ["sexual-offence", "child"]})
    assert "locations" not in covers(play, "south")[-1]
    assert [(line["recipient"], line["rule"]) for line in play.on("cases", "north")[-1]["lines"]] == [
        ("south", "second")
    ]


def two_agreements(play: Play, second: Refer, version: int = 8) -> None:
    """What is referred is so under an agreement of its own besides."""
    bundle = play.policy.bundle
    other = replace(bundle.agreements[0], id="T-2", rules=(second,), ruling=RulingTerms("safeguarding", "s.11", 5))
    play.change_policy(replace(bundle, version=version, agreements=(*bundle.agreements, other)))


def test_what_is_released_under_two_agreements_is_held_under_both():
    play = a_play()
    two_agreements(play, replace(SENSITIVE, id="also"))
    play.event(**OFFENCE)
    play.rule("release")
    (south,) = (holding for holding in play.state().holdings.value if holding.member == "south")
    (place,) = (part for part in south.parts if part.part == "locations")
    ruled = [(grant.agreement, grant.rule) for grant in place.grants if grant.by == "ruling"]
    assert ruled == [("T-1", "r-1"), ("T-2", "r-1")]


def test_a_correction_reaches_what_was_released_under_an_agreement_that_is_no_longer_there():
    play = a_play()
    one = play.policy.bundle
    two_agreements(play, replace(SENSITIVE, id="also"))
    play.event(**OFFENCE)
    play.rule("release")
    play.change_policy(replace(one, version=9, agreements=one.agreements))
    play.event(kind="CORRECTED", changes=[{"path": "locations", "reason": "wrong-place"}], **OFFENCE)
    assert "locations" in covers(play, "south")[-1]
    assert {each["rule"] for each in play.sent("south")[-1]["disclosure"]["grounds"]} >= {"r-1"}


def test_a_release_for_several_goes_to_those_alone_for_whom_something_of_it_flows():
    """Of west the inspector was asked two things, and the superintendent a third that covers both."""
    hazards = replace(SENSITIVE, id="hazards", sections=("hazards",), recipients=("south",))
    above = replace(SENSITIVE, id="above", path=(Step(SUPERINTENDENT, 900),), recipients=("west",))
    play = a_play(hazards, above, a_share("hazards-too", ["south", "west"], ["hazards"]))
    play.event(**OFFENCE, hazards=[{"kind": "fire"}])
    play.rule("release", recipients=("south", "west"))
    assert [len(covers(play, member)) for member in ("south", "west")] == [2, 1]
    assert ("withheld", "west", "") in play.told()


def test_whoever_is_asked_next_because_a_late_ruling_was_heard_has_all_their_time(asked):
    """The router was away for an hour; the broker took a ruling about west when the inspector's time was over."""
    asked.now += timedelta(minutes=16)
    asked.rule("refuse", recipients=("west",), role=SUPERINTENDENT, heard_after=timedelta(hours=1))
    (line,) = asked.state().rulings.value.lines
    assert (line.recipient, line.role, line.deadline) == ("south", SUPERINTENDENT, asked.now + timedelta(minutes=30))
