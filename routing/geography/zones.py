"""One area with the distances around it that rules name: where a place stands to each, exactly.

With *d* the distance from the centre to the area (0 inside) and *b* to its border: a place is in the area if *d* = 0
and *b* ≥ radius, partly if *d* ≤ radius; it is within *w* if *d* + radius ≤ *w*, partly if *d* - radius ≤ *w*.
"""

from __future__ import annotations

from math import isfinite, nextafter
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from routing.geography.projection import Floats
from routing.geography.shapes import Shape


class Verdicts(NamedTuple):
    """How whole cells stand to one area and its distances: three arrays, a row for each cell."""

    decided: NDArray[np.bool_]
    """The same holds of every place of the cell without a radius."""
    clear: NDArray[np.bool_]
    """It holds of every place of it with a radius, up to the one asked about."""
    out_of: NDArray[np.int64]
    """How many of the distances, from the shortest, no place of a decided cell is within."""


class Zone:
    """An area on its plane, prepared, and the distances around it."""

    def __init__(self, shape: Shape, names: tuple[str, ...], distances_m: tuple[int, ...]) -> None:
        """Prepare it.

        Args:
            shape: the area.
            names: of the regions: the area itself, then one for each distance.
            distances_m: 0, then others, rising.
        """
        self.projection = shape.projection
        self.names = names
        self.distances_m = distances_m
        self._shape = shape.outline
        self._border: Any = shapely.boundary(shape.outline)
        shapely.prepare(self._shape)
        shapely.prepare(self._border)
        self.west, self.south, self.east, self.north = shape.outline.bounds
        self.reach_m = float(distances_m[-1])

    def apart(self) -> Zone:
        """The same zone with geometry of its own, for another thread."""
        outline: Any = shapely.from_wkb(shapely.to_wkb(self._shape))
        return Zone(Shape(self.projection, outline), self.names, self.distances_m)

    def relations(self, x: float, y: float, radius_m: float) -> tuple[list[str], list[str]]:
        """The regions in which a place on this plane lies wholly, and those in which it lies partly."""
        if not self._is_near(x, y, radius_m):
            return [], []
        if radius_m == 0:
            return self._without_radius(x, y), []
        inside, partly = [], []
        centre = shapely.Point(x, y)
        for name, distance_m in zip(self.names, self.distances_m, strict=True):
            if self._is_inside(centre, radius_m, distance_m):
                inside.append(name)
            elif shapely.dwithin(self._shape, centre, distance_m + radius_m):
                partly.append(name)
        return inside, partly

    def _without_radius(self, x: float, y: float) -> list[str]:
        """The regions that a position is in: each holds those before it."""
        if shapely.intersects_xy(self._shape, x, y):
            return list(self.names)
        around = range(1, len(self.names))
        centre = shapely.Point(x, y) if around else None
        within = (k for k in around if shapely.dwithin(self._shape, centre, self.distances_m[k]))
        first = next(within, len(self.names))
        return list(self.names[first:])

    def _is_near(self, x: float, y: float, radius_m: float) -> bool:
        """Whether the circle comes near the area's bounds at all; a position off the plane never does."""
        reach = self.reach_m + radius_m + 1
        if not (isfinite(x) and isfinite(y)):
            return False
        in_band = self.west - reach <= x <= self.east + reach
        return in_band and self.south - reach <= y <= self.north + reach

    def _is_inside(self, centre: shapely.Point, radius_m: float, distance_m: int) -> bool:
        if distance_m:
            return radius_m <= distance_m and bool(shapely.dwithin(self._shape, centre, distance_m - radius_m))
        if not bool(shapely.intersects_xy(self._shape, centre.x, centre.y)):
            return False
        # b ≥ radius is: not b ≤ the number before it.
        return not bool(shapely.dwithin(self._border, centre, nextafter(radius_m, 0.0)))

    def over_cells(self, centres: Floats, reaches_m: Floats, radius_m: float) -> Verdicts:
        """How whole cells stand to it.

        Args:
            centres: positions on this plane.
            reaches_m: for each, how far from it any position of its cell may be.
            radius_m: the greatest radius that a clear cell must hold for.
        """
        points: Any = shapely.points(centres)
        clear, out_of = self._alike(points, reaches_m + radius_m)
        decided = clear.copy()
        left = np.flatnonzero(~clear)
        if len(left):
            decided[left], out_of[left] = self._alike(points[left], reaches_m[left])
        return Verdicts(decided, clear, out_of)

    def _alike(self, points: Any, reach: Any) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:  # noqa: ANN401
        """Whether all within reach of a point stand alike to every distance; and how many distances they are out of."""
        alike = ~shapely.dwithin(self._border, points, reach)
        out_of = (~shapely.intersects(self._shape, points)).astype(np.int64)
        for distance_m in self.distances_m[1:]:
            within = (reach <= distance_m) & shapely.dwithin(self._shape, points, np.maximum(distance_m - reach, 0))
            beyond = ~shapely.dwithin(self._shape, points, distance_m + reach)
            alike &= within | beyond
            out_of += beyond
        return alike, out_of
