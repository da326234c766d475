"""Places against areas, and places told coarsely. Coordinates come in here and go no further.

::

    area files ──area_files──► GeoJSON in the bundle ──shapes──► Zone on its plane ─┐
                                                                  Grid: an index ───┤
    longitude, latitude, radius ─────────────────────────────────────────► Geography.relations ──► names of regions
                                └──────► cells.cell_of ──► the cell that stands in for it

What always holds:

- The answers are those of plain geometry on the plane of the area; the index only makes them quick.
- Areas and places are moved by the same projection, written out in `projection`: no network, no grids, no register.
- Only the names of areas and cells leave: no coordinate is logged, counted or recorded.

It knows nothing of agreements: `routing.agreements.measured` makes a `Geography` of a bundle.
"""
