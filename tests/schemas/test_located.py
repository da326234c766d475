"""Of a place told coarsely nothing finer remains, in any section; and nothing else of the section changes."""

from __future__ import annotations

import struct
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.avro_form import named_types, parse
from schemas.catalogue import catalogue
from schemas.codec import EventCodec
from schemas.cut import OpenEvent
from schemas.errors import Rejected
from schemas.located import Told, coarse_location, located, placed_sections
from schemas.sections import SECTIONS
from tests.schemas.generated import values_of

CODEC = EventCodec()
EVENT = catalogue().current("IncidentEvent").schema
FORM = CODEC.form(catalogue().current("IncidentEvent"))
PERSONS = ("suspects", "convicted", "victims", "witnesses", "callers", "subjects", "associates")
COMPASS = ("north", "Northbound", " sw ", "south-west")

ADDRESS = {
    "location_ref": "UPRN-100099887766",
    "kind": "incident",
    "point": {"latitude": 53.641234, "longitude": -1.789876},
    "radius_m": 12.5,
    "cell": "SE1415",
    "cell_size": "1km",
    "source": "aml",
    "verified": True,
    "as_of": 1_780_000_000_000,
    "address": "14 Made Up Row",
    "postcode": "HD1 9ZZ",
    "uprn": "100099887766",
    "usrn": "33445566",
    "premises": "The Weavers",
    "access": "key safe 4417",
    "road": "A629",
    "junction": "J24",
    "direction": "towards Elland",
    "district": "Kirklees",
    "beat": "HX17",
    "force_area": "west-yorkshire",
    "quality": {"accuracy": "CONFIRMED", "completeness": "COMPLETE", "reliability": "OFFICIAL_RECORD", "as_of": None},
}
BETRAYING = (
    *("UPRN-100099887766", "14 Made Up Row", "HD1 9ZZ", "100099887766", "33445566", "The Weavers", "key safe 4417"),
    *("A629", "J24", "towards Elland", "Kirklees", "HX17", "SE1415"),
)


def tell(longitude: float, latitude: float, radius_m: float) -> Told | None:
    """Any way of telling will do here: by whole degrees."""
    return None if radius_m > 1_000 or radius_m < 0 else Told(f"{latitude // 1:.0f},{longitude // 1:.0f}", "1deg")


def opened(**sections: Any) -> OpenEvent:
    head = {"origin": "north", "incident_id": "i", "sent_at": 0, "contact": {}}
    return CODEC.open(CODEC.encode(head | sections), 1 << 20)[1]


def delivered(event: OpenEvent, section: str) -> dict[str, Any]:
    """The event as any reader has it, that section located."""
    return FORM.decode(event.view((section,), {section: located(event, section, tell)}))


def test_of_a_place_its_kind_and_its_cell_remain():
    (told,) = delivered(opened(locations=[ADDRESS]), "locations")["locations"]
    stated = {name: value for name, value in told.items() if value not in (None, "")}
    assert stated == {"kind": "incident", "cell": "53,-2", "cell_size": "1deg"}


@pytest.mark.parametrize(
    "changes",
    [{"point": None}, {"radius_m": 1_500.0}, {"radius_m": -1.0}],
    ids=["no coordinates", "too uncertain", "not valid"],
)
def test_without_a_cell_only_the_kind_remains_and_a_cell_that_came_with_it_goes(changes: dict[str, Any]):
    (told,) = delivered(opened(locations=[ADDRESS | changes]), "locations")["locations"]
    assert {name: value for name, value in told.items() if value not in (None, "")} == {"kind": "incident"}


def test_a_kind_that_is_no_code_may_be_an_address_and_goes():
    (told,) = delivered(opened(locations=[ADDRESS | {"kind": "14 Made Up Row"}]), "locations")["locations"]
    assert told["kind"] == ""


@pytest.mark.parametrize("section", PERSONS)
def test_a_persons_address_is_told_alike_and_the_rest_of_the_person_stays(section: str):
    person = {"person_ref": "p1", "names": {"given": "Invented", "family": "Person"}, "home": ADDRESS}
    event = opened(**{section: [person, {"person_ref": "p2"}]})
    one, other = delivered(event, section)[section]
    assert (one["home"]["kind"], one["home"]["cell"]) == ("incident", "53,-2")
    assert one["names"]["family"] == "Person"
    assert (other["person_ref"], other["home"]) == ("p2", None)


