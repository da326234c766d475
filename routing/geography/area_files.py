"""An area out of a GeoJSON file, which anybody may have made: every fault noted, nothing repaired in silence.

Taken is RFC 7946: a Polygon, a MultiPolygon, or Features of them, in WGS84 with longitude first; all that a file holds
is one area, unless the bundle says which features are meant. A ``crs`` (GeoJSON of 2008) may say WGS84 and nothing
else. A third coordinate and everything that is no geometry is passed over.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from shapely import Polygon

from routing.geography.outlines import island_of
from routing.geography.projection import MOST_LATITUDE, crs_at, projection
from routing.geography.shapes import Ring, Rings, as_geometry, shape_of, sound
from schemas.errors import Rejected
from schemas.plain_files import read_at_most

MAX_BYTES: Final = 16 * 1024 * 1024
MOST_VERTICES: Final = 50_000
"""Of one area. Police force areas generalised to 20 m have some thousands."""
_MOST_WIDE: Final = 30.0
"""Degrees of longitude: wider, no one zone would measure it, and most likely it crosses the antimeridian."""
_LEAST_M2: Final = 1.0
_MOST_NOTED: Final = 20
_SHAPES: Final = ("Polygon", "MultiPolygon")
_WGS84: Final = frozenset(
    {
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:OGC::CRS84",
        "OGC:CRS84",
        "EPSG:4326",
        "urn:ogc:def:crs:EPSG::4326",
    }
)

Note = Callable[[str], None]
"""Takes in one fault."""


class _Limits:
    """Faults of one file so far, and vertices: a hostile file must be refused quickly."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self.noted = 0
        self.vertices = 0

    def add(self, where: str, message: str) -> None:
        self.noted += 1
        if self.noted <= _MOST_NOTED:
            self._note(f"{where}: {message}" if where else message)

    @property
    def is_enough(self) -> bool:
        return self.noted >= _MOST_NOTED or self.vertices > MOST_VERTICES


class _Unreadable(Exception):
    """The file is no JSON that could be looked at further."""


class AreaFiles:
    """Reads areas out of files, each file once however many areas are in it."""

    def __init__(self) -> None:
        self._read: dict[Path, Any] = {}

    def area(self, path: Path, wanted: Mapping[str, str], note: Note) -> str | None:
        """The geometry of an area as the bundle keeps it: canonical GeoJSON, every digit as it came.

        Args:
            path: the file.
            wanted: properties that a feature must have to be part of the area; none: the whole file is.
            note: told every fault.

        Returns:
            None where anything was noted.
        """
        limits = _Limits(note)
        try:
            document = self._document(path)
        except _Unreadable as why:
            limits.add("", str(why))
            return None
        polygons = [polygon for shape in _shapes(document, wanted, limits) for polygon in _polygons(shape, limits)]
        if limits.vertices > MOST_VERTICES:
            limits.add("", f"more than {MOST_VERTICES} positions: use boundaries generalised to 20 m or coarser")
        if not limits.noted:
            _check_whole(polygons, limits)
        return None if limits.noted else as_geometry(polygons)

    def _document(self, path: Path) -> Any:  # noqa: ANN401  whatever JSON says
        if path not in self._read:
            self._read[path] = _parsed(path)
        return self._read[path]


def _parsed(path: Path) -> Any:  # noqa: ANN401  whatever JSON says
    try:
        data = read_at_most(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            message = f"larger than {MAX_BYTES // 2**20} MiB: use boundaries generalised to 20 m or coarser"
            raise _Unreadable(message)
        return json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=float,
            parse_constant=_no_number,
        )
    except OSError as error:
        message = f"expected a GeoJSON file: {error.strerror}"
        raise _Unreadable(message) from None
    except UnicodeDecodeError:
        message = "expected GeoJSON in UTF-8"
        raise _Unreadable(message) from None
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg}, in line {error.lineno}, column {error.colno}"
        raise _Unreadable(message) from None
    except RecursionError:
        message = "not GeoJSON: nested too deeply"
        raise _Unreadable(message) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "an object has the same key twice"
        raise _Unreadable(message)
    return found


