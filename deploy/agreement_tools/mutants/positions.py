"""A point on the map for a place of which only is known which regions it lies in: examples state coordinates."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Place
from routing.agreements.examples import Position
from routing.agreements.measured import geography_of, measured
from routing.geography.shapes import polygons_of

_STEPS: Final = 24
_MARGIN: Final = 0.5
"""How far beyond an area's bounds is looked, as a part of its width and height."""
_RADII_M: Final = (0.0, 500.0)


def position_of(place: Place, bundle: Bundle, regions: Collection[str]) -> tuple[Place, Position] | None:
    """A position that lies as the place does to some regions, and the place as measured there; None: none was found."""
    asked = frozenset(regions)
    for position, inside, partly in _tried(_Drawn(bundle)):
        if inside & asked == place.inside & asked and partly & asked == place.partly & asked:
            return replace(place, has_coordinates=True, inside=inside, partly=partly), position
    return None


class _Drawn:
    """A bundle, told from others by its hash."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def __hash__(self) -> int:
        return hash(self.bundle.hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Drawn) and other.bundle.hash == self.bundle.hash


@lru_cache(maxsize=2)
def _tried(drawn: _Drawn) -> tuple[tuple[Position, frozenset[str], frozenset[str]], ...]:
    """Points on a grid over each area and around it: one for each way of lying to all regions."""
    geography = geography_of(drawn.bundle)
    found: dict[tuple[frozenset[str], frozenset[str]], Position] = {}
    for longitude, latitude in _grid(drawn.bundle):
        for radius_m in _RADII_M:
            at = measured(Place(None, None), longitude, latitude, radius_m, geography)
            found.setdefault((at.inside, at.partly), Position(latitude, longitude, radius_m))
    return tuple((position, *where) for where, position in found.items())


def _grid(bundle: Bundle) -> Iterator[tuple[float, float]]:
    for area in bundle.areas:
        corners = [corner for polygon in polygons_of(area.geometry) for corner in polygon[0]]
        longitudes, latitudes = zip(*corners, strict=True)
        west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
        for column in range(_STEPS + 1):
            for row in range(_STEPS + 1):
                yield round(_between(west, east, column), 4), round(_between(south, north, row), 4)


def _between(low: float, high: float, step: int) -> float:
    margin = (high - low) * _MARGIN
    return low - margin + (high - low + 2 * margin) * step / _STEPS