def test_a_vehicles_position_is_told_alike_and_its_direction_stays_if_it_is_of_the_compass():
    ways = ("northbound", "West", "towards Elland", "J24")
    event = opened(vehicles=[{"vehicle_ref": way, "direction": way, "position": ADDRESS} for way in ways])
    told = delivered(event, "vehicles")["vehicles"]
    assert [vehicle["direction"] for vehicle in told] == ["northbound", "West", None, None]
    assert {vehicle["position"]["cell"] for vehicle in told} == {"53,-2"}


def test_where_a_hazard_is_goes_and_the_hazard_stays():
    (told,) = delivered(opened(hazards=[{"kind": "dog", "place": "14 Made Up Row", "precaution": "wait"}]), "hazards")[
        "hazards"
    ]
    assert (told["kind"], told["place"], told["precaution"]) == ("dog", None, "wait")


def test_a_line_keeps_what_it_is_about_but_places():
    about = ["p1", ADDRESS["location_ref"], "v1"]
    event = opened(locations=[ADDRESS], facts=[{"entry_id": "1", "text": "seen", "about": about}])
    (told,) = delivered(event, "facts")["facts"]
    assert told["about"] == ["p1", "v1"]


def test_a_section_without_a_place_passes_as_it_came():
    event = opened(casualties=[{"count": 2}], suspects=[{"person_ref": "p1"}])
    for section in ("casualties", "suspects"):
        start, end = event.span(section)
        assert located(event, section, tell) == event.body[start:end]


@pytest.mark.parametrize(
    ("section", "item", "is_placed"),
    [
        ("locations", {"kind": "incident"}, False),
        ("locations", {"kind": "incident", "location_ref": "a", "source": "aml", "verified": True}, False),
        ("locations", {"point": {"latitude": 1.0, "longitude": 1.0}}, True),
        ("locations", {"district": "Kirklees"}, True),
        ("locations", {"cell": "SE14"}, True),
        ("victims", {"home": {"postcode": "HD1 9ZZ"}}, True),
        ("victims", {"home": {"kind": "incident"}}, False),
        ("victims", {"names": {"given": "Invented"}}, False),
        ("vehicles", {"direction": "northbound"}, False),
        ("vehicles", {"direction": "towards Elland"}, True),
        ("vehicles", {"position": {"road": "A629"}}, True),
        ("hazards", {"kind": "dog", "place": "in the yard"}, True),
        ("hazards", {"kind": "dog"}, False),
        ("facts", {"entry_id": "1", "text": "14 Made Up Row", "about": ["a"]}, False),
        ("casualties", {"count": 1}, False),
    ],
)
def test_a_section_is_placed_if_it_states_a_coordinate_or_an_address(
    section: str, item: dict[str, Any], is_placed: bool
):
    assert placed_sections(opened(**{section: [item]})) == (frozenset({section}) if is_placed else frozenset())


def test_a_malformed_section_counts_as_placed_and_is_never_located():
    event = opened(suspects=[{"person_ref": "p1", "home": ADDRESS}])
    start, end = event.span("suspects")
    broken = FORM.open(event.body[: end - 3] + b"\x07" + event.body[end - 2 :])
    assert placed_sections(broken) == {"suspects"}
    with pytest.raises(Rejected):
        located(broken, "suspects", tell)
    assert start


def test_what_stands_in_a_sections_place_is_told_only_to_whom_the_section_is():
    event = opened(suspects=[{"person_ref": "p1", "home": ADDRESS}], facts=[{"entry_id": "1", "text": "x"}])
    told = {"suspects": located(event, "suspects", tell), "control": b"\x01\x02\x00\x00"}
    for keep in (["facts"], ["facts", "control"], []):
        assert event.view(keep, told) == event.view(keep)
        assert FORM.decode(event.view(keep, told))["suspects"] == []
    assert len(FORM.decode(event.view(["suspects"], told))["suspects"]) == 1


# -- every event at all