def _no_number(name: str) -> Any:  # noqa: ANN401
    message = f"not JSON: {name} is not a number that a position can have"
    raise _Unreadable(message)


class _Found(NamedTuple):
    """A geometry, and where in the file it stands."""

    where: str
    geometry: Mapping[str, Any]


def _shapes(document: Any, wanted: Mapping[str, str], limits: _Limits) -> Iterator[_Found]:  # noqa: ANN401
    """Every geometry that belongs to the area."""
    if not isinstance(document, dict):
        limits.add("", "expected GeoJSON, an object with a `type`")
        return
    _check_crs(document, limits)
    if document.get("type") in _SHAPES and not wanted:
        yield _Found("", document)
        return
    features = list(_features(document, limits))
    chosen = [(where, feature) for where, feature in features if _is_wanted(feature, wanted)]
    if not chosen and not limits.noted:
        asked = ", ".join(f"{name}: {value}" for name, value in wanted.items())
        limits.add("", f"no feature has {asked[:200]}" if wanted else "holds no feature: an area needs one")
    for where, feature in chosen:
        geometry = feature.get("geometry")
        if isinstance(geometry, dict):
            yield _Found(f"{where}geometry.", geometry)
        else:
            limits.add(f"{where}geometry", "expected a Polygon or a MultiPolygon")


def _features(document: Mapping[str, Any], limits: _Limits) -> Iterator[tuple[str, Mapping[str, Any]]]:
    kind, features = document.get("type"), document.get("features")
    if kind == "Feature":
        yield "", document
    elif kind != "FeatureCollection" or not isinstance(features, list):
        seen = kind[:40] if isinstance(kind, str) else "none"
        limits.add("type", f"expected Polygon, MultiPolygon, Feature or FeatureCollection, got {seen}")
    else:
        for number, feature in enumerate(features):
            if isinstance(feature, dict) and feature.get("type") == "Feature":
                yield f"features[{number}].", feature
            else:
                limits.add(f"features[{number}]", "expected a Feature")
                if limits.is_enough:
                    return


