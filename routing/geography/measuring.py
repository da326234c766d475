"""Where places stand to a number of areas and the distances around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from routing.geography.grid import CLEAR_M, CLOSE_M, Grid
from routing.geography.zones import Zone

_NONE: Final[frozenset[str]] = frozenset()

Relations = tuple[frozenset[str], frozenset[str]]
"""The regions in which a place lies wholly, and those in which it lies partly."""


class Geography:
    """Zones, and an index of them once it is made. Its answers never change; with the index they come sooner."""

    def __init__(self, zones: Iterable[Zone]) -> None:
        self._zones = tuple(zones)
        self._grid: Grid | None = None
        self.regions: frozenset[str] = frozenset(name for zone in self._zones for name in zone.names)
        """What places are measured against."""

    def make_index(self) -> None:
        """Make the index, unless it is there. It takes seconds for many areas; another thread may go on asking.

        It is made of zones of its own: geometry that is prepared must not be asked by two threads at once.
        """
        if self._grid is None:
            self._grid = Grid([zone.apart() for zone in self._zones])

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
        grid = self._grid
        if grid is None or radius_m > CLOSE_M:
            return _NONE, range(len(self._zones))
        if radius_m > CLEAR_M:
            return _NONE, grid.close(longitude, latitude)
        leaf = grid.leaf(longitude, latitude)
        if leaf is None:
            return _NONE, grid.everywhere
        inside, asked = (leaf.clear, leaf.unclear) if radius_m else (leaf.inside, leaf.undecided)
        return inside, asked + grid.everywhere if grid.everywhere else asked

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
