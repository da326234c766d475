"""A bundle names its areas; rules, members and examples name them; and all of it is in the bundle's bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from routing.agreements import Bundle, BundleRejected, load_bundle, read_bundle
from routing.agreements.measured import geography_of
from routing.agreements.model import Area
from routing.agreements.regions import distances_of, regions_of
from schemas.errors import Rejected

MEMBERS = """version: 1
published_by: x
areas:
  hill: areas/hill.geojson
  vale: {file: areas/both.geojson, where: {name: vale}}
members:
  north: {name: N, publishes: true, receives: true, area: hill}
  south: {name: S, publishes: true, receives: true, area: vale}
"""
AGREEMENT = """agreement: A
title: t
purpose: public-safety
regime: uk-gdpr
legal_basis: law
owner: o
signed: [{member: north, name: n, role: r, date: 2026-01-01}]
starts: 2026-06-10
review: 2026-08-01
from: [north]
to: [south]
retain: 1d
share: [locations]
rules:
"""
Write = Callable[..., Path]


def box(west: float, south: float, east: float, north: float) -> dict[str, object]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


HILL, VALE = box(-2.2, 53.6, -2.0, 53.8), box(-2.0, 53.6, -1.8, 53.8)
BOTH = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"name": name}, "geometry": geometry}
        for name, geometry in (("hill", HILL), ("vale", VALE))
    ],
}


@pytest.fixture
def write(write_bundle: Write) -> Write:
    def writing(bundle: str = MEMBERS, hill: object = HILL, **agreements: str) -> Path:
        directory = write_bundle(bundle, **agreements)
        (directory / "areas").mkdir(exist_ok=True)
        (directory / "areas" / "hill.geojson").write_text(json.dumps(hill), "utf-8")
        (directory / "areas" / "both.geojson").write_text(json.dumps(BOTH), "utf-8")
        return directory

    return writing


def ruled(*rules: str, examples: str = "") -> str:
    return AGREEMENT + "".join(f"  - {rule}\n" for rule in rules) + (f"examples:\n{examples}" if examples else "")


IN_HILL = "{id: r, outcome: share, grant: [locations], when: {area: [hill]}}"
NEAR_SOUTH = "{id: n, outcome: share, grant: [locations], when: {near: {member: recipient, within: 5km}}}"


def faults(directory: Path) -> list[str]:
    with pytest.raises(BundleRejected) as refused:
        load_bundle(directory)
    return [str(fault) for fault in refused.value.faults]


def test_areas_are_read_out_of_their_files_into_the_bundle(write: Write):
    bundle = load_bundle(write(a=ruled(IN_HILL)))
    assert [(area.name, json.loads(area.geometry)) for area in bundle.areas] == [("hill", HILL), ("vale", VALE)]
    again = Bundle.from_bytes(bundle.to_bytes(), bundle.hash)
    assert again == bundle


def test_a_bundle_with_an_area_drawn_otherwise_is_another_bundle(write: Write):
    first = load_bundle(write(a=ruled(IN_HILL))).hash
    assert load_bundle(write(hill=box(-2.2, 53.6, -2.0, 53.8000001), a=ruled(IN_HILL))).hash != first


def test_examples_are_measured_against_the_areas(write: Write):
    examples = """
  - given: {origin: north, at: [53.7, -2.1]}
    expect: {south: {share: [locations]}}
  - given: {origin: north, at: [53.7, -1.9]}
    expect: {south: {withhold: all}}
  - name: the circle reaches over the border
    given: {origin: north, places: [{kind: incident, at: [53.7, -2.001], radius: 500m}]}
    expect: {south: {withhold: all}}
"""
    assert load_bundle(write(a=ruled(IN_HILL, examples=examples)))
    wrong = examples.replace("[53.7, -2.1]", "[53.7, -1.9]")
    assert any("example 1 fails" in fault for fault in faults(write(a=ruled(IN_HILL, examples=wrong))))


def test_near_is_a_distance_around_the_members_area(write: Write):
    examples = """
  - given: {origin: north, at: [53.7, -2.07]}
    expect: {south: {share: [locations]}}
  - given: {origin: north, at: [53.7, -2.09]}
    expect: {south: {withhold: all}}
