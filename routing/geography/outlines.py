"""Which island a position is on, by outlines drawn for this purpose: coarse, with every border in the open sea.

The language asks for the National Grid in Great Britain, the Irish Grid in Ireland and degrees or UTM elsewhere. What
counts is that the answer is the same everywhere and for ever, so it is read off two polygons that stand here and not
off a coastline, which somebody would correct. Great Britain takes in the Isle of Man, Orkney, Shetland, the Hebrides
with St Kilda, and Scilly; Ireland is the whole island. The Channel Islands are in neither. A ship in the North Channel
may be told in either grid; both are valid there.

Drawn for this project; positions are longitude, latitude in degrees, WGS84.
"""

from __future__ import annotations

from typing import Final, Literal

Island = Literal["great-britain", "ireland"]

_BETWEEN: Final = (
    # From the south up St George's Channel and the North Channel, then west between Malin Head and Islay.
    (-6.0, 51.0),
    (-5.85, 52.3),
    (-5.5, 53.5),
    (-5.28, 54.4),
    (-5.34, 54.75),
    (-5.5, 55.0),
    (-5.92, 55.24),
    (-5.98, 55.36),
    (-6.3, 55.47),
    (-7.2, 55.53),
    (-9.0, 55.6),
)
_IRELAND: Final = (*_BETWEEN, (-11.2, 55.6), (-11.2, 51.0))
_GREAT_BRITAIN: Final = (
    *_BETWEEN,
    (-9.0, 61.3),
    (0.6, 61.3),
    (0.6, 56.0),
    (2.4, 53.4),
    (2.4, 52.0),
    (1.9, 51.35),
    (1.47, 51.0),
    (1.0, 50.6),
    (0.0, 50.3),
    (-2.2, 50.05),
    (-4.0, 49.7),
    (-6.8, 49.5),
)
_OUTLINES: Final[tuple[tuple[Island, tuple[tuple[float, float], ...]], ...]] = (
    ("great-britain", _GREAT_BRITAIN),
    ("ireland", _IRELAND),
)


def island_of(longitude: float, latitude: float) -> Island | None:
    """Great Britain, Ireland, or neither; total, for any finite position."""
    if not (-11.2 <= longitude <= 2.4 and 49.5 <= latitude <= 61.3):
        return None
    return next((island for island, outline in _OUTLINES if _holds(outline, longitude, latitude)), None)


def _holds(outline: tuple[tuple[float, float], ...], longitude: float, latitude: float) -> bool:
    """Whether a line from the position eastwards crosses the outline an odd number of times."""
    inside = False
    x1, y1 = outline[-1]
    for x2, y2 in outline:
        if (y1 > latitude) != (y2 > latitude) and longitude < (x2 - x1) * (latitude - y1) / (y2 - y1) + x1:
            inside = not inside
        x1, y1 = x2, y2
    return inside
