"""A missing child is found.

A girl of twelve does not come home in Halifax. Greater Manchester is told once there is a reason: a man she is at risk
from was released, that morning, to an address in Oldham. At noon she is reported found; it was her cousin, and whoever
was told so is told that it was wrong. At three she is found indeed. The agreement is in `missing_child/agreements`.
"""

from __future__ import annotations

import pytest

from schemas.event import Classification, Location, LogLine, Names, Person, Point
from tests.stories.stage import CHILDREN, GMP, Stage, correction, incident, revised

HOME = Location(
    location_ref="home",
    kind="last-seen",
    point=Point(latitude=53.7248, longitude=-1.8926),
    address="14 Warley Road",
    postcode="HX1 3TG",
    district="Calderdale",
)
RELEASED_TO = Location(
    location_ref="bail",
    kind="release-address",
    point=Point(latitude=53.5412, longitude=-2.1290),
    address="3 Featherstall Road",
    postcode="OL9 6QA",
    district="Oldham",
)
FOUND = Location(location_ref="found", kind="found", district="Oldham", address="Oldham Mumps tram stop")
GIRL = Person(
    person_ref="p1",
    role="missing",
    names=Names(given="Amber", family="Lund"),
    age_stated=12,
    clothing="school blazer, red rucksack",
)
REPORTED = incident(
    "wy-0311",
    "WY-20260609-0311",
    category="public-safety",
    grade="priority",
    classification=(Classification(category="public-safety/missing"),),
    locations=(HOME,),
    subjects=(GIRL,),
    facts=(LogLine(entry_id="1", line_class="reported", text="left school at 15:10 yesterday"),),
)
AT_RISK = revised(
    REPORTED,
    kind="updated",
    grade="emergency",
    classification=(Classification(category="public-safety/missing", flags=("child", "high-risk"), qualifiers=()),),
)
MAY_BE_IN_OLDHAM = revised(AT_RISK, locations=(HOME, RELEASED_TO))
SAID_TO_BE_SAFE = revised(MAY_BE_IN_OLDHAM, status="located-safe")
STILL_MISSING = revised(MAY_BE_IN_OLDHAM, kind="corrected", status="open")
INDEED_SAFE = revised(
    MAY_BE_IN_OLDHAM,
    status="located-safe",
    locations=(FOUND,),
    subjects=(GIRL.model_copy(update={"state": "located"}),),
)
CLOSED = revised(INDEED_SAFE, kind="closed", status="closed")


@pytest.fixture
def stage(tmp_path):
    return Stage("missing_child", tmp_path, "2026-06-09 10:05")


def test_a_missing_child_is_found(stage):
    # 10:05. Reported. Nobody has yet stated whether it is a child, or at what risk: whatever is in doubt is not shared.
    stage.tells(REPORTED)
    assert (stage.outcome(GMP), stage.outcome(CHILDREN)) == ("withheld", "withheld")

    # 10:12. It is a child, and at high risk. She was last seen at home in Halifax: nothing points across the border.
    stage.at("10:12").tells(AT_RISK)
    assert (stage.outcome(GMP), stage.outcome(CHILDREN)) == ("withheld", "withheld")
    assert (stage.screen(GMP, "wy-0311"), stage.dispatcher("wy-0311")) == ({}, {})

    # 10:31. Somebody finds out about the man and his bail address in Oldham. Now those who have the streets there are
    # told whom to look for, and where within a kilometre; not the address of either, nor what the log says.
    stage.at("10:31").tells(MAY_BE_IN_OLDHAM)
    for member in (GMP, CHILDREN):
        screen = stage.screen(member, "wy-0311")
        assert list(screen["sections"]) == ["classification", "locations", "subjects"]
        assert screen["sections"]["subjects"][0]["clothing"] == "school blazer, red rucksack"
        home, released_to = screen["sections"]["locations"]
        assert (released_to["kind"], released_to["cell_size"]) == ("release-address", "1km")
        assert {"address", "postcode", "district", "point"}.isdisjoint({**home, **released_to})
        assert (screen["status"], screen["retain_until"]) == ("open", None)
    assert stage.outcome(GMP) == "shared-in-part"
    assert stage.dispatcher("wy-0311") == {
        GMP: "Greater Manchester Police: delivered 10:31:00",
        CHILDREN: "Oldham children's services: delivered 10:31:00",
    }

    # 12:10. A neighbour has seen her. Everybody goes home.
    stage.at("12:10").tells(SAID_TO_BE_SAFE)
    assert stage.screen(GMP, "wy-0311")["status"] == "located-safe"

    # 12:20. It was her cousin. Whoever was told so is told that it was wrong, and from the start.
    stage.at("12:20").tells(STILL_MISSING, **correction("wrong-person", "status"))
    for member in (GMP, CHILDREN):
        screen = stage.screen(member, "wy-0311")
        assert (screen["status"], screen["action"]) == ("open", "correct")
        assert stage.rooms[member].told_wrong() == [("status", "wrong-person")]
        assert stage.waits(member) == [], "a status is read, not signed for: nobody is sent anywhere armed by it"

    # 15:02. She is found at a tram stop in Oldham, and is well.
    stage.at("15:02").tells(INDEED_SAFE)
    screen = stage.screen(GMP, "wy-0311")
    assert (screen["status"], screen["sections"]["subjects"][0]["state"]) == ("located-safe", "located")
    assert [place["kind"] for place in screen["sections"]["locations"]] == ["found"], (
        "the bail address is not held any more"
    )

    # 15:40. Closed. It may be kept for a year: then it goes, but for where somebody says why it must stay.
    stage.at("15:40").tells(CLOSED)
    assert stage.screen(CHILDREN, "wy-0311")["retain_until"].startswith("2027-06-09T14:40")
    stage.rooms[CHILDREN].hold("west-yorkshire", "wy-0311", "serious case review")
    stage.at("2027-06-09 15:41")
    assert (stage.rooms[GMP].dispose(), stage.rooms[CHILDREN].dispose()) == (1, 0)
    assert stage.screen(GMP, "wy-0311")["sections"] == {}
    assert stage.screen(CHILDREN, "wy-0311")["sections"]["subjects"][0]["names"]["family"] == "Lund"


def test_a_caveat_that_the_family_itself_is_the_danger_keeps_it_home(stage):
    stage.tells(MAY_BE_IN_OLDHAM, caveats=("honour-based",))
    assert (stage.outcome(GMP), stage.outcome(CHILDREN)) == ("withheld", "withheld")
    stage.at("10:10").tells(MAY_BE_IN_OLDHAM, caveats=None)
    assert stage.outcome(GMP) == "withheld", "and so does that nobody said whether there is one"
