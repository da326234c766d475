"""An incident goes to the wrong agency, and is taken back.

Somebody is hurt at home. The dispatcher asks for an ambulance and picks the line below: the request goes to the rivers
agency. It is taken back: hidden there at once, confirmed by a person later, and kept away whatever is sent or replayed.
Who never had it never hears of it. The agreement is in `wrong_agency/agreements`.
"""

from __future__ import annotations

import pytest

from schemas.event import Casualty, Classification, Location
from tests.stories.stage import AMBULANCE, GMP, RIVERS, Stage, correction, incident, revised

HURT_AT_HOME = incident(
    "wy-0519",
    "WY-20260714-0519",
    kind="assistance",
    category="crime",
    grade="emergency",
    classification=(Classification(category="crime/violence/domestic", flags=("domestic-abuse",), qualifiers=()),),
    locations=(Location(location_ref="a", kind="incident", address="27 Cross Lane", postcode="HX2 8JJ"),),
    casualties=(Casualty(count=1, conscious=True, injury="head"),),
)
UPDATE = revised(HURT_AT_HOME, kind="updated", status="attending")


@pytest.fixture
def stage(tmp_path):
    return Stage("wrong_agency", tmp_path, "2026-07-14 14:02")


def take_back(stage, **said):
    said = {"recipients": (RIVERS,), "reason": "wrong-recipient", "ask": "erase"} | said
    stage.rules("retract", "fim.lee", "force-incident-manager", "wy-0519", **said)


def test_what_went_to_the_wrong_agency_is_taken_back(stage):
    # 14:02. Help is asked for, of the wrong ones.
    stage.tells(HURT_AT_HOME, addressees=(RIVERS,))
    screen = stage.screen(RIVERS, "wy-0519")
    assert screen["sections"]["locations"][0]["address"] == "27 Cross Lane"
    assert stage.waits(RIVERS) == [("assistance", "14:03")]
    assert stage.dispatcher("wy-0519") == {RIVERS: "A rivers agency: delivered 14:02:00"}

    # 14:04. It is noticed. The force incident manager takes it back, and asks for it to be erased.
    stage.at("14:04")
    take_back(stage)
    screen = stage.screen(RIVERS, "wy-0519")
    assert (screen["sections"], screen["local_ref"], screen["category"]) == ({}, None, None), (
        "nothing can be read there"
    )
    assert (screen["retract_reason"], screen["retract_ask"]) == ("wrong-recipient", "erase")
    assert stage.rooms[RIVERS].sealed() > 0, "it is sealed until a person there has decided"
    assert stage.waits(RIVERS) == [("retract", "14:19")]
    line = stage.dispatcher("wy-0519")[RIVERS]
    assert "unanswered" not in line, "of that nobody is to answer any more"
    assert "taken back 14:04:00 (wrong-recipient)" in line
    assert "hidden there 14:04:00" in line, "its system has said so; a person there has yet to"

    # 14:05. The right ones are asked, and come. They know nothing of any mistake.
    stage.at("14:05").tells(HURT_AT_HOME, addressees=(AMBULANCE,))
    stage.answers(AMBULANCE, "wy-0519", "accepted", reference="NWAS-7781")
    assert stage.rooms[AMBULANCE].delivered() == ["share"]
    assert stage.rooms[RIVERS].delivered() == ["share", "retract"]

    # 14:19. Nobody at the rivers agency has confirmed. The dispatcher is told whom to call.
    stage.at("14:19")
    assert "call Incident room of A rivers agency 01632 960105" in stage.dispatcher("wy-0519")[RIVERS]

    # 14:24. They call back: a duty hydrologist was told of it, and then it was erased.
    stage.at("14:24").answers(RIVERS, "wy-0519", "passed-on", passed_to="duty hydrologist", by_role="incident-officer")
    stage.at("14:26").answers(RIVERS, "wy-0519", "erased", by_role="incident-officer")
    assert stage.rooms[RIVERS].sealed() == 0
    assert stage.waits(RIVERS) == []
    line = stage.dispatcher("wy-0519")[RIVERS]
    assert "passed on 14:24:00 to duty hydrologist" in line
    assert "erased 14:26:00 by incident-officer" in line
    assert "unanswered" not in line

    # 14:30. Updates and corrections go to the ambulance service. The rivers agency is told of none.
    stage.at("14:30").tells(UPDATE)
    stage.at("14:31").tells(revised(UPDATE, kind="corrected", grade="priority"), **correction("wrong-grade", "grade"))
    assert stage.rooms[AMBULANCE].delivered() == ["share", "share", "correct"]
    assert stage.rooms[RIVERS].delivered() == ["share", "retract"]

    # 14:33. The same slip again. It is barred, and this time the dispatcher hears so at once.
    stage.at("14:33").tells(HURT_AT_HOME, addressees=(RIVERS,))
    assert stage.outcome(RIVERS) == "forbidden"
    assert stage.rooms[RIVERS].delivered() == ["share", "retract"]
    assert "forbidden 14:33:00 (assistance)" in stage.dispatcher("wy-0519")[RIVERS]

    # Whoever reads its whole topic again finds nothing: into the database that it has, or into a new one.
    room = stage.rooms[RIVERS]
    room.read_again_from_the_beginning()
    assert stage.screen(RIVERS, "wy-0519")["sections"] == {}
    room.lose_its_database_and_read_again()
    screen = stage.screen(RIVERS, "wy-0519")
    assert (screen["sections"], screen["local_ref"]) == ({}, None)

    # And who never had any of it never heard that there was something to take back.
    assert stage.rooms[GMP].delivered() == []


def test_only_a_named_person_lifts_the_bar(stage):
    stage.tells(HURT_AT_HOME, addressees=(RIVERS,))
    stage.at("14:04")
    take_back(stage)
    stage.at("14:10").rules("lift-bar", "somebody", "force-incident-manager", "wy-0519", recipients=(RIVERS,))
    stage.tells(HURT_AT_HOME, addressees=(RIVERS,))
    assert stage.rooms[RIVERS].delivered() == ["share", "retract"]
    stage.at("14:20").rules("lift-bar", "fim.lee", "force-incident-manager", "wy-0519", recipients=(RIVERS,))
    assert "bar lifted 14:20:00" in stage.dispatcher("wy-0519")[RIVERS]
    stage.at("14:21").tells(HURT_AT_HOME, addressees=(RIVERS,))
    assert stage.screen(RIVERS, "wy-0519")["sections"]["locations"][0]["address"] == "27 Cross Lane"


def test_what_is_evidence_is_kept_under_seal_and_not_on_any_screen(stage):
    stage.tells(HURT_AT_HOME, addressees=(RIVERS,))
    stage.at("14:04")
    take_back(stage, ask="restrict")
    stage.at("14:15").answers(RIVERS, "wy-0519", "restricted", by_role="records-manager")
    assert stage.screen(RIVERS, "wy-0519")["sections"] == {}
    assert stage.rooms[RIVERS].sealed() > 0
    assert "kept there as evidence 14:15:00 by records-manager" in stage.dispatcher("wy-0519")[RIVERS]
    stage.at("14:19")
    assert "unanswered" not in stage.dispatcher("wy-0519")[RIVERS]
