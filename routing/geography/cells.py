"""Places told coarsely: the cell of a grid that a position lies in.

National Grid in Great Britain, Irish Grid in Ireland, elsewhere degrees rounded down. Cells are named as they are
spoken: letters of the 100 km square, then easting and northing within it (SE12, SE1234, SE123345; O12 …); of degrees
the south-west corner, latitude first (53.64,-1.97).

Near the border of a cell the name may be the neighbour's: positions on the grids are found to some 2 m
(`projection`).
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from math import floor, isfinite
from typing import Final, NamedTuple

from routing.geography.outlines import Island, island_of
from routing.geography.projection import IRISH_GRID, NATIONAL_GRID, projection

SIZES_M: Final = (100, 1_000, 10_000)
_DEGREES: Final[dict[int, Decimal]] = {100: Decimal("0.001"), 1_000: Decimal("0.01"), 10_000: Decimal("0.1")}
_LETTERS: Final = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
"""Of squares, west to east, then the next row to the south; there is no I."""
_SQUARE_M: Final = 100_000


class Cell(NamedTuple):
    """What stands in for a position."""

    name: str
    size: str
    """100m, 1km, 10km; or 0.001deg, 0.01deg, 0.1deg."""


def cell_of(longitude: float, latitude: float, radius_m: float, finest_m: int) -> Cell | None:
    """The cell of a position, no finer than told and no smaller than its uncertainty.

    Args:
        longitude: degrees east, WGS84.
        latitude: degrees north.
        radius_m: uncertainty; 0 for none.
        finest_m: the smallest cell that may be told: one of `SIZES_M`.

    Returns:
        None beyond 10 km of uncertainty, and where the radius is none: nothing but the kind may then be told.
    """
    size_m = _size(radius_m, finest_m)
    if size_m is None:
        return None
    island = island_of(longitude, latitude)
    on_grid = _of_grid(island, longitude, latitude, size_m) if island else None
    return on_grid or _of_degrees(longitude, latitude, size_m)


def _size(radius_m: float, finest_m: int) -> int | None:
    """The cell's size in metres: an uncertainty larger than the cell gives the next coarser."""
    if not (isfinite(radius_m) and radius_m >= 0):
        return None
    return next((size_m for size_m in SIZES_M if size_m >= finest_m and radius_m <= size_m), None)


def _of_grid(island: Island, longitude: float, latitude: float, size_m: int) -> Cell | None:
    """Of the National Grid, or of the Irish Grid, which has one letter and ends some way out at sea."""
    british = island == "great-britain"
    easting, northing = (
        floor(metres / size_m) * size_m
        for metres in projection(NATIONAL_GRID if british else IRISH_GRID).of(longitude, latitude)
    )
    east, north = easting // _SQUARE_M, northing // _SQUARE_M
    if british:
        # Counted from a false origin to the south-west of the grid: the 500 km square, and the square within it.
        square = _letter((east + 10) // 5, (north + 5) // 5) + _letter(east % 5, north % 5)
    elif 0 <= east < 5 and 0 <= north < 5:
        square = _letter(east, north)
    else:
        return None
    digits = 5 - len(str(size_m)) + 1
    within = "".join(f"{metres % _SQUARE_M:05}"[:digits] for metres in (easting, northing))
    return Cell(f"{square}{within}", f"{size_m // 1_000}km" if size_m >= 1_000 else f"{size_m}m")


def _letter(east: int, north: int) -> str:
    return _LETTERS[(4 - north) * 5 + east]


def _of_degrees(longitude: float, latitude: float, size_m: int) -> Cell:
    """By the digits that are written, not by binary fractions: 0.29 lies in 0.29 and not in 0.28."""
    step = _DEGREES[size_m]
    corner = (_rounded_down(degrees, step) for degrees in (latitude, longitude))
    return Cell(",".join(map(str, corner)), f"{step}deg")


def _rounded_down(degrees: float, step: Decimal) -> Decimal:
    """-0.0 and 0 are told alike."""
    return Decimal(repr(degrees)).quantize(step, rounding=ROUND_FLOOR) + Decimal(0)
