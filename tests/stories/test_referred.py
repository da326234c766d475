"""A rape is reported whose place identifies the victim, and an inspector is asked at 03:10.

It is the night in which the clocks go forward. The suspect is in a van on his way to Oldham: who he is and what he
drives goes to Greater Manchester at once. Where it happened would tell who she is, so that waits for a person. The
inspector does not see it in time, the superintendent does; what nobody rules on lapses. The agreements are in
`referred/agreements`.
"""

from __future__ import annotations

import pytest

from schemas.event import Classification, Hazard, Location, LogLine, Names, Person, Point, Vehicle
from tests.stories.stage import GMP, Stage, incident, revised

HER_HOME = Location(
    location_ref="a",
    kind="incident",
    point=Point(latitude=53.7248, longitude=-1.8926),
    address="Flat 2, 9 Gibbet Street",
    district="Calderdale",
)
HE = Person(person_ref="p1", role="suspected", names=Names(given="Ian", family="Crewe"), state="at-large")
SHE = Person(person_ref="p2", role="victim", names=Names(given="Ruth", family="Abel"))
VAN = Vehicle(vehicle_ref="v1", vrm="PO17 KLM", colour="white", body="van", role="suspect", direction="M62 west")
HEARD = LogLine(entry_id="1", line_class="reported", text="she knows him from work")
REPORTED = incident(
    "wy-0044",
    "WY-20260329-0044",
    category="crime",
    grade="emergency",
    classification=(Classification(category="crime/sexual/rape", flags=("sexual-offence",), qualifiers=()),),
    locations=(HER_HOME,),
    suspects=(HE,),
    victims=(SHE,),
    vehicles=(VAN,),
    facts=(HEARD,),
)
LATER = revised(REPORTED, kind="updated", vehicles=(VAN.model_copy(update={"direction": "M62 west, J21"}),))
ARMED = revised(LATER, hazards=(Hazard(kind="bladed", certainty="probable"),))


@pytest.fixture
def stage(tmp_path):
    return Stage("referred", tmp_path, "2026-03-29 03:10")


