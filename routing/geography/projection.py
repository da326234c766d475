"""Positions on a plane: the National Grid, the Irish Grid, or the UTM zone of a place.

The pipelines are written out, each the one that PROJ 9 takes for its EPSG code without correction grids, so that what
is found never hangs on which grids or which register a machine has, and no network is ever asked. The price is
accuracy, not agreement: the National Grid so found lies within some 2 m of Ordnance Survey's (which corrects with
OSTN15), the Irish Grid within some 1 m. Areas and places are moved alike, so of a place and an area that are both
right in WGS84 it is still told exactly whether the one is in the other.

Sources: EPSG dataset: operations 1314 (OSGB36 to WGS 84 (6), 2 m) with 27700, and 1954 (TM75 to WGS 84 (2), 1 m) with
29903; UTM: projections 16001 to 16160 on WGS 84.
"""

from __future__ import annotations

from functools import cache, cached_property
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from routing.geography.outlines import island_of

Floats = NDArray[np.float64]

NATIONAL_GRID: Final = "EPSG:27700"
IRISH_GRID: Final = "EPSG:29903"
MOST_LATITUDE: Final = 84.0
"""Beyond it UTM is not defined."""

_DEGREES: Final = "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad"
_PIPELINES: Final = {
    NATIONAL_GRID: (
        f"{_DEGREES} +step +proj=push +v_3 +step +proj=cart +ellps=WGS84 "
        "+step +inv +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 +s=-20.489 "
        "+convention=position_vector +step +inv +proj=cart +ellps=airy +step +proj=pop +v_3 "
        "+step +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy"
    ),
    IRISH_GRID: (
        f"{_DEGREES} +step +proj=push +v_3 +step +proj=cart +ellps=WGS84 "
        "+step +inv +proj=helmert +x=482.5 +y=-130.6 +z=564.6 +rx=-1.042 +ry=-0.214 +rz=-0.631 +s=8.15 "
        "+convention=position_vector +step +inv +proj=cart +a=6377340.189 +rf=299.3249646 +step +proj=pop +v_3 "
        "+step +proj=tmerc +lat_0=53.5 +lon_0=-8 +k=1.000035 +x_0=200000 +y_0=250000 +a=6377340.189 +rf=299.3249646"
    ),
}


class Projection:
    """Degrees of WGS84 to metres on one plane. Make one with `projection`."""

    def __init__(self, crs: str) -> None:
        self.crs = crs
        self._pipeline = _PIPELINES.get(crs) or _utm(crs)

    @cached_property
    def _transformer(self) -> Transformer:
        return Transformer.from_pipeline(self._pipeline)

    def of(self, longitude: float, latitude: float) -> tuple[float, float]:
        """One position; infinite where the projection does not reach."""
        x, y = self._transformer.transform(longitude, latitude)
        return x, y

    def of_all(self, positions: Floats) -> Floats:
        """Many: longitude and latitude in the two columns, easting and northing come out."""
        return np.column_stack(self._transformer.transform(positions[:, 0], positions[:, 1]))

    def back(self, metres: Floats) -> Floats:
        """From eastings and northings to degrees."""
        columns = self._transformer.transform(metres[:, 0], metres[:, 1], direction="INVERSE")
        return np.column_stack(columns)


@cache
def projection(crs: str) -> Projection:
    """The projection of a code that `crs_at` gives."""
    return Projection(crs)


def crs_at(longitude: float, latitude: float) -> str:
    """EPSG:27700 in Great Britain, EPSG:29903 in Ireland, else the UTM zone."""
    match island_of(longitude, latitude):
        case "great-britain":
            return NATIONAL_GRID
        case "ireland":
            return IRISH_GRID
    return f"EPSG:{327 if latitude < 0 else 326}{_zone(longitude, latitude):02}"


def _zone(longitude: float, latitude: float) -> int:
    """1 to 60, with the exceptions for south-west Norway and for Svalbard."""
    if 56 <= latitude < 64 and 3 <= longitude < 12:
        return 32
    if latitude >= 72 and 0 <= longitude < 42:
        return 31 if longitude < 9 else 33 if longitude < 21 else 35 if longitude < 33 else 37
    return min(60, floor((longitude + 180) / 6) + 1)


def _utm(crs: str) -> str:
    """The pipeline of EPSG:326zz (north) or EPSG:327zz (south)."""
    hemisphere, zone = crs[5:8], int(crs[8:])
    if hemisphere not in ("326", "327") or not 1 <= zone <= 60:
        msg = f"expected EPSG:27700, EPSG:29903 or a UTM zone, got {crs}"
        raise ValueError(msg)
    south = " +south" if hemisphere == "327" else ""
    return f"{_DEGREES} +step +proj=utm +zone={zone}{south} +ellps=WGS84"