def coarse(value: Any, schema: Any, types: dict[str, Any]) -> Any:
    """What a located value must be, read off its schema: the oracle, over decoded values."""
    if isinstance(schema, list):
        return None if value is None else coarse(value, schema[1], types)
    if isinstance(schema, str) and schema in types:
        schema = types[schema]
    if isinstance(schema, dict) and schema["type"] == "array":
        return [coarse(each, schema["items"], types) for each in value]
    if not (isinstance(schema, dict) and schema["type"] == "record"):
        return value
    if schema["name"] == "huecry.event.Location":
        blank = {field["name"]: field.get("default") for field in schema["fields"]}
        return blank | coarse_location(value, tell)
    return {field["name"]: coarse(value[field["name"]], field["type"], types) for field in schema["fields"]}


@settings(max_examples=60, deadline=None)
@given(event=values_of(EVENT), data=st.data())
def test_splicing_gives_what_coarsening_every_place_of_the_decoded_event_gives(
    event: dict[str, Any], data: st.DataObject
):
    framed = CODEC.encode(event)
    section = data.draw(st.sampled_from(SECTIONS))
    found = CODEC.open(framed, 1 << 24)[1]
    parsed = parse(deepcopy(EVENT))
    types = named_types(parsed)
    kind = next(field["type"] for field in parsed["fields"] if field["name"] == section)
    expected = coarse(FORM.decode(framed[5:])[section], kind, types)
    got = delivered(found, section)[section]
    for item in (*expected, *got):
        for loose in ("about", "place", "direction"):
            item.pop(loose, None)
    assert got == expected


@pytest.mark.parametrize("section", [*PERSONS, "locations", "vehicles"])
def test_no_bytes_of_an_address_or_a_coordinate_remain(section: str):
    item = ADDRESS if section == "locations" else {"home" if section in PERSONS else "position": ADDRESS}
    if section == "vehicles":
        item["direction"] = "towards Elland"
    block = located(opened(**{section: [item, item]}), section, tell)
    for word in BETRAYING:
        assert word.encode() not in block
    for degrees in ADDRESS["point"].values():
        assert struct.pack("<d", degrees) not in block
        assert str(degrees).encode() not in block


# -- a field that is new must be thought of

NO_PLACE = {
    "Classification": (
        *("category", "opening_category", "closing_category", "local_code", "local_text", "local_grade"),
        *("qualifiers", "flags"),
    ),
    "Names": ("given", "family", "aliases"),
    "Identifier": ("kind", "value"),
    "WarningMarker": ("code", "source", "date"),
    "Quality": ("accuracy", "completeness", "reliability", "as_of"),
    "Casualty": (*("count", "age_band", "sex", "conscious", "breathing", "injury", "trapped", "priority", "quality"),),
    "Resource": ("callsign", "kind", "status", "as_of"),
    # Words about a person, a line of the log, a precaution: free text is the owner's to grant (`accept-narrative`).
    "Person": (
        *("person_ref", "role", "names", "date_of_birth", "age_stated", "age_band", "sex", "ethnicity", "height_cm"),
        *("build", "hair", "marks", "clothing", "phones", "identifiers", "language", "interpreter"),
        *("communication_needs", "medical_need", "warning_markers", "relationship", "state", "identified_by"),
        *("photo_available", "quality"),
    ),
    "Vehicle": (
        *("vehicle_ref", "vrm", "vrm_certainty", "country", "make", "model", "colour", "body", "role", "markers"),
        *("occupants", "speed_kmh", "as_of", "dangerous_goods", "keeper_ref", "quality"),
    ),
    "LogLine": ("entry_id", "at", "entered_at", "author_role", "line_class", "text", "quality"),
    "Hazard": ("kind", "certainty", "as_of", "un_number", "precaution", "quality"),
}
PLACE = {"Person": ("home",), "Vehicle": ("direction", "position"), "LogLine": ("about",), "Hazard": ("place",)}


NOT_OF_A_SECTION = ("IncidentEvent", "Control", "Contact", "Reference", "Link", "Change")


def test_every_field_of_every_section_is_known_to_tell_a_place_or_not():
    """Whoever adds a field decides here whether it tells a place, and if so in `schemas.places` what becomes of it."""
    types = named_types(parse(deepcopy(EVENT)))
    for name, record in types.items():
        short = name.rpartition(".")[2]
        if record["type"] != "record" or short in NOT_OF_A_SECTION or short in ("Location", "Point"):
            continue
        fields = {field["name"] for field in record["fields"]}
        assert fields == {*NO_PLACE.get(short, ()), *PLACE.get(short, ())}, short
