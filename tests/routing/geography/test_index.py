"""The index takes room and time within bounds, whatever the areas are."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import shapely

from routing.geography import grid
from routing.geography.grid import Grid
from routing.geography.measuring import Geography
from routing.geography.projection import projection
from routing.geography.shapes import Shape
from routing.geography.zones import Zone
from tests.routing.geography.drawn import a_geography, near_borders


def zone(name: str, west: float, south: float, east: float, north: float) -> Zone:
    plane = projection("EPSG:32631")
    corners = plane.of_all(np.array([[west, south], [east, south], [east, north], [west, north]]))
    return Zone(Shape(plane, shapely.Polygon(corners)), (name,), (0,))


def test_a_large_area_takes_room_by_the_length_of_its_border_and_not_by_its_ground():
    small = Grid([zone("small", 3.0, 45.0, 4.0, 46.0)])
    large = Grid([zone("large", 0.0, 42.0, 10.0, 52.0)])
    assert large.cut < 12 * small.cut, "a hundred times the ground has ten times the border"


def test_an_index_without_room_for_more_asks_more_and_answers_the_same(monkeypatch: pytest.MonkeyPatch):
    drawn = a_geography(7)
    points = near_borders(np.random.default_rng(7), drawn.shapes, 2_000).tolist()
    expected = [drawn.geography.relations(*point) for point in points]
    monkeypatch.setattr(grid, "MOST_CUT", 40)
    scarce = Geography(drawn.geography._zones)
    scarce.make_index()
    assert scarce._grid is not None
    assert drawn.geography._grid is not None
    assert scarce._grid.cut <= 40 < drawn.geography._grid.cut
    assert [scarce.relations(*point) for point in points] == expected


def test_before_the_index_is_made_the_answers_are_the_same():
    drawn = a_geography(9)
    rng = np.random.default_rng(9)
    points = near_borders(rng, drawn.shapes, 2_000)
    radii = np.where(rng.random(len(points)) < 0.5, 10 ** rng.uniform(-1, 4.6, len(points)), 0.0)
    plain = Geography(drawn.geography._zones)
    for point, radius in zip(points.tolist(), radii.tolist(), strict=True):
        assert plain.relations(*point, radius) == drawn.geography.relations(*point, radius)


def test_an_index_is_made_in_one_thread_while_another_asks():
    drawn = a_geography(10)
    points = near_borders(np.random.default_rng(10), drawn.shapes, 500).tolist()
    expected = [drawn.geography.relations(*point, 30.0) for point in points]
    fresh = Geography(drawn.geography._zones)
    making = threading.Thread(target=fresh.make_index)
    making.start()
    while making.is_alive():
        assert [fresh.relations(*point, 30.0) for point in points] == expected
    making.join()
    assert [fresh.relations(*point, 30.0) for point in points] == expected


def test_an_area_that_reaches_over_the_antimeridian_with_its_distance_is_asked_of_every_place():
    drawn = a_geography(8, distances=(0, 50_000))
    beyond = drawn.geography.relations(-179.95, -17.8)
    assert beyond[0] == {"fiji+50000m"}
    assert drawn.geography.relations(179.6, -17.8)[0] >= {"fiji+50000m"}