"""
    bundle = load_bundle(write(a=ruled(NEAR_SOUTH, examples=examples)))
    assert distances_of(bundle) == {"hill": (0,), "vale": (0, 5_000)}
    assert regions_of(bundle) == geography_of(bundle).regions == {"hill", "vale", "vale+5000m"}


def test_all_faults_of_areas_are_told_at_once_with_their_files(write: Write):
    bundle = """version: 1
published_by: x
areas:
  hill: areas/hill.geojson
  gone: areas/gone.geojson
  away: /etc/away.geojson
  none: {file: areas/both.geojson, where: {name: moor}}
  bare: {file: areas/both.geojson}
members:
  north: {name: N, publishes: true, receives: true, area: hill}
  south: {name: S, publishes: true, receives: true, area: hil}
"""
    crossing = {"type": "Polygon", "coordinates": [[[-2, 53], [-1, 54], [-1, 53], [-2, 54], [-2, 53]]]}
    unknown = "{id: r, outcome: share, grant: [locations], when: {area: [hile]}}"
    told = faults(write(bundle, hill=crossing, a=ruled(unknown)))
    for expected in (
        "bundle.yaml:4:9: areas/hill.geojson: coordinates: its rings cross (Self-intersection near longitude -1.5",
        "bundle.yaml:5:9: areas/gone.geojson: expected a GeoJSON file: No such file",
        "bundle.yaml:6:9: expected a path relative",
        "areas/both.geojson: no feature has name: moor",
        "an area needs `where`",
        "`hil` is the area of south, and `areas` has none of that name; did you mean `hill`?",
        "`hile` is not an area of the bundle; did you mean `hill`?",
    ):
        assert any(expected in fault for fault in told), (expected, told)


@pytest.mark.parametrize(
    ("areas", "reason"),
    [
        ("areas: []", "expected areas, each name with its GeoJSON file"),
        ("areas: {}", "expected areas, each name with its GeoJSON file"),
        ("areas: {a b: x}", "expected an area of letters"),
        ("areas: {a: [x]}", "expected the relative path"),
        ("areas: {a: {file: areas/hill.geojson, where: {}}}", "expected properties of features"),
        ("areas: {a: {file: areas/hill.geojson, where: {name: [x]}}}", "expected properties of features"),
        ("areas: {a: {file: areas/hill.geojson, where: {name: x}, which: y}}", "`which` is not a key of an area"),
    ],
)
def test_areas_that_are_none(write: Write, areas: str, reason: str):
    text = MEMBERS[: MEMBERS.index("areas:")] + areas + "\n" + MEMBERS[MEMBERS.index("members:") :]
    text = text.replace(", area: hill", "").replace(", area: vale", "")
    told = faults(write(text, a=ruled(IN_HILL)))
    assert any(reason in fault for fault in told), told


@pytest.mark.parametrize(
    "geometry",
    [
        "",
        "{}",
        '{"type":"Point","coordinates":[1,2]}',
        '{"type":"Polygon","coordinates":[[[1,2],[3,4]]]}',
        "[" * 100_000,
    ],
)
def test_bytes_whose_area_is_none_are_refused_when_they_are_put_in_force(write: Write, geometry: str):
    bundle = read_bundle(write(a=ruled(IN_HILL))).bundle
    assert bundle is not None
    broken = replace(bundle, areas=(Area("hill", geometry),))
    with pytest.raises(Rejected, match="area hill: expected"):
        geography_of(broken)


def test_geography_is_made_once_while_areas_and_distances_stay_the_same(write: Write):
    bundle = load_bundle(write(a=ruled(IN_HILL)))
    assert geography_of(replace(bundle, version=2)) is geography_of(bundle)
    assert geography_of(load_bundle(write(a=ruled(IN_HILL, NEAR_SOUTH)))) is not geography_of(bundle)