def test_what_identifies_the_victim_waits_for_a_person(stage):
    # 03:10. It is 02:10 by the sun, and 03:10 by every clock in Halifax: deadlines are told as clocks show them.
    stage.tells(REPORTED)
    screen = stage.screen(GMP, "wy-0044")
    assert list(screen["sections"]) == ["classification", "suspects", "vehicles", "hazards"]
    assert screen["sections"]["suspects"][0]["names"]["family"] == "Crewe"
    assert "Gibbet" not in str(screen)
    assert "Abel" not in str(screen)
    # The inspector's desk is shown the whole event and why it is asked; the dispatcher, who is asked and until when.
    (line,) = stage.cases[-1].lines
    assert (line.sections, line.why) == (("facts", "locations"), "The place may identify the victim")
    assert stage.cases[-1].event is not None
    assert stage.asked() == {(GMP, "sexual-offences"): ("duty-inspector", "03:25")}
    assert stage.dispatcher("wy-0044")[GMP] == (
        "Greater Manchester Police: referred 03:10:00 to duty-inspector until 03:25:00, delivered 03:10:00"
    )

    # 03:18. The van is seen at the next junction. That goes out; nobody is woken a second time.
    stage.at("03:18").tells(LATER)
    assert stage.screen(GMP, "wy-0044")["sections"]["vehicles"][0]["direction"] == "M62 west, J21"
    assert stage.asked() == {(GMP, "sexual-offences"): ("duty-inspector", "03:25")}
    assert stage.cases[-1].notices == ()

    # 03:20. The supervisor would release it. It is not the supervisor's to release, and the desk says whose it is.
    stage.at("03:20").rules("release", "sgt.holt", "control-room-supervisor", "wy-0044", recipients=(GMP,))
    assert "ruling not taken" in stage.dispatcher("wy-0044")[""]
    assert "locations" not in stage.screen(GMP, "wy-0044")["sections"]

    # 03:25. The inspector has not looked: the superintendent is asked, and has half an hour from now.
    stage.at("03:25")
    assert stage.asked() == {(GMP, "sexual-offences"): ("public-protection-superintendent", "03:55")}
    assert "escalated 03:25:00 to public-protection-superintendent until 03:55:00" in stage.dispatcher("wy-0044")[GMP]

    # 03:31. She lets the place go out, as coarsely as will do to stop a van, until the morning. Of the facts she says
    # nothing yet.
    stage.at("03:31").rules(
        "release",
        "supt.jones",
        "public-protection-superintendent",
        "wy-0044",
        recipients=(GMP,),
        sections=("locations",),
        locate="10km",
        until=stage.moment("07:00"),
        because="he may be stopped at the border",
    )
    (place,) = stage.screen(GMP, "wy-0044")["sections"]["locations"]
    assert (place["cell"], place["cell_size"]) == ("SE02", "10km")
    assert {"address", "point", "district"}.isdisjoint(place)
    assert stage.cases[-1].lines[0].sections == ("facts",)
    grounds = {(ground.section, ground.rule) for group in stage.records[-1].decisions for ground in group.grounds}
    assert ("locations", "R2") in grounds, "that it was she who let it go is on record"

    # 03:55. Nobody ruled on the facts in time. They are withheld, and nobody is asked any more.
    stage.at("03:55")
    assert (stage.cases[-1].lines, stage.cases[-1].notices[0].kind) == ((), "lapsed")
    assert "lapsed 03:55:00" in stage.dispatcher("wy-0044")[GMP]
    stage.at("04:02").tells(LATER)
    assert "facts" not in stage.screen(GMP, "wy-0044")["sections"]
    assert stage.cases[-1].lines == (), "the inspector is not woken by each log line"

    # 04:05. He may have a knife. That changes what must be weighed: the inspector is asked about the facts again.
    stage.at("04:05").tells(ARMED)
    assert stage.screen(GMP, "wy-0044")["sections"]["hazards"][0]["kind"] == "bladed"
    assert stage.asked() == {(GMP, "sexual-offences"): ("duty-inspector", "04:20")}
    assert stage.cases[-1].lines[0].sections == ("facts",)

    # 04:09. He says no.
    stage.at("04:09").rules(
        "refuse", "insp.ahmed", "duty-inspector", "wy-0044", recipients=(GMP,), because="they name her employer"
    )
    assert "refused 04:09:00 by duty-inspector" in stage.dispatcher("wy-0044")[GMP]

    # 07:10. The release was until seven. What goes out now has no place in it; what was told before stays told.
    stage.at("07:10").tells(revised(ARMED, grade="priority"))
    assert stage.screen(GMP, "wy-0044")["grade"] == "priority"
    assert "locations" not in {name for group in stage.records[-1].decisions for name in _granted(group)}
    assert stage.screen(GMP, "wy-0044")["sections"]["locations"] == [place]

    # At no time did her name, her street or the log leave the force.
    assert not any(name in str(stage.screen(GMP, "wy-0044")) for name in ("Abel", "Gibbet", "work"))


def _granted(group):
    return [each.section for each in group.sections if each.state == "granted"]


def test_whoever_is_named_in_it_does_not_rule_on_it(stage):
    him = Person(person_ref="p3", role="witness", names=Names(given="Sam", family="Ahmed"))
    stage.tells(revised(REPORTED, witnesses=(him,)))
    stage.at("03:12").rules("release", "insp.ahmed", "duty-inspector", "wy-0044", recipients=(GMP,))
    assert "locations" not in stage.screen(GMP, "wy-0044")["sections"]
    assert stage.asked() == {(GMP, "sexual-offences"): ("duty-inspector", "03:25")}


def test_the_superintendent_cannot_rule_on_what_changed_since_she_looked(stage):
    stage.tells(REPORTED)
    stage.at("03:30").tells(LATER)
    stage.rules(
        "release", "supt.jones", "public-protection-superintendent", "wy-0044", recipients=(GMP,), seen_sequence=1
    )
    assert "locations" not in stage.screen(GMP, "wy-0044")["sections"]
    assert "ruling not taken" in stage.dispatcher("wy-0044")[""]
