"""Where places stand to everything that a bundle measures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from routing.agreements.bundle import Bundle
from routing.agreements.model import Area
from routing.agreements.regions import distances_of, region
from routing.geography.grid import CLEAR_M, Grid
from routing.geography.shapes import polygons_of, shape_of
from routing.geography.zones import Zone
from schemas.errors import Rejected

_NONE: Final[frozenset[str]] = frozenset()

Relations = tuple[frozenset[str], frozenset[str]]
"""The regions in which a place lies wholly, and those in which it lies partly."""


class Geography:
    """The zones of a bundle, and an index of them. Immutable; make one with `geography_of`."""

    def __init__(self, zones: Iterable[Zone]) -> None:
        self._zones = tuple(zones)
        self._grid = Grid(self._zones)
        self.regions: frozenset[str] = frozenset(name for zone in self._zones for name in zone.names)
        """What places are measured against."""

    def relations(self, longitude: float, latitude: float, radius_m: float = 0.0) -> Relations:
        """Where a place stands to every region; what is in neither set it is out of.

        Args:
            longitude: degrees east, WGS84.
            latitude: degrees north.
            radius_m: uncertainty, at least 0.
        """
        inside, numbers = self._known(longitude, latitude, radius_m)
        return self._asked(numbers, (longitude, latitude), radius_m, inside) if numbers else (inside, _NONE)

    def _known(self, longitude: float, latitude: float, radius_m: float) -> tuple[frozenset[str], Sequence[int]]:
        """What the index knows, and which zones are to be asked besides."""
        if radius_m > CLEAR_M:
            return _NONE, range(len(self._zones))
        leaf = self._grid.leaf(longitude, latitude)
        if leaf is None:
            return _NONE, self._grid.everywhere
        inside, asked = (leaf.clear, leaf.unclear) if radius_m else (leaf.inside, leaf.undecided)
        return inside, asked + self._grid.everywhere if self._grid.everywhere else asked

    def _asked(
        self, numbers: Iterable[int], position: tuple[float, float], radius_m: float, inside: frozenset[str]
    ) -> Relations:
        """The zones' own answers, added to what is known."""
        on_planes: dict[str, tuple[float, float]] = {}
        wholly: list[str] = []
        partly: list[str] = []
        for number in numbers:
            zone = self._zones[number]
            plane = zone.projection
            if plane.crs not in on_planes:
                on_planes[plane.crs] = plane.of(*position)
            found = zone.relations(*on_planes[plane.crs], radius_m)
            wholly += found[0]
            partly += found[1]
        return inside.union(wholly) if wholly else inside, frozenset(partly)


NOWHERE: Final = Geography(())
"""Of a bundle without areas."""


def geography_of(bundle: Bundle) -> Geography:
    """What the bundle's areas and the distances of its rules come to; remembered while those stay the same.

    Making it takes a second or more where there are many areas, so whoever puts a bundle in force asks first.

    Raises:
        Rejected: ``bad-bundle``: an area is none. Of a bundle that a loader made, that cannot be.
    """
    return _of_policy(_Policy(bundle.hash, bundle)) if bundle.areas else NOWHERE


@dataclass(frozen=True, slots=True)
class _Policy:
    """A bundle, told from others by its hash."""

    hash: str
    bundle: Bundle = field(compare=False)


@lru_cache(maxsize=16)
def _of_policy(policy: _Policy) -> Geography:
    return _measured(policy.bundle.areas, tuple(sorted(distances_of(policy.bundle).items())))


@lru_cache(maxsize=4)
def _measured(areas: tuple[Area, ...], distances: tuple[tuple[str, tuple[int, ...]], ...]) -> Geography:
    around = dict(distances)
    return Geography(_zone(area, around[area.name]) for area in areas)


def _zone(area: Area, distances_m: tuple[int, ...]) -> Zone:
    try:
        shape = shape_of(polygons_of(area.geometry))
    except Rejected as why:
        raise Rejected(why.reason, f"area {area.name}: {why}", remedy=why.remedy) from None
    return Zone(shape, tuple(region(area.name, each) for each in distances_m), distances_m)
