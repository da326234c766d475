"""Places against areas, and places told coarsely. Coordinates come in here and go no further.

::

    area files ──area_files──► GeoJSON in the bundle ──shapes──► Zone on its plane ─┐
                                                                   grid: an index ──┤
    longitude, latitude, radius ──────────────────────────────────────────► Geography.relations ──► names of regions
                                                                              cell_of ──► the cell that stands for it

What always holds:

- The answers are those of plain geometry on the plane of the area; the index only makes them quick.
- Areas and places are moved by the same projection, written out in `projection`: no network, no grids, no register.
- Only the names of areas leave: no coordinate is logged, counted or recorded.

`geography_of` prepares what a bundle measures, once.
"""

from routing.geography.cells import Cell, cell_of
from routing.geography.measuring import NOWHERE, Geography, geography_of

__all__ = ["NOWHERE", "Cell", "Geography", "cell_of", "geography_of"]
