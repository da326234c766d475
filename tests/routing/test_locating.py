"""A rule with ``locate`` delivers cells, and nothing finer, whatever the event holds."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from routing.agreements.model import Area, Condition, Limit, Share
from routing.effects import Effects, Policy
from routing.geography.cells import cell_of
from routing.geography.shapes import as_geometry
from routing.route import route
from tests.routing.scene import NOW, a_bundle, a_forbid, a_share, an_exchange, event_record, on, one, small

EXCHANGE = an_exchange()
HERE = {"latitude": 53.641234, "longitude": -1.789876}
ADDRESS = {
    "location_ref": "UPRN-100099887766",
    "kind": "incident",
    "point": HERE,
    "address": "14 Made Up Row",
    "postcode": "HD1 9ZZ",
    "uprn": "100099887766",
    "district": "Kirklees",
}
PLACED = ["locations", "victims", "vehicles"]
SECTIONS = {
    "locations": [ADDRESS],
    "victims": [{"person_ref": "p1", "marks": "a scar", "home": ADDRESS | {"kind": "sensitive-place"}}],
    "vehicles": [{"vehicle_ref": "v1", "vrm": "AB12 CDE", "position": ADDRESS, "direction": "east"}],
}


def shares(to: str, locate: str, grant: list[str] = PLACED) -> Share:
    rule: Any = replace(a_share(f"to-{to}-{locate}", [to], grant), locate=locate)
    return rule


def routed(*rules: Any, **changes: Any) -> Effects:
    policy = Policy(a_bundle(EXCHANGE, *rules), EXCHANGE)
    return route(event_record(**small(suspects=[], **(SECTIONS | changes))), policy, NOW)


def record_of(effects: Effects, member: str) -> dict[str, Any]:
    decisions = one(effects, "disclosures", "north")["decisions"]
    return next(each for each in decisions if member in [to["member"] for to in each["recipients"]])


def test_a_kilometre_is_a_cell_of_the_national_grid_in_every_section_granted():
    effects = routed(shares("south", "1km"))
    event = one(effects, "partner", "south")["event"]
    told = [event["locations"][0], event["victims"][0]["home"], event["vehicles"][0]["position"]]
    assert [(each["kind"], each["cell"], each["cell_size"]) for each in told] == [
        ("incident", "SE1316", "1km"),
        ("sensitive-place", "SE1316", "1km"),
        ("incident", "SE1316", "1km"),
    ]
    assert event["victims"][0]["marks"] == "a scar"
    assert event["vehicles"][0]["vrm"] == "AB12 CDE"


def test_the_outcome_is_shared_in_part_and_the_record_says_how_finely():
    decision = record_of(routed(shares("south", "1km")), "south")
    assert decision["outcome"] == "SHARED_IN_PART"
    assert {each["section"]: each["locate"] for each in decision["locate"]} == dict.fromkeys(PLACED, "1km")


def test_each_recipient_gets_what_is_its_own_of_one_event():
    effects = routed(shares("south", "10km"), shares("west", "exact"))
    coarse = one(effects, "partner", "south")["event"]["locations"][0]
    exact = one(effects, "partner", "west")["event"]["locations"][0]
    assert (coarse["cell"], coarse["point"]) == ("SE11", None)
    assert exact["point"] == HERE


def test_a_limit_caps_what_a_rule_tells_exactly():
    cap = Limit(id="cap", recipients=("south",), when=(Condition("caveats", ("refuge",)),), locate="10km")
    control = [{"sequence": 1, "caveats": ["refuge"]}]
    effects = routed(shares("south", "exact"), cap, control=control)
    assert one(effects, "partner", "south")["event"]["locations"][0]["cell"] == "SE11"


def test_a_section_of_its_own_rule_is_told_as_that_rule_says():
    effects = routed(shares("south", "1km", ["locations"]), shares("south", "exact", ["vehicles"]))
    event = one(effects, "partner", "south")["event"]
    assert event["locations"][0]["point"] is None
    assert event["vehicles"][0]["position"]["point"] == HERE


def test_nothing_that_was_replaced_makes_it_shared():
    """Locations state nothing but their kind, so nothing was taken from whoever gets them."""
    nothing = {"locations": [{"kind": "incident"}], "victims": [], "vehicles": [], "classification": []}
    effects = routed(shares("south", "1km"), **nothing)
    assert record_of(effects, "south")["outcome"] == "SHARED"


@pytest.mark.parametrize("seed", range(40))
def test_nothing_finer_than_the_cell_is_in_the_bytes_delivered(seed: int):
    rng = np.random.default_rng(seed)
    latitude, longitude = round(rng.uniform(-80, 80), 6), round(rng.uniform(-179, 179), 6)
    if seed % 2:
        latitude, longitude = round(rng.uniform(50, 58), 6), round(rng.uniform(-9, 1.5), 6)
    locate, size_m = [("100m", 100), ("1km", 1_000), ("10km", 10_000)][seed % 3]
    words = [f"secret-{seed}-{each}" for each in range(10)]
    names = (
        "location_ref",
        "address",
        "postcode",
        "uprn",
        "usrn",
        "premises",
        "access",
        "road",
        "junction",
        "district",
    )
    radius_m = float(rng.choice([0.0, 5.0, 400.0, 3_000.0]))
    place = dict(zip(names, words, strict=True)) | {"kind": "incident", "radius_m": radius_m}
    place |= {"point": {"latitude": latitude, "longitude": longitude}, "cell": words[0], "direction": words[1]}
    sections = {
        "locations": [place],
        "victims": [{"person_ref": "p1", "home": place}],
        "vehicles": [{"vehicle_ref": "v1", "position": place, "direction": words[2]}],
        "hazards": [{"kind": "dog", "place": words[0]}],
        "facts": [{"entry_id": "1", "text": "seen", "about": ["p1", words[0]]}],
    }
    effects = routed(shares("south", locate, list(sections)), **sections)
    (output,) = on(effects, "partner", "south")
    for word in words:
        assert word.encode() not in output.value
    for degrees in (latitude, longitude):
        assert struct.pack("<d", degrees) not in output.value
        assert repr(degrees).encode() not in output.value
    cell = cell_of(longitude, latitude, radius_m, size_m)
    assert cell is not None
    assert output.value.count(cell.name.encode()) == 3
    record = b"".join(each.value for each in on(effects, "disclosures"))
    assert cell.name.encode() not in record
    assert struct.pack("<d", latitude) not in record


# -- areas, from the event's coordinates to the decision and the record of it


def square(longitude: float, latitude: float, half: float) -> str:
    around = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    return as_geometry([[[(longitude + x * half, latitude + y * half) for x, y in around]]])


AREAS = (Area("here", square(-1.79, 53.64, 0.1)), Area("there", square(-3.0, 55.0, 0.1)))


def routed_in_areas(*rules: Any, **changes: Any) -> Effects:
    bundle = replace(a_bundle(EXCHANGE, *rules), areas=AREAS)
    return route(event_record(**small(suspects=[], **(SECTIONS | changes))), Policy(bundle, EXCHANGE), NOW)


def in_area(name: str) -> Condition:
    return Condition("area", (name,))


def test_a_place_in_an_area_is_shared_and_one_elsewhere_is_not():
    here = a_share("a", ["south"], ["locations"], in_area("here"))
    effects = routed_in_areas(here, a_share("b", ["west"], ["facts"], in_area("there")))
    assert len(on(effects, "partner", "south")) == 1
    assert not on(effects, "partner", "west")


def test_the_record_names_the_regions_and_holds_no_coordinate():
    effects = routed_in_areas(a_share("a", ["south"], ["locations"], in_area("here")))
    (output,) = on(effects, "disclosures")
    record = one(effects, "disclosures", "north")
    assert record["considered"]["regions"] == ["here", "there"]
    assert [each["inside"] for each in record["considered"]["places"]] == [["here"]]
    assert record["considered"]["placed"] == sorted(PLACED)
    for degrees in HERE.values():
        assert struct.pack("<d", degrees) not in output.value
        assert str(degrees) not in json.dumps(record, default=str)


@pytest.mark.parametrize(
    ("radius_m", "shared", "forbidden"),
    [(0.0, True, False), (500.0, True, False), (50_000.0, False, True)],
    ids=["a point", "a small circle", "a circle over the border"],
)
def test_a_circle_over_the_border_is_in_doubt_and_doubt_goes_against_sharing(
    radius_m: float, shared: bool, forbidden: bool
):
    elsewhere = a_forbid("f", ["west"], ["head"], in_area("there"))
    rules = (a_share("a", ["south"], ["locations"], in_area("here")), a_share("w", ["west"], ["locations"]), elsewhere)
    place = ADDRESS | {"radius_m": radius_m if shared else 200_000.0}
    effects = routed_in_areas(*rules, locations=[place])
    assert bool(on(effects, "partner", "south")) == shared
    assert bool(on(effects, "partner", "west")) != forbidden


def test_a_negative_radius_says_that_there_is_no_position():
    effects = routed_in_areas(
        a_share("a", ["south"], ["locations"], in_area("here")), locations=[ADDRESS | {"radius_m": -1.0}]
    )
    assert not on(effects, "partner", "south")
    (place,) = one(effects, "disclosures", "north")["considered"]["places"]
    assert (place["has_coordinates"], place["inside"]) == (False, [])
