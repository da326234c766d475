"""An index of zones by degrees: for most positions it knows the answer, for the rest which zones to ask.

Cells of 0.64° are cut in sixteen, down to 0.01°, only where a zone's border (or a distance from it) runs through. So
large areas take no more room than their borders are long, and looking up is a handful of steps in lists. A cell counts
as decided only if every position of it stands alike, by the distance from its centre and how far its corners are from
that, with a metre and a hundredth to spare for what a cell of degrees is bent on the plane. What is not decided is
asked of the zones themselves, so the index changes no answer; it has room for a number of borders, and beyond that more
is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice, product
from math import floor
from typing import Final, NamedTuple

import numpy as np

from routing.geography.projection import MOST_LATITUDE, Floats
from routing.geography.zones import Zone

_PER_DEGREE: Final = 100
_SHIFTS: Final = (6, 4, 2, 0)
"""Cells are 64, 16, 4 and 1 hundredth of a degree wide."""
_BRANCHES: Final = 4
CLEAR_M: Final = 100.0
"""Up to this radius the index knows of cells that are clear of every border; beyond it zones nearby are asked.

Most callers are located to some tens of metres. A greater one would leave fewer cells clear.
"""
CLOSE_M: Final = 10_000.0
"""Up to this radius only zones nearby are asked; beyond it every one."""
MOST_CUT: Final = 150_000
"""Borders that cells are cut for; 60 areas like those of police forces take some 12,000."""
_AT_ONCE: Final = 64
_NOTHING: Final[frozenset[str]] = frozenset()

CellId = tuple[int, int]
"""Column and row, counted from 0° in cells of the level."""


class Leaf(NamedTuple):
    """What holds in a cell: of places without a radius, and of those with one up to `CLEAR_M`."""

    inside: frozenset[str]
    """The regions in which every place without a radius lies, of the zones that are decided."""
    undecided: tuple[int, ...]
    """The other zones, by number: to be asked of a place without a radius."""
    clear: frozenset[str]
    """The regions in which every place with such a radius lies wholly, of the zones that are clear."""
    unclear: tuple[int, ...]
    """The other zones: to be asked of a place with such a radius."""


Node = Leaf | list["Node"]


class _Found:
    """A cell while the index is built."""

    __slots__ = ("clear", "inside", "unclear", "undecided")

    def __init__(self, clear: frozenset[str], unclear: list[int]) -> None:
        self.clear = clear
        self.unclear = unclear
        self.inside = clear
        self.undecided: list[int] = []


class Grid:
    """The index of a bundle's zones; immutable once made."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self._zones = zones
        self._suffixes = [[frozenset(zone.names[k:]) for k in range(len(zone.names) + 1)] for zone in zones]
        self._same: dict[Leaf, Leaf] = {}
        self._unions: dict[tuple[frozenset[str], frozenset[str]], frozenset[str]] = {}
        self._tops: dict[CellId, Node] = {}
        self.cut = 0
        """For how many borders of zones cells were cut."""
        around = [_cells_near(zone, 1.01 * CLOSE_M) for zone in zones]
        self.everywhere = tuple(number for number, cells in enumerate(around) if cells is None)
        """Zones that no cells stand for, to be asked of every place: those that reach over the antimeridian."""
        self._close = _by_cell(around, self.everywhere)
        self._build()

    def leaf(self, longitude: float, latitude: float) -> Leaf | None:
        """What holds of a place at a position; None: it lies in no region, nor partly up to `CLEAR_M`."""
        column, row = floor(longitude * _PER_DEGREE), floor(latitude * _PER_DEGREE)
        node = self._tops.get((column >> 6, row >> 6))
        shift = 4
        while isinstance(node, list):
            node = node[((row >> shift) & 3) * _BRANCHES + ((column >> shift) & 3)]
            shift -= 2
        return node

    def _build(self) -> None:
        """Some of the largest cells at a time, down to the smallest, so that making it takes little room."""
        tops = iter(sorted(self._top_cells().items()))
        while cells := dict(islice(tops, _AT_ONCE)):
            for level, shift in enumerate(_SHIFTS):
                self._decide(cells, shift)
                cut = self._cut(cells) if shift else {}
                for cell, found in cells.items():
                    self._put(level, cell, [_EMPTY] * _BRANCHES**2 if cell in cut else self._leaf(found))
                cells = _cut_in_parts(cut)

    def close(self, longitude: float, latitude: float) -> tuple[int, ...]:
        """The zones that a place with a radius up to `CLOSE_M` may touch; others it is out of."""
        return self._close.get(_top_cell(longitude, latitude), self.everywhere)

    def _top_cells(self) -> dict[CellId, _Found]:
        """The largest cells that a zone may reach into, with some way to spare."""
        cells: dict[CellId, _Found] = {}
        for number, zone in enumerate(self._zones):
            if number not in self.everywhere:
                for cell in _cells_near(zone, 2 * CLEAR_M) or ():
                    cells.setdefault(cell, _Found(_NOTHING, [])).unclear.append(number)
        return cells

    def _decide(self, cells: dict[CellId, _Found], shift: int) -> None:
        """Find of each cell's unclear zones those that every place of it stands alike to."""
        asked: dict[int, list[CellId]] = defaultdict(list)
        for cell, found in cells.items():
            for number in found.unclear:
                asked[number].append(cell)
            found.unclear = []
        for number, of_zone in asked.items():
            suffixes = self._suffixes[number]
            verdicts = self._zones[number].over_cells(*_on_plane(self._zones[number], of_zone, shift), CLEAR_M)
            for cell, decided, clear, out_of in zip(of_zone, *(each.tolist() for each in verdicts), strict=True):
                found = cells[cell]
                if not decided:
                    found.undecided.append(number)
                elif suffixes[out_of]:
                    found.inside = self._union(found.inside, suffixes[out_of])
                if not clear:
                    found.unclear.append(number)
                elif suffixes[out_of]:
                    found.clear = self._union(found.clear, suffixes[out_of])

    def _cut(self, cells: dict[CellId, _Found]) -> dict[CellId, _Found]:
        """The cells that are worth cutting, as far as there is room."""
        worth = {cell: found for cell, found in cells.items() if found.undecided}
        borders = sum(len(found.undecided) for found in worth.values())
        if self.cut + borders > MOST_CUT:
            return {}
        self.cut += borders
        return worth

    def _put(self, level: int, cell: CellId, node: Node) -> None:
        column, row = cell
        if level == 0:
            self._tops[cell] = node
            return
        shift = 2 * level
        parent = self._tops[column >> shift, row >> shift]
        while isinstance(parent, list):
            shift -= 2
            place = ((row >> shift) & 3) * _BRANCHES + ((column >> shift) & 3)
            if shift == 0:
                parent[place] = node
                return
            parent = parent[place]

    def _leaf(self, found: _Found) -> Leaf:
        leaf = Leaf(found.inside, tuple(found.undecided), found.clear, tuple(found.unclear))
        return self._same.setdefault(leaf, leaf)

    def _union(self, one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
        """Equal sets are one object: what is found of places is compared and kept a great many times."""
        return self._unions.setdefault((one, other), one | other)


_EMPTY: Final = Leaf(_NOTHING, (), _NOTHING, ())


def _top_cell(longitude: float, latitude: float) -> CellId:
    return floor(longitude * _PER_DEGREE) >> _SHIFTS[0], floor(latitude * _PER_DEGREE) >> _SHIFTS[0]


def _cut_in_parts(cells: dict[CellId, _Found]) -> dict[CellId, _Found]:
    """The sixteen parts of each cell; what is decided of the whole holds of each."""
    return {
        (column * _BRANCHES + east, row * _BRANCHES + north): _Found(found.clear, list(found.unclear))
        for (column, row), found in cells.items()
        for east in range(_BRANCHES)
        for north in range(_BRANCHES)
    }


def _by_cell(around: Sequence[list[CellId] | None], everywhere: tuple[int, ...]) -> dict[CellId, tuple[int, ...]]:
    """For each cell the zones around it, and those of everywhere."""
    found: dict[CellId, list[int]] = defaultdict(list)
    for number, cells in enumerate(around):
        for cell in cells or ():
            found[cell].append(number)
    return {cell: (*numbers, *everywhere) for cell, numbers in found.items()}


def _cells_near(zone: Zone, spare_m: float) -> list[CellId] | None:
    """The largest cells within so much of all that any region of a zone reaches; None where degrees are no help."""
    spare = zone.reach_m + spare_m
    x = np.linspace(zone.west - spare, zone.east + spare, 33)
    y = np.linspace(zone.south - spare, zone.north + spare, 33)
    edge = np.concatenate(
        [np.column_stack((x, np.full(33, side))) for side in (y[0], y[-1])]
        + [np.column_stack((np.full(33, side), y)) for side in (x[0], x[-1])]
    )
    degrees = zone.projection.back(edge)
    spared = 0.02
    (west, south), (east, north) = degrees.min(axis=0) - spared, degrees.max(axis=0) + spared
    if not (west >= -180 and east <= 180 and south >= -MOST_LATITUDE and north <= MOST_LATITUDE and east - west < 60):
        return None
    low, high = _top_cell(west, south), _top_cell(east, north)
    return list(product(range(low[0], high[0] + 1), range(low[1], high[1] + 1)))


def _on_plane(zone: Zone, cells: list[CellId], shift: int) -> tuple[Floats, Floats]:
    """The centres of cells on a zone's plane, and how far from each any position of its cell may be."""
    size = (1 << shift) / _PER_DEGREE
    corners = np.array(cells, dtype=float) * size
    plane = zone.projection
    centres = plane.of_all(corners + size / 2)
    reach = np.zeros(len(cells))
    # The corners towards the equator are the ones that lie furthest out.
    towards = np.where(corners[:, 1] < 0, size, 0.0)
    for east in (0.0, size):
        corner = plane.of_all(corners + np.column_stack((np.full(len(cells), east), towards)))
        reach = np.maximum(reach, np.hypot(*(corner - centres).T))
    return centres, reach * 1.01 + 1
