"""An area file is taken as RFC 7946 says, or refused with the reason; whatever it holds, quickly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely

from routing.geography import area_files
from routing.geography.area_files import AreaFiles
from routing.geography.shapes import polygons_of, shape_of

BOX = [[-2.0, 53.6], [-1.8, 53.6], [-1.8, 53.8], [-2.0, 53.8], [-2.0, 53.6]]
HOLE = [[-1.95, 53.65], [-1.95, 53.7], [-1.9, 53.7], [-1.9, 53.65], [-1.95, 53.65]]
POLYGON = {"type": "Polygon", "coordinates": [BOX]}


def moved(ring: list[list[float]], east: float, north: float = 0.0) -> list[list[float]]:
    return [[x + east, y + north] for x, y in ring]


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: Any, **members: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **members}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[str | None, list[str]]]:
    """The geometry of a file with this in it, and the faults told."""

    def reading(content: Any, **wanted: str) -> tuple[str | None, list[str]]:
        path = tmp_path / "area.geojson"
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        told: list[str] = []
        return AreaFiles().area(path, wanted, told.append), told

    return reading


class TestTaken:
    @pytest.mark.parametrize(
        "document",
        [
            POLYGON,
            feature(POLYGON, name="x"),
            collection(feature(POLYGON)),
            {"type": "MultiPolygon", "coordinates": [[BOX]]},
            {**POLYGON, "bbox": [-2, 53, -1, 54], "crs": {"type": "name", "properties": {"name": "EPSG:4326"}}},
            {**POLYGON, "coordinates": [[[*position, 120.5] for position in BOX]]},
        ],
        ids=["Polygon", "Feature", "FeatureCollection", "MultiPolygon", "crs WGS84", "heights"],
    )
    def test_one_polygon_in_any_of_these_forms_is_one_area(self, read: Any, document: Any):
        geometry, told = read(document)
        assert told == []
        assert json.loads(geometry) == POLYGON

    def test_every_digit_stays(self, read: Any):
        ring = [[-2.000000000000123, 53.6], [-1.8, 53.60000000000001], [-1.8, 53.8], [-2.000000000000123, 53.6]]
        geometry, _ = read({"type": "Polygon", "coordinates": [ring]})
        assert json.loads(geometry)["coordinates"] == [ring]

    def test_a_hole_is_no_part_of_the_area(self, read: Any):
        geometry, _ = read({"type": "Polygon", "coordinates": [BOX, HOLE]})
        whole, _ = read(POLYGON)
        assert area_m2(geometry) < area_m2(whole) * 0.95

    def test_features_that_share_a_border_or_overlap_are_one_area(self, read: Any):
        beside, over = moved(BOX, 0.2), moved(BOX, 0.1, 0.1)
        parts = [feature({"type": "Polygon", "coordinates": [ring]}) for ring in (BOX, beside, over)]
        geometry, told = read(collection(*parts))
        assert told == []
        outline = shape_of(polygons_of(geometry)).outline
        assert outline.geom_type == "Polygon"
        assert shapely.is_valid(outline)

    def test_features_are_chosen_by_their_properties(self, read: Any):
        features = (
            feature(POLYGON, name="west", code=12),
            feature({"type": "Polygon", "coordinates": [moved(BOX, 3)]}, name="east", code=13),
        )
        for wanted in ({"name": "west"}, {"code": "12"}, {"name": "west", "code": "12"}):
            geometry, told = read(collection(*features), **wanted)
            assert told == []
            assert json.loads(geometry) == POLYGON

    def test_a_ring_that_touches_itself_is_clear_and_taken(self, read: Any):
        """As ultra-generalised official boundaries do: two lobes that meet in a point."""
        lobes = [[-2.0, 53.6], [-1.9, 53.7], [-1.8, 53.6], [-1.8, 53.8], [-1.9, 53.7], [-2.0, 53.8], [-2.0, 53.6]]
        geometry, told = read({"type": "Polygon", "coordinates": [lobes]})
        assert told == []
        assert shapely.is_valid(shape_of(polygons_of(geometry)).outline)


BOW_TIE = [[-2.0, 53.6], [-1.8, 53.8], [-1.8, 53.6], [-2.0, 53.8], [-2.0, 53.6]]
REFUSED: dict[str, tuple[Any, str]] = {
    "not JSON": ("{", "not JSON"),
    "empty": ("", "not JSON"),
    "not UTF-8": (b"\xff\xfe{}", "UTF-8"),
    "NaN": ('{"type": "Polygon", "coordinates": [[[NaN, 53]]]}', "NaN is not a number"),
    "infinity": ('{"type": "Polygon", "coordinates": [[[1e999,53],[1,53],[1,54],[1e999,53]]]}', "longitude from -180"),
    "a number too long": ('{"type": "Polygon", "coordinates": [[[' + "9" * 20_000 + ",53]]]}", "ring of at least four"),
    "nested deeply": ('{"type": "Polygon", "coordinates": ' + "[" * 200_000 + "]" * 200_000 + "}", "nested too deeply"),
    "a key twice": ('{"type": "Polygon", "type": "Polygon"}', "same key twice"),
    "a list": ([POLYGON], "expected GeoJSON, an object"),
    "another type": ({"type": "Topology"}, "got Topology"),
    "a point": (feature({"type": "Point", "coordinates": [1, 2]}), "expected a Polygon or a MultiPolygon, got Point"),
    "geometries together": (feature({"type": "GeometryCollection", "geometries": [POLYGON]}), "got GeometryCollection"),
    "no geometry": (feature(None), "geometry: expected a Polygon"),
    "no feature": (collection(), "holds no feature"),
    "a feature that is none": (collection(POLYGON), "features[0]: expected a Feature"),
    "another crs": (
        {**POLYGON, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}},
        "expected WGS84 (leave `crs` out), got urn:ogc:def:crs:EPSG::27700",
    ),
    "a crs that says none": ({**POLYGON, "crs": None}, "expected WGS84"),
    "metres": ({"type": "Polygon", "coordinates": [[[x * 1e5, y * 1e4] for x, y in BOX]]}, "is the file in metres"),
    "a latitude too great": (
        {"type": "Polygon", "coordinates": [[[1, 91], [2, 91], [2, 92], [1, 91]]]},
        "latitude from",
    ),
    "near the pole": ({"type": "Polygon", "coordinates": [[[1, 85], [2, 85], [2, 86], [1, 85]]]}, "beyond 84 degrees"),
    "latitude first": ({"type": "Polygon", "coordinates": [[[y, x] for x, y in BOX]]}, "latitude stands first"),
    "a ring not closed": ({"type": "Polygon", "coordinates": [BOX[:-1]]}, "not closed"),
    "a ring of three": ({"type": "Polygon", "coordinates": [[BOX[0], BOX[1], BOX[0]]]}, "at least four positions"),
    "a ring that crosses itself": ({"type": "Polygon", "coordinates": [BOW_TIE]}, "its rings cross (Self-intersection"),
    "a hole outside": ({"type": "Polygon", "coordinates": [BOX, moved(HOLE, 1)]}, "its rings cross (Hole lies outside"),
    "a hole across": ({"type": "Polygon", "coordinates": [BOX, moved(HOLE, 0.1)]}, "its rings cross"),
    "no ground": ({"type": "Polygon", "coordinates": [[[-2, 53], [-1, 53], [-2, 53], [-2, 53]]]}, "its rings cross"),
    "little ground": (
        {"type": "Polygon", "coordinates": [[[a * 1e-7 - 2, b * 1e-7 + 53] for a, b in BOX]]},
        "less than a square metre",
    ),
    "a text for a number": ({"type": "Polygon", "coordinates": [[["-2", "53"]] * 4]}, "expected a position"),
    "a truth for a number": ({"type": "Polygon", "coordinates": [[[True, 53]] * 4]}, "expected a position"),
    "four numbers": ({"type": "Polygon", "coordinates": [[[1, 2, 3, 4]] * 4]}, "expected a position"),
    "nothing in it": ({"type": "MultiPolygon", "coordinates": []}, "expected rings"),
    "an empty part": ({"type": "MultiPolygon", "coordinates": [[]]}, "expected an outer ring"),
    "wide": ({"type": "Polygon", "coordinates": [[[-20, 50], [20, 50], [20, 51], [-20, 50]]]}, "wider than 30 degrees"),
    "over the antimeridian": (
        {"type": "MultiPolygon", "coordinates": [[[[179, 1], [180, 1], [180, 2], [179, 1]]], [moved(BOX, -170)]]},
        "make several areas",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_the_reason_and_quickly(read: Any, what: str):
    document, reason = REFUSED[what]
    start = time.process_time()
    geometry, told = read(document)
    assert time.process_time() - start < 2
    assert geometry is None
    assert any(reason in fault for fault in told), told


def test_a_file_that_is_not_there_is_refused(read: Any):
    geometry, told = read(None)
    assert geometry is None
    assert told == ["expected a GeoJSON file: No such file or directory"]


def test_a_property_that_no_feature_has_is_refused(read: Any):
    _, told = read(collection(feature(POLYGON, name="west")), name="north")
    assert told == ["no feature has name: north"]


def test_all_faults_of_a_file_are_told_at_once_with_their_places(read: Any):
    broken = [[-2.0, 93.0], [-1.8, 53.6], ["x", 53.8], [-2.0, 53.8], [-2.0, 53.6]]
    parts = (feature({"type": "Polygon", "coordinates": [ring]}) for ring in (broken, BOW_TIE))
    _, told = read(collection(*parts))
    assert [fault.partition(":")[0] for fault in told] == [
        "features[0].geometry.coordinates[0][0]",
        "features[0].geometry.coordinates[0][2]",
        "features[1].geometry.coordinates",
    ]


def test_a_file_of_nothing_but_faults_is_told_of_twenty(read: Any):
    ring = [["x", "y"]] * 40_000
    _, told = read({"type": "Polygon", "coordinates": [ring]})
    assert len(told) == 20


def test_too_many_positions_are_refused(read: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(area_files, "MOST_VERTICES", 12)
    _, told = read({"type": "MultiPolygon", "coordinates": [[moved(BOX, number)] for number in range(3)]})
    assert told == ["more than 12 positions: use boundaries generalised to 20 m or coarser"]


def test_a_huge_file_is_refused_without_being_read_whole(read: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(area_files, "MAX_BYTES", 2**20)
    _, told = read(b"[" * (2**20 + 5))
    assert told == ["larger than 1 MiB: use boundaries generalised to 20 m or coarser"]


def area_m2(geometry: str) -> float:
    return float(shape_of(polygons_of(geometry)).outline.area)
