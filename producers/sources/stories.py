"""What happens in a synthetic control room: stories told in steps.

A story writes on the sheet and yields the kind of event that each step makes. The last step closes. Weights are rough:
the mix resembles a county force's evening, not its statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from producers.sources.scene import Scene, Steps


def collision(scene: Scene) -> Steps:
    """A road traffic collision with injury."""
    sheet, invent = scene.sheet, scene.invent
    sheet.classify("transport/rtc/unknown", "RTC", "Road traffic collision")
    sheet.grade("emergency", "1")
    scene.at(source="aml", radius_m=25.0, direction="northbound")
    scene.caller("third-party")
    sheet.add("vehicles", invent.vehicle("V1", "casualty"), invent.vehicle("V2", "other", vrm=None, vrm_certainty=None))
    sheet.told("Two vehicles in collision, one on its side, caller thinks somebody is still inside")
    sheet.hazard("traffic", "probable", place="P1")
    yield "created"
    sheet.casualty(count=1, age_band="25-34", conscious=True, breathing=True, trapped=True, injury="leg")
    if scene.chance(0.3):
        sheet.hazard("chemical", "possible", un_number="1203", precaution="approach from upwind")
    yield from scene.attend()
    sheet.classify("transport/rtc/injury", "RTC-I", "Collision, injury", qualifiers=("injury",))
    sheet.add("victims", invent.person("C2", "victim", identified_by="document"))
    sheet.fact("Driver of V1 freed, conscious, with ambulance crew", "V1", "C2")
    sheet.record("V1 insured and taxed, no markers", "V1")
    yield "updated"
    sheet.grade("priority", "2")
    sheet.fact("Carriageway clear, recovery on scene", "P1")
    yield "updated"
    sheet.close()
    yield "closed"


def missing_child(scene: Scene) -> Steps:
    """A child missing from home."""
    sheet, invent = scene.sheet, scene.invent
    sheet.classify("public-safety/missing", "MISPER", "Missing person", flags=("child", "medium-risk"))
    sheet.grade("priority", "2")
    scene.at("last-seen")
    scene.caller()
    child = invent.person(
        "M1",
        "missing",
        age_band=None,
        date_of_birth=invent.date_of_birth(8, 16),
        clothing=invent.clothing(),
        state="at-large",
        photo_available=True,
    )
    sheet.add("subjects", child)
    sheet.add("associates", invent.person("A1", "parent-carer", relationship="parent of M1"))
    sheet.told("Did not come home from school, phone switched off, out of character")
    yield "created"
    sheet.assessment("Risk raised to high: age, weather, no coat", "M1")
    sheet.classified["flags"] = ("child", "high-risk")
    sheet.grade("emergency", "1")
    if scene.chance(0.15):
        sheet.caveats = ("honour-based",)
    yield "updated"
    yield from scene.attend()
    scene.at("current-position", source="cell", radius_m=800.0)
    sheet.record("Telephone seen near the bus station", "M1")
    yield "updated"
    sheet.replace("subjects", 0, state="located")
    sheet.head["status"] = "located-safe"
    sheet.fact("Found safe and well, returned home", "M1")
    yield "updated"
    sheet.close()
    yield "closed"


def domestic(scene: Scene) -> Steps:
    """Violence at home."""
    sheet, invent = scene.sheet, scene.invent
    sheet.classify(
        "crime/violence/domestic", "DV", "Domestic violence", qualifiers=("domestic",), flags=("domestic-abuse",)
    )
    sheet.grade("emergency", "1")
    scene.at(address=invent.address(), source="eisec")
    scene.caller()
    sheet.head |= {"handling": ("safe-contact-only",), "marking": "official-sensitive"}
    scene.caller_is_also("victims", "alleged-victim", medical_need="inhaler")
    sheet.told("Open line, shouting, female asking somebody to stop, children crying")
    yield "created"
    suspect = invent.person("S1", "suspected", relationship="partner of C1", state="at-large")
    sheet.add("suspects", suspect)
    if scene.chance(0.4):
        sheet.hazard("violent-person", "probable", place="P1")
        sheet.classified["flags"] = ("domestic-abuse", "violence-to-crews")
    if scene.chance(0.2):
        sheet.caveats = ("refuge",)
    sheet.record("Two earlier calls this year", "P1")
    yield from scene.attend()
    sheet.replace("suspects", 0, role="arrested", state="arrested")
    sheet.fact("One detained, victim declines ambulance", "S1", "C1")
    sheet.assessment("High risk of repetition", "C1")
    yield "updated"
    sheet.close()
    yield "closed"


def burglary(scene: Scene) -> Steps:
    """A burglary found in the morning."""
    sheet, invent = scene.sheet, scene.invent
    sheet.classify("crime/burglary/residential", "BURG", "Burglary dwelling", qualifiers=None, flags=None)
    sheet.grade("scheduled", "3")
    scene.at(address=invent.address(), source="gazetteer", verified=True)
    scene.caller()
    scene.caller_is_also("victims", "victim")
    sheet.told("Came down to find the back door forced, car keys gone")
    yield "created"
    sheet.add("vehicles", invent.vehicle("V1", "stolen", vrm_certainty="checked", keeper_ref="C1"))
    sheet.record("V1 circulated as stolen", "V1")
    yield "updated"
    if scene.chance(0.5):
        sheet.add("witnesses", invent.person("W1", "has-information", phones=(invent.phone(),)))
        sheet.told("Neighbour has a doorbell recording from half past three")
        yield "updated"
    sheet.close()
    yield "closed"


def pursuit(scene: Scene) -> Steps:
    """A vehicle fails to stop and makes for the border."""
    sheet, invent = scene.sheet, scene.invent
    sheet.classify("transport/fail-to-stop", "FTS", "Fail to stop", qualifiers=("pursuit",))
    sheet.grade("emergency", "1")
    scene.at("current-position", source="gps", direction="towards the county boundary")
    vehicle = invent.vehicle("V1", "pursued", occupants=2, speed_kmh=96.0, direction="west")
    sheet.add("vehicles", vehicle)
    sheet.fact("Failed to stop for patrol, two up", "V1")
    sheet.send(scene.callsign(), "attending")
    yield "created"
    sheet.classify("transport/pursuit", "PURS", "Pursuit", qualifiers=("pursuit", "cross-border"))
    sheet.record("Linked to a burglary earlier tonight", "V1")
    sheet.add("suspects", invent.stranger("S1", "suspected", state="at-large"))
    yield "updated"
    for _ in range(invent.random.randrange(1, 3)):
        sheet.replace("vehicles", 0, speed_kmh=invent.random.randrange(60, 160), as_of=sheet.now)
        sheet.fact("Continues, traffic light", "V1")
        yield "updated"
    if scene.chance(0.25):
        sheet.hazard("firearm", "possible", place="V1")
        sheet.caveats = ("source-sensitive",)
        yield "updated"
    sheet.fact("Vehicle stopped, one detained, one made off on foot", "V1", "S1")
    sheet.replace("suspects", 0, role="arrested", state="arrested")
    yield "updated"
    sheet.close()
    yield "closed"


def crisis(scene: Scene) -> Steps:
    """Concern for somebody in a mental health crisis."""
    sheet, invent = scene.sheet, scene.invent
    sheet.classify("public-safety/concern-for-safety", "CFS", "Concern for safety", flags=("suicidal",))
    sheet.grade("emergency", "1")
    scene.at(premises="footbridge", source="what3words")
    scene.caller("professional")
    person = invent.person("M1", "at-risk", medical_need="under community care", communication_needs="speak slowly")
    sheet.add("subjects", person)
    sheet.head["handling"] = ("no-uniform", "do-not-tell-family")
    sheet.told("On the wrong side of the railing, says goodbye, known to caller's team")
    sheet.hazard("height", "confirmed", place="P1")
    yield "created"
    yield from scene.attend()
    sheet.classify("public-safety/mental-health/s136", "S136", "Detained s.136", qualifiers=("mental-health", "s136"))
    sheet.replace("subjects", 0, role="detained-s136", state="detained")
    sheet.casualty(count=1, conscious=True, breathing=True, injury="none seen", priority="3")
    sheet.fact("Safe, detained under s.136, to place of safety with ambulance", "M1")
    yield "updated"
    sheet.close("public-safety/mental-health/s136")
    yield "closed"


def robbery(scene: Scene) -> Steps:
    """A robbery with a knife."""
    sheet, invent = scene.sheet, scene.invent
    sheet.classify("crime/robbery", "ROB", "Robbery", qualifiers=("weapon-used",), flags=("weapon",))
    sheet.grade("emergency", "1")
    scene.at(source="caller")
    scene.caller(invent.random.choice(("caller", "third-party", "anonymous")))
    sheet.add("victims", invent.person("X1", "victim", phones=(invent.phone(),)))
    sheet.add("suspects", invent.stranger("S1", "suspected", state="at-large"))
    sheet.hazard("bladed", "probable", place="P1")
    sheet.told("Young man held up outside the shop, shown a knife, lost a phone and a bicycle")
    yield "created"
    yield from scene.attend()
    sheet.add("witnesses", invent.person("W1", "witness", phones=(invent.phone(),)))
    sheet.fact("Area search, no trace", "S1")
    yield "updated"
    sheet.grade("priority", "2")
    sheet.assessment("Same description as two robberies last week", "S1")
    yield "updated"
    sheet.close()
    yield "closed"


def recall(scene: Scene) -> Steps:
    """A prisoner recalled from licence is to be found."""
    sheet, invent = scene.sheet, scene.invent
    sheet.classify("offender/licence-recall", "RECALL", "Recall to prison", flags=("on-licence", "suspect-at-large"))
    sheet.grade("priority", "2")
    sheet.head["marking"] = "official-sensitive"
    scene.at("last-seen")
    number = f"X{invent.random.randrange(1000, 9999)}ZZ"
    person = invent.person(
        "O1",
        "on-licence",
        date_of_birth=invent.date_of_birth(20, 60),
        identifiers=({"kind": "prison-number", "value": number},),
        warning_markers=({"code": "violent", "source": "prison", "date": invent.date_of_birth(1, 3)},),
        state="at-large",
    )
    sheet.add("convicted", person)
    sheet.record("Licence revoked today, to be arrested on sight", "O1")
    yield "created"
    if scene.chance(0.4):
        sheet.caveats = ("arrest-planned",)
    sheet.assessment("Likely to go to a former partner", "O1")
    yield "updated"
    sheet.replace("convicted", 0, state="arrested")
    sheet.fact("Arrested without incident", "O1")
    yield "updated"
    sheet.close()
    yield "closed"


def nuisance(scene: Scene) -> Steps:
    """Youths and a bonfire: the everyday."""
    sheet = scene.sheet
    sheet.classify("asb/nuisance", "ASB-N", "Nuisance", qualifiers=("youth-related",), flags=None)
    sheet.grade("no-attendance", "5")
    scene.at()
    scene.caller(scene.invent.random.choice(("caller", "anonymous")))
    sheet.caveats = None
    sheet.told("Group of youths with fireworks by the garages again")
    yield "created"
    if scene.chance(0.3):
        sheet.hazard("fire", "possible", place="P1")
        sheet.grade("scheduled", "3")
        yield "updated"
    sheet.close()
    yield "closed"


STORIES: Final[dict[Callable[[Scene], Steps], int]] = {
    nuisance: 6,
    domestic: 5,
    collision: 4,
    burglary: 4,
    crisis: 3,
    robbery: 2,
    missing_child: 2,
    pursuit: 1,
    recall: 1,
}
"""Every story and how often it is told, relative to the others."""
