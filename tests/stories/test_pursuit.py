"""A pursuit crosses the border and ends in a collision.

Friday evening: a stolen Golf is followed out of Bradford, over the Pennines and into Rochdale. Greater Manchester sees
it coming, is asked to take it over, does, and hears how it ended, though by then no rule shares it any more. The
ambulance service hears of it when somebody is hurt, and of that alone. The agreements are in `pursuit/agreements`.
"""

from __future__ import annotations

import pytest

from schemas.event import Casualty, Classification, Hazard, Location, Names, Person, Point, Vehicle
from tests.stories.stage import AMBULANCE, GMP, WY, Stage, incident, revised

LOG = "WY-20260605-1702"
BRADFORD, MOTORWAY, ROCHDALE = (
    Location(location_ref="car", kind="current-position", point=Point(latitude=north, longitude=east), road=road)
    for north, east, road in ((53.79, -1.75, "A647"), (53.64, -1.98, "M62 J22"), (53.61, -2.16, "Yorkshire Street"))
)
GOLF = Vehicle(vehicle_ref="v1", vrm="YJ19 ABC", make="Volkswagen", model="Golf", colour="grey", role="pursued")
DRIVER = Person(person_ref="p1", role="suspected", names=Names(given="Dean", family="Marsh"))
PURSUIT = incident(
    "wy-1702",
    LOG,
    category="transport",
    grade="emergency",
    classification=(Classification(category="transport/pursuit", flags=(), qualifiers=()),),
    locations=(BRADFORD,),
    suspects=(DRIVER,),
    vehicles=(GOLF,),
)
ON_THE_MOTORWAY = revised(PURSUIT, kind="updated", locations=(MOTORWAY,))
HANDED_OVER = revised(ON_THE_MOTORWAY, kind="transfer")
IN_ROCHDALE = revised(PURSUIT, kind="updated", grade="priority", locations=(ROCHDALE,))
COLLISION = revised(
    IN_ROCHDALE,
    classification=(Classification(category="transport/rtc/injury", flags=(), qualifiers=("pursuit",)),),
    locations=(ROCHDALE.model_copy(update={"kind": "incident"}),),
    casualties=(Casualty(count=2, age_band="adult", conscious=True, injury="leg", trapped=True),),
    hazards=(Hazard(kind="fire", certainty="possible"),),
)
CLOSED = revised(COLLISION, kind="closed", status="closed")
RECOVERED = revised(CLOSED, kind="updated", vehicles=(GOLF.model_copy(update={"markers": ("recovered",)}),))


@pytest.fixture
def stage(tmp_path):
    return Stage("pursuit", tmp_path, "2026-06-05 21:40")


