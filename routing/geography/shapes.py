"""An area's GeoJSON as a shape on its plane: projected vertex by vertex, edges straight."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from routing.geography.projection import Floats, Projection, crs_at, projection
from schemas.errors import Rejected

Ring = list[tuple[float, float]]
Rings = list[Ring]
"""Of one polygon: the outer ring, then holes."""

_ALIKE: Final = 1e-9
"""Areas that differ by less, in proportion, differ by rounding alone."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An area on its plane."""

    projection: Projection
    outline: BaseGeometry
    """A valid Polygon or MultiPolygon, in metres."""


def polygons_of(geometry: str) -> list[Rings]:
    """The polygons of a bundle's area, which a loader has checked.

    Raises:
        Rejected: ``bad-bundle``: it is no GeoJSON Polygon or MultiPolygon of plain positions.
    """
    try:
        plain = json.loads(geometry)
        nested = {"Polygon": lambda found: [found], "MultiPolygon": list}[plain["type"]](plain["coordinates"])
        return [[[(float(x), float(y)) for x, y in ring] for ring in polygon] for polygon in nested]
    except (ValueError, TypeError, LookupError, RecursionError):
        raise Rejected("bad-bundle", "expected the geometry of an area, a GeoJSON Polygon or MultiPolygon") from None


def as_geometry(polygons: list[Rings]) -> str:
    """The canonical text of an area's geometry, every digit as it came."""
    kind, nested = ("Polygon", polygons[0]) if len(polygons) == 1 else ("MultiPolygon", polygons)
    plain: dict[str, Any] = {"coordinates": nested, "type": kind}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def crs_of(polygons: list[Rings]) -> str:
    """The code of the plane on which an area is measured: by its centroid, in degrees."""
    whole = MultiPolygon([_polygon([np.array(ring) for ring in polygon]) for polygon in polygons])
    return crs_at(whole.centroid.x, whole.centroid.y)


def shape_of(polygons: list[Rings]) -> Shape:
    """An area on its plane: all its polygons together.

    Raises:
        Rejected: ``bad-bundle``: a ring crosses itself or another of its polygon.
    """
    try:
        return _shape_of(polygons)
    except (ValueError, shapely.errors.ShapelyError):
        raise Rejected("bad-bundle", "expected an area of closed rings, each of some ground") from None


def _shape_of(polygons: list[Rings]) -> Shape:
    plane = projection(crs_of(polygons))
    parts: list[Polygon] = []
    for rings in polygons:
        part = sound([plane.of_all(np.array(ring)) for ring in rings])
        if part is None:
            raise Rejected("bad-bundle", "expected an area whose rings do not cross, on its plane too")
        parts += part
    whole = MultiPolygon(parts) if len(parts) > 1 else parts[0]
    # Parts that overlap or share a border are one area: its border is that of them all together.
    return Shape(plane, whole if whole.is_valid else shapely.union_all(parts))


def sound(rings: list[Floats]) -> list[Polygon] | None:
    """Valid polygons that are the points within these rings; None where rings cross.

    A ring may touch itself, or a hole the outer ring, as coarse official boundaries do: the area is clear all the
    same. It is not where rings cross: what is inside would be a matter of opinion.
    """
    polygon = _polygon(rings)
    if polygon.is_valid:
        return [polygon]
    valid = shapely.make_valid(polygon)
    enclosed = abs(_signed(rings[0])) - sum(abs(_signed(hole)) for hole in rings[1:])
    alike = abs(valid.area - enclosed) <= _ALIKE * abs(_signed(rings[0]))
    if not (alike and isinstance(valid, Polygon | MultiPolygon)):
        return None
    return list(valid.geoms) if isinstance(valid, MultiPolygon) else [valid]


def _polygon(rings: list[Floats]) -> Polygon:
    return Polygon(rings[0], rings[1:])


def _signed(ring: Floats) -> float:
    """The area that a ring encloses, negative if it runs clockwise; the lobes of a crossing ring cancel out."""
    x, y = (ring - ring[0]).T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)
