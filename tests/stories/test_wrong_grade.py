"""A firearms incident is wrongly graded and corrected, both ways.

First too low: "a man with a stick" is a man with a shotgun. Whoever was told of the stick must hear of the gun, a
person there must say that they have, and where officers are must be forgotten again. Then too high: a firearm that is a
car exhaust. Whoever was warned hears that there is nothing to fear. The agreements are in `wrong_grade/agreements`.
"""

from __future__ import annotations

import pytest

from schemas.event import Classification, Hazard, Location, Resource
from tests.stories.stage import AMBULANCE, GMP, Stage, correction, incident, revised

FIELD = Location(location_ref="a", kind="incident", address="Blackstone Edge Road", district="Calderdale")
PATROL, ARMED = Resource(callsign="KE21", kind="patrol"), Resource(callsign="TJ04", kind="armed-response")
SHOTGUN = Hazard(kind="firearm", certainty="confirmed", precaution="do not approach from the west")


def classified(category, *flags):
    return (Classification(category=category, flags=flags, qualifiers=()),)


STICK = incident(
    "wy-0907",
    "WY-20261102-0907",
    category="public-safety",
    grade="scheduled",
    classification=classified("public-safety/suspicious-circumstances"),
    locations=(FIELD,),
    resources=(PATROL,),
)
GUN = revised(
    STICK,
    kind="corrected",
    category="crime",
    grade="emergency",
    classification=classified("crime/weapons/firearm", "firearm"),
    hazards=(SHOTGUN,),
    resources=(PATROL, ARMED),
)
TOO_LOW = correction("wrong-grade", "grade", "classification.category", "classification.flags", "hazards")

SHOTS = incident(
    "wy-0911",
    "WY-20261102-0911",
    category="crime",
    grade="emergency",
    classification=classified("crime/weapons/firearm", "firearm"),
    locations=(FIELD,),
    hazards=(Hazard(kind="firearm", certainty="reported"),),
    resources=(ARMED,),
)
EXHAUST = revised(
    SHOTS,
    kind="corrected",
    category="public-safety",
    grade="scheduled",
    classification=classified("public-safety/suspicious-circumstances"),
    hazards=(),
    resources=(PATROL,),
)
TOO_HIGH = correction("wrong-hazard", "grade", "classification.category", "classification.flags", "hazards")


@pytest.fixture
def stage(tmp_path):
    return Stage("wrong_grade", tmp_path, "2026-11-02 20:00")


def test_graded_too_low(stage):
    # 20:00. A man with a stick on the moor road. Greater Manchester sees it, and which patrol goes.
    stage.tells(STICK)
    screen = stage.screen(GMP, "wy-0907")
    assert (screen["grade"], screen["sections"]["hazards"]) == ("scheduled", [])
    assert [unit["callsign"] for unit in screen["sections"]["resources"]] == ["KE21"]
    assert stage.screen(AMBULANCE, "wy-0907") == {}

    # 20:10. It is a shotgun. Greater Manchester hears so at once, and what it said of units is taken from its screen.
    stage.at("20:10").tells(GUN, **TOO_LOW)
    assert stage.rooms[GMP].delivered() == ["share", "withdraw", "correct"]
    screen = stage.screen(GMP, "wy-0907")
    assert (screen["grade"], screen["sections"]["hazards"][0]["kind"]) == ("emergency", "firearm")
    assert screen["sections"]["resources"] is None, "withdrawn: not empty, not there"
    assert "TJ04" not in str(screen)
    # Its system confirms that it removed them; that the correction was understood, a person must say, by 20:15.
    assert stage.waits(GMP) == [("correct", "20:15")]
    assert "removed there 20:10:00" in stage.dispatcher("wy-0907")[GMP]
    # The ambulance service is warned for the first time. To it this corrects nothing.
    assert stage.rooms[AMBULANCE].delivered() == ["share"]
    assert stage.screen(AMBULANCE, "wy-0907")["sections"]["hazards"][0]["precaution"] == SHOTGUN.precaution
    assert stage.waits(AMBULANCE) == []

    # 20:15. Nobody has. It shows at both ends.
    stage.at("20:15")
    assert stage.waits(GMP) == [("correct", "20:15")]
    assert "unanswered 20:15:00 (correct)" in stage.dispatcher("wy-0907")[GMP]

    # 20:17. Somebody has.
    stage.at("20:17").answers(GMP, "wy-0907", "accepted", by_role="dispatcher")
    assert stage.waits(GMP) == []
    line = stage.dispatcher("wy-0907")[GMP]
    assert "accepted 20:17:00" in line
    assert "unanswered" not in line

    # 20:30. It goes on, and where the armed officers are stays home, though the rule that shares units still matches.
    stage.at("20:30").tells(revised(GUN, kind="updated", resources=(ARMED,)))
    assert stage.screen(GMP, "wy-0907")["sections"]["resources"] is None
    assert stage.outcome(GMP) == "shared-in-part"


def test_graded_too_high(stage):
    # 20:00. Shots are reported. Everybody is warned; where the armed officers are is told to nobody.
    stage.tells(SHOTS)
    assert stage.screen(GMP, "wy-0911")["sections"]["hazards"][0]["kind"] == "firearm"
    assert "resources" not in stage.screen(GMP, "wy-0911")["sections"]
    assert stage.screen(AMBULANCE, "wy-0911")["grade"] == "emergency"

    # 20:06. It was an exhaust. No rule would tell the ambulance service of that: it is told, since it was warned.
    stage.at("20:06").tells(EXHAUST, **TOO_HIGH)
    screen = stage.screen(AMBULANCE, "wy-0911")
    assert (screen["action"], screen["grade"], screen["sections"]["hazards"]) == ("correct", "scheduled", [])
    assert stage.rooms[AMBULANCE].told_wrong() == [("grade", "wrong-hazard"), ("hazards", "wrong-hazard")]
    # The flag was wrong from the start and is taken back, so nothing is forbidden any more: the patrol is shown.
    screen = stage.screen(GMP, "wy-0911")
    assert [unit["callsign"] for unit in screen["sections"]["resources"]] == ["KE21"]
    assert stage.outcome(GMP) == "shared"

    # In both rooms a person says so within five minutes, and nothing is overdue.
    for member in (GMP, AMBULANCE):
        assert stage.waits(member) == [("correct", "20:11")]
        stage.answers(member, "wy-0911", "accepted", by_role="dispatcher")
        assert stage.waits(member) == []
    stage.at("20:30")
    assert not any("unanswered" in line for line in stage.dispatcher("wy-0911").values())


def test_an_update_that_says_nothing_of_a_gun_does_not_take_it_back(stage):
    stage.tells(SHOTS)
    stage.at("20:06").tells(revised(EXHAUST, kind="updated"))
    assert "resources" not in stage.screen(GMP, "wy-0911")["sections"], "a flag once stated protects until a correction"
    assert stage.rooms[AMBULANCE].delivered() == ["share", "share"]