def test_a_pursuit_crosses_the_border_and_ends_in_a_collision(stage):
    # 21:40. It begins in Bradford. That is nobody else's business, and nobody else hears of it.
    stage.tells(PURSUIT)
    assert stage.screen(GMP, "wy-1702") == {}
    assert (stage.outcome(GMP), stage.outcome(AMBULANCE)) == ("withheld", "withheld")
    assert stage.dispatcher("wy-1702") == {}

    # 21:44. It is on the motorway, in the corridor. Greater Manchester sees what, where and which car; not who drives.
    stage.at("21:44").tells(ON_THE_MOTORWAY)
    screen = stage.screen(GMP, "wy-1702")
    assert (screen["local_ref"], screen["grade"], screen["primacy"]) == (LOG, "emergency", WY)
    assert screen["sections"]["locations"][0]["road"] == "M62 J22"
    assert screen["sections"]["vehicles"][0]["vrm"] == "YJ19 ABC"
    assert list(screen["sections"]) == ["classification", "locations", "vehicles", "hazards"]
    assert screen["sections"]["hazards"] == [], "covered and empty: none is known of"
    assert stage.dispatcher("wy-1702") == {GMP: "Greater Manchester Police: delivered 21:44:00"}

    # 21:47. West Yorkshire asks Greater Manchester to take it over: whoever is to command must know who is in the car.
    stage.at("21:47").tells(HANDED_OVER, addressees=(GMP,))
    screen = stage.screen(GMP, "wy-1702")
    assert screen["addressed_to_us"]
    assert screen["sections"]["suspects"][0]["names"]["family"] == "Marsh"
    assert stage.waits(GMP) == [("transfer", "21:49")]

    # 21:49. Nobody there has answered in two minutes. The dispatcher is told, and whom to call.
    stage.at("21:49")
    assert stage.dispatcher("wy-1702")[GMP] == (
        "Greater Manchester Police: delivered 21:44:00, latest update delivered 21:47:00, "
        "unanswered 21:49:00 (transfer) - call Force operations centre of Greater Manchester Police 01632 960102"
    )
    assert stage.screen(GMP, "wy-1702")["taken_over_at"] is None, "until they accept it is West Yorkshire's"

    # 21:50. They accept, under a number of their own. Both rooms now have both numbers.
    stage.at("21:50").answers(GMP, LOG, "accepted", reference="GMP-1877", by_role="duty-officer")
    screen = stage.screen(GMP, "wy-1702")
    assert (screen["local_ref"], screen["our_reference"]) == (LOG, "GMP-1877")
    assert screen["taken_over_at"] is not None
    assert stage.waits(GMP) == []
    assert "accepted 21:50:00 as GMP-1877" in stage.dispatcher("wy-1702")[GMP]
    assert "unanswered" not in stage.dispatcher("wy-1702")[GMP]

    # 21:55. The car has left the corridor. No rule shares it now; whoever was told of a pursuit hears how it goes on.
    stage.at("21:55").tells(IN_ROCHDALE)
    screen = stage.screen(GMP, "wy-1702")
    assert screen["sections"]["locations"][0]["road"] == "Yorkshire Street"
    assert {ground.rule for group in stage.records[-1].decisions for ground in group.grounds} == {
        "in-the-corridor",
        "handed-over",
    }
    assert stage.screen(AMBULANCE, "wy-1702") == {}

    # 22:03. It hits a wall. The ambulance service hears for the first time: where, who is hurt, what may burn. No more.
    stage.at("22:03").tells(COLLISION)
    crew = stage.screen(AMBULANCE, "wy-1702")
    assert list(crew["sections"]) == ["locations", "casualties", "hazards"]
    assert crew["sections"]["casualties"][0]["trapped"] is True
    assert crew["category"] == "transport"
    # Greater Manchester goes on seeing what it saw. Casualties are a new section, and no rule gives it those.
    screen = stage.screen(GMP, "wy-1702")
    assert screen["sections"]["classification"][0]["category"] == "transport/rtc/injury"
    assert screen["sections"]["hazards"][0]["kind"] == "fire"
    assert "casualties" not in screen["sections"]
    assert (stage.outcome(GMP), stage.outcome(AMBULANCE)) == ("shared-in-part", "shared-in-part")

    # 22:40. Closed. Each may keep it as long as its own agreement says.
    stage.at("22:40").tells(CLOSED)
    assert stage.screen(GMP, "wy-1702")["status"] == "closed"
    assert stage.screen(GMP, "wy-1702")["retain_until"].startswith("2026-09-03T21:40")
    assert stage.screen(AMBULANCE, "wy-1702")["retain_until"].startswith("2026-07-05T21:40")

    # Sunday. A note is added to the log: for 72 hours after the closing Greater Manchester hears of changes.
    stage.at("2026-06-07 10:00").tells(RECOVERED)
    assert stage.screen(GMP, "wy-1702")["sections"]["vehicles"][0]["markers"] == ["recovered"]

    # Tuesday. Another one, and it does not.
    stage.at("2026-06-09 10:00").tells(revised(CLOSED, kind="updated", vehicles=(GOLF,)))
    assert stage.outcome(GMP) == "withheld"
    assert stage.screen(GMP, "wy-1702")["sections"]["vehicles"][0]["markers"] == ["recovered"]


def test_what_the_ambulance_service_was_told_it_may_keep_for_thirty_days(stage):
    stage.tells(COLLISION)
    stage.at("22:40").tells(CLOSED)
    stage.at("2026-07-05 22:39")
    assert stage.rooms[AMBULANCE].dispose() == 0
    stage.at("22:41")
    assert stage.rooms[AMBULANCE].dispose() == 1
    gone = stage.screen(AMBULANCE, "wy-1702")
    assert (gone["sections"], gone["local_ref"], bool(gone["disposed_at"])) == ({}, None, True)
