"""The planes are the ones of the EPSG codes, as near as can be had without correction grids."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest

from routing.geography.outlines import island_of
from routing.geography.projection import IRISH_GRID, NATIONAL_GRID, crs_at, projection

TOWNS = {
    "Huddersfield": (-1.785, 53.645, "great-britain"),
    "Stornoway": (-6.386, 58.209, "great-britain"),
    "Lerwick": (-1.145, 60.154, "great-britain"),
    "Douglas, Isle of Man": (-4.486, 54.150, "great-britain"),
    "Hugh Town, Scilly": (-6.314, 49.914, "great-britain"),
    "St Kilda": (-8.577, 57.814, "great-britain"),
    "Port Ellen, Islay": (-6.190, 55.630, "great-britain"),
    "Mull of Kintyre": (-5.803, 55.310, "great-britain"),
    "Portpatrick": (-5.118, 54.842, "great-britain"),
    "The Smalls, Wales": (-5.669, 51.721, "great-britain"),
    "Dover": (1.3134, 51.126, "great-britain"),
    "Lowestoft Ness": (1.763, 52.481, "great-britain"),
    "Dublin": (-6.260, 53.350, "ireland"),
    "Belfast": (-5.930, 54.597, "ireland"),
    "Burr Point, Ards": (-5.432, 54.489, "ireland"),
    "Mew Island": (-5.517, 54.698, "ireland"),
    "Rathlin": (-6.200, 55.290, "ireland"),
    "Torr Head": (-6.063, 55.197, "ireland"),
    "Inishtrahull": (-7.233, 55.431, "ireland"),
    "Tuskar Rock": (-6.207, 52.203, "ireland"),
    "Great Blasket": (-10.520, 52.100, "ireland"),
    "Mizen Head": (-9.820, 51.450, "ireland"),
    "Calais": (1.858, 50.951, None),
    "Cap Gris-Nez": (1.584, 50.870, None),
    "Alderney": (-2.200, 49.714, None),
    "Cherbourg": (-1.620, 49.640, None),
    "Amsterdam": (4.900, 52.370, None),
    "Torshavn": (-6.770, 62.010, None),
}


@pytest.mark.parametrize("town", TOWNS)
def test_a_town_is_on_its_island(town: str):
    longitude, latitude, island = TOWNS[town]
    assert island_of(longitude, latitude) == island


@pytest.mark.parametrize(
    ("longitude", "latitude", "crs"),
    [
        (-1.5, 53.8, NATIONAL_GRID),
        (-6.3, 53.3, IRISH_GRID),
        (4.9, 52.4, "EPSG:32631"),
        (5.3, 60.4, "EPSG:32632"),
        (15.6, 78.2, "EPSG:32633"),
        (18.4, -33.9, "EPSG:32734"),
        (-180.0, 10.0, "EPSG:32601"),
        (180.0, 10.0, "EPSG:32660"),
    ],
)
def test_the_plane_of_a_place(longitude: float, latitude: float, crs: str):
    assert crs_at(longitude, latitude) == crs


@pytest.mark.parametrize(
    ("crs", "west", "south", "east", "north", "within_m"),
    [
        # A machine with OSTN15 takes it; what is written out here is two metres off at most (EPSG says so too).
        (NATIONAL_GRID, -6.5, 50.0, 1.7, 60.5, 3.5),
        (IRISH_GRID, -10.3, 51.5, -5.5, 55.3, 2.0),
        ("EPSG:32631", 0.0, 43.0, 6.0, 53.0, 0.001),
        ("EPSG:32734", 17.0, -34.0, 22.0, -25.0, 0.001),
    ],
)
def test_a_plane_is_that_of_its_code(crs: str, west: float, south: float, east: float, north: float, within_m: float):
    points = np.random.default_rng(1).uniform((west, south), (east, north), (2_000, 2))
    theirs = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    away = projection(crs).of_all(points) - np.column_stack(theirs.transform(points[:, 0], points[:, 1]))
    assert np.hypot(*away.T).max() < within_m


def test_one_position_and_many_come_out_alike_and_come_back():
    points = np.random.default_rng(2).uniform((-6, 50), (1, 58), (500, 2))
    plane = projection(NATIONAL_GRID)
    moved = plane.of_all(points)
    assert [plane.of(*point) for point in points.tolist()] == [tuple(point) for point in moved.tolist()]
    assert np.abs(plane.back(moved) - points).max() < 1e-7


def test_no_network_is_asked():
    assert not pyproj.network.is_network_enabled()
