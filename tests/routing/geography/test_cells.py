"""Cells are those that people speak of; and nothing finer can be had from them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.geography.cells import SIZES_M, cell_of
from routing.geography.outlines import island_of
from routing.geography.projection import NATIONAL_GRID, projection


@pytest.mark.parametrize(
    ("what", "longitude", "latitude", "names"),
    [
        # Each in its squares as the maps print them, away from the borders of cells.
        ("Leeds town hall", -1.5494, 53.8003, ("SE297338", "SE2933", "SE23")),
        ("Ben Nevis", -5.0036, 56.7969, ("NN166712", "NN1671", "NN17")),
        ("Lerwick", -1.1448, 60.1544, ("HU475414", "HU4741", "HU44")),
        ("Dublin, the Spire", -6.2603, 53.3498, ("O159346", "O1534", "O13")),
        ("Belfast city hall", -5.9301, 54.5965, ("J338739", "J3373", "J37")),
        ("Amsterdam", 4.8952, 52.3702, ("52.370,4.895", "52.37,4.89", "52.3,4.8")),
        ("Rio", -43.1729, -22.9068, ("-22.907,-43.173", "-22.91,-43.18", "-23.0,-43.2")),
    ],
)
def test_a_place_in_its_cells(what: str, longitude: float, latitude: float, names: tuple[str, ...]):
    cells = [cell_of(longitude, latitude, 0.0, size) for size in SIZES_M]
    assert [cell.name for cell in cells if cell] == list(names), what
    sizes = ("100m", "1km", "10km") if island_of(longitude, latitude) else ("0.001deg", "0.01deg", "0.1deg")
    assert tuple(cell.size for cell in cells if cell) == sizes


def test_degrees_are_rounded_down_by_their_digits():
    cell = cell_of(0.29, -53.64, 0.0, 1_000)
    assert cell is not None
    assert cell.name == "-53.64,0.29"
    cell = cell_of(-0.0, -0.0, 0.0, 10_000)
    assert cell is not None
    assert cell.name == "0.0,0.0"


@pytest.mark.parametrize(
    ("radius_m", "asked_m", "size"),
    [
        (100.0, 100, "100m"),
        (100.1, 100, "1km"),
        (999.0, 1_000, "1km"),
        (1_000.5, 100, "10km"),
        (10_000.0, 1_000, "10km"),
        (10_000.1, 100, None),
        (-1.0, 100, None),
        (float("nan"), 100, None),
        (float("inf"), 10_000, None),
    ],
)
def test_an_uncertainty_larger_than_the_cell_gives_the_next_coarser(radius_m: float, asked_m: int, size: str | None):
    cell = cell_of(-1.5494, 53.8003, radius_m, asked_m)
    assert (cell.size if cell else None) == size


@given(
    longitude=st.floats(-180, 180),
    latitude=st.floats(-90, 90),
    radius_m=st.floats(0, 10_000),
    asked_m=st.sampled_from(SIZES_M),
)
def test_every_position_has_a_cell_and_the_digits_of_it_are_those_of_its_size(
    longitude: float, latitude: float, radius_m: float, asked_m: int
):
    cell = cell_of(longitude, latitude, radius_m, asked_m)
    assert cell is not None
    if "," in cell.name:
        decimals = {"0.001deg": 3, "0.01deg": 2, "0.1deg": 1}[cell.size]
        south, west = map(Decimal, cell.name.split(","))
        assert {-south.as_tuple().exponent, -west.as_tuple().exponent} == {decimals}
        assert 0 <= Fraction(repr(latitude)) - Fraction(south) < Fraction(cell.size[:-3])
        assert 0 <= Fraction(repr(longitude)) - Fraction(west) < Fraction(cell.size[:-3])
    else:
        digits = "".join(each for each in cell.name if each.isdigit())
        assert len(digits) == {"100m": 6, "1km": 4, "10km": 2}[cell.size]


def test_a_cell_names_the_square_that_its_position_lies_in():
    letters = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
    points = np.random.default_rng(3).uniform((-6, 50.2), (1.2, 58.5), (500, 2))
    for longitude, latitude in points.tolist():
        if island_of(longitude, latitude) != "great-britain":
            continue
        cell = cell_of(longitude, latitude, 0.0, 100)
        assert cell is not None
        far, near = (divmod(letters.index(letter), 5) for letter in cell.name[:2])
        east = ((far[1] - 2) * 5 + near[1]) * 100_000 + int(cell.name[2:5]) * 100
        north = ((3 - far[0]) * 5 + (4 - near[0])) * 100_000 + int(cell.name[5:]) * 100
        x, y = projection(NATIONAL_GRID).of(longitude, latitude)
        assert 0 <= x - east < 100
        assert 0 <= y - north < 100
