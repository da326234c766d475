"""What a place is told to lie in is what plain shapely says on the plane of the area, to the last point."""

from __future__ import annotations

import numpy as np
import pytest

from routing.agreements.measured import geography_of
from routing.geography.shapes import as_geometry, polygons_of
from tests.routing.geography.drawn import a_geography, bundle_of, by_plain_shapely, drawn, near_borders


def disagreements(seed: int, number: int) -> int:
    scene = a_geography(seed)
    rng = np.random.default_rng(seed)
    points = near_borders(rng, scene.shapes, number)
    some = rng.random(len(points)) < 0.4
    radii = np.where(some, 10 ** rng.uniform(-1, 4.3, len(points)), 0.0)
    asked = zip(points.tolist(), radii.tolist(), strict=True)
    told = [scene.geography.relations(*point, radius) for point, radius in asked]
    wrong = 0
    for region, (inside, partly) in by_plain_shapely(scene, points, radii).items():
        told_inside = np.fromiter((region in each[0] for each in told), bool, len(told))
        told_partly = np.fromiter((region in each[1] for each in told), bool, len(told))
        assert inside.any(), f"no point lies in {region}: the test would say nothing of it"
        wrong += int((told_inside != inside).sum() + (told_partly != partly).sum())
    return wrong


@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_thousand_points_near_borders_are_told_as_plain_shapely_tells_them(seed: int):
    assert disagreements(seed, 10_000) == 0


@pytest.mark.long
def test_a_million_points_near_borders_are_told_as_plain_shapely_tells_them():
    assert sum(disagreements(seed, 50_000) for seed in range(100, 120)) == 0


def test_a_corner_as_written_in_the_file_lies_in_its_area():
    geometry = as_geometry(drawn(np.random.default_rng(4), "pennine"))
    geography = geography_of(bundle_of({"pennine": geometry}))
    geography.make_index()
    corners = [corner for rings in polygons_of(geometry) for ring in rings for corner in ring]
    assert all("pennine" in geography.relations(*corner)[0] for corner in corners)


def test_far_away_is_out_of_everything_and_never_an_error():
    scene = a_geography(5)
    for longitude in (-180.0, -90.0, 0.0, 90.0, 150.0, 180.0):
        for latitude in (-90.0, -45.0, 0.0, 84.5, 90.0):
            for radius in (0.0, 1.0, 5_000.0):
                assert scene.geography.relations(longitude, latitude, radius) == (frozenset(), frozenset())


def test_a_circle_as_wide_as_the_earth_lies_partly_in_what_it_reaches():
    scene = a_geography(6)
    inside, partly = scene.geography.relations(-1.9, 53.7, 1e9)
    assert not inside
    assert {"pennine", "leinster", "brabant"} <= partly