def _is_wanted(feature: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    properties = feature.get("properties")
    stated = properties if isinstance(properties, dict) else {}
    return all(_as_text(stated.get(name)) == value for name, value in wanted.items())


def _as_text(value: object) -> str | None:
    """Properties are compared as text: 12 in a bundle means both 12 and "12" in the file."""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else repr(value)
    return value if isinstance(value, str) else None


def _check_crs(document: Mapping[str, Any], limits: _Limits) -> None:
    if "crs" not in document:
        return
    crs = document["crs"]
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not (isinstance(name, str) and name in _WGS84):
        seen = name[:60] if isinstance(name, str) else "another, or none"
        limits.add("crs", f"expected WGS84 (leave `crs` out), got {seen}: export the area in EPSG:4326")


def _polygons(found: _Found, limits: _Limits) -> list[Rings]:
    where, geometry = found
    kind, nested = geometry.get("type"), geometry.get("coordinates")
    if kind not in _SHAPES:
        seen = kind[:40] if isinstance(kind, str) else "none"
        limits.add(f"{where}type", f"expected a Polygon or a MultiPolygon, got {seen}")
        return []
    if not isinstance(nested, list) or not nested:
        limits.add(f"{where}coordinates", "expected rings of positions")
        return []
    several = enumerate(nested) if kind == "MultiPolygon" else ((None, nested),)
    polygons = []
    for number, rings in several:
        part = f"{where}coordinates" + ("" if number is None else f"[{number}]")
        polygons.append(_polygon(rings, part, limits))
        if limits.is_enough:
            break
    return polygons


def _polygon(rings: object, where: str, limits: _Limits) -> Rings:
    if not isinstance(rings, list) or not rings:
        limits.add(where, "expected an outer ring, then any holes")
        return []
    before, polygon = limits.noted, []
    for number, ring in enumerate(rings):
        polygon.append(_ring(ring, f"{where}[{number}]", limits))
        if limits.is_enough:
            break
    if limits.noted == before and limits.vertices <= MOST_VERTICES:
        _check_polygon(polygon, where, limits)
    return polygon


def _ring(ring: object, where: str, limits: _Limits) -> Ring:
    if not isinstance(ring, list) or len(ring) < 4:
        limits.add(where, "expected a ring of at least four positions, the first again at its end")
        return []
    limits.vertices += len(ring)
    if limits.vertices > MOST_VERTICES:
        return []
    positions: Ring = []
    for number, position in enumerate(ring):
        if fault := _fault(position):
            limits.add(f"{where}[{number}]", fault)
            if limits.is_enough:
                return []
        else:
            positions.append((position[0], position[1]))
    if len(positions) == len(ring) and positions[0] != positions[-1]:
        limits.add(where, "the ring is not closed: its last position must be its first")
    return positions


def _fault(position: Any) -> str:  # noqa: ANN401
    """What is wrong with a position; empty if nothing is."""
    if not (isinstance(position, list) and len(position) in (2, 3) and all(type(each) is float for each in position)):
        return "expected a position, [longitude, latitude]"
    longitude, latitude = position[:2]
    if not (math.isfinite(longitude) and abs(longitude) <= 180):
        return "expected a longitude from -180 to 180 degrees; is the file in metres, not in WGS84?"
    if not (math.isfinite(latitude) and abs(latitude) <= 90):
        return "expected a latitude from -90 to 90 degrees; is the latitude first?"
    return (
        f"lies beyond {MOST_LATITUDE:g} degrees of latitude, where nothing is measured"
        if (abs(latitude) > MOST_LATITUDE)
        else ""
    )


def _check_polygon(polygon: Rings, where: str, limits: _Limits) -> None:
    """That its rings do not cross, in degrees as on its plane, and that it holds any ground."""
    longitudes = [longitude for longitude, _ in polygon[0]]
    if max(longitudes) - min(longitudes) > _MOST_WIDE:
        limits.add(where, f"wider than {_MOST_WIDE:g} degrees of longitude: cut it in parts (RFC 7946, 3.1.9)")
        return
    low, high = np.min(polygon[0], axis=0), np.max(polygon[0], axis=0)
    plane = projection(crs_at(*((low + high) / 2).tolist()))
    on_plane = [plane.of_all(np.array(ring)) for ring in polygon]
    parts = sound(on_plane)
    if parts is None:
        broken = Polygon(on_plane[0], on_plane[1:])
        limits.add(where, f"its rings cross ({_place_of(shapely.is_valid_reason(broken), plane.back)})")
    elif sum(part.area for part in parts) < _LEAST_M2:
        limits.add(where, "holds less than a square metre")


def _place_of(reason: str, back: Callable[[Any], Any]) -> str:
    """The reason that GEOS gives, its place in degrees: ``Self-intersection[429736.8 433837.9]``."""
    words, _, place = reason.partition("[")
    try:
        ((longitude, latitude),) = back(np.array([[float(number) for number in place.rstrip("]").split()]]))
    except ValueError:
        return words
    return f"{words} near longitude {longitude:.5f}, latitude {latitude:.5f}"


def _check_whole(polygons: list[Rings], limits: _Limits) -> None:
    corners = np.concatenate([np.array(polygon[0]) for polygon in polygons])
    low, high = corners.min(axis=0), corners.max(axis=0)
    if high[0] - low[0] > _MOST_WIDE:
        limits.add("", f"wider than {_MOST_WIDE:g} degrees of longitude: make several areas of it")
        return
    longitude, latitude = ((low + high) / 2).tolist()
    if island_of(longitude, latitude) is None and island_of(latitude, longitude) is not None:
        limits.add("", "latitude stands first, it seems: GeoJSON has [longitude, latitude]")
        return
    try:
        shape_of(polygons)
    except Rejected as why:
        limits.add("", str(why))
