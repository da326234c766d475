"""Where a synthetic control room's incidents happen: districts of some forces, by name and rough middle.

Good to a kilometre or two: for demonstrations and tests, never for deciding anything.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class District(NamedTuple):
    """A local authority district and a point in the middle of it (WGS84 degrees)."""

    name: str
    latitude: float
    longitude: float


_BY_FORCE: Final = {
    "west-yorkshire": (
        District("Leeds", 53.80, -1.55),
        District("Bradford", 53.80, -1.76),
        District("Kirklees", 53.64, -1.78),
        District("Wakefield", 53.68, -1.50),
        District("Calderdale", 53.72, -1.88),
    ),
    "greater-manchester": (
        District("Manchester", 53.48, -2.24),
        District("Oldham", 53.54, -2.11),
        District("Rochdale", 53.61, -2.16),
        District("Bolton", 53.58, -2.43),
    ),
    "lancashire": (
        District("Preston", 53.76, -2.70),
        District("Burnley", 53.79, -2.24),
        District("Pendle", 53.86, -2.17),
        District("Lancaster", 54.05, -2.80),
    ),
    "north-yorkshire": (
        District("Harrogate", 53.99, -1.54),
        District("Craven", 53.96, -2.02),
        District("Selby", 53.78, -1.07),
        District("York", 53.96, -1.08),
    ),
    "south-yorkshire": (
        District("Barnsley", 53.55, -1.48),
        District("Sheffield", 53.38, -1.47),
        District("Rotherham", 53.43, -1.36),
        District("Doncaster", 53.52, -1.13),
    ),
    "humberside": (
        District("East Riding of Yorkshire", 53.84, -0.43),
        District("Kingston upon Hull, City of", 53.75, -0.34),
    ),
    "derbyshire": (District("High Peak", 53.37, -1.85), District("Chesterfield", 53.24, -1.42)),
    "cumbria": (District("South Lakeland", 54.33, -2.75), District("Carlisle", 54.90, -2.93)),
}
_NEIGHBOURS: Final = {
    "west-yorkshire": ("greater-manchester", "lancashire", "north-yorkshire", "south-yorkshire"),
    "greater-manchester": ("west-yorkshire", "lancashire", "derbyshire"),
    "lancashire": ("greater-manchester", "west-yorkshire", "north-yorkshire", "cumbria"),
    "north-yorkshire": ("west-yorkshire", "lancashire", "humberside"),
    "south-yorkshire": ("west-yorkshire", "derbyshire", "humberside"),
    "humberside": ("north-yorkshire", "south-yorkshire"),
    "derbyshire": ("south-yorkshire", "greater-manchester"),
    "cumbria": ("lancashire", "north-yorkshire"),
}
_ELSEWHERE: Final = (District("Exampleborough", 52.50, -1.00), District("Sampleshire", 52.60, -0.80))


def districts_of(force: str) -> tuple[District, ...]:
    """The districts of a force; invented ones if we hold none of it."""
    return _BY_FORCE.get(force, _ELSEWHERE)


def districts_across_the_border(force: str) -> tuple[District, ...]:
    """The districts of a force's neighbours; its own if we know of none."""
    neighbours = _NEIGHBOURS.get(force, ())
    return tuple(district for name in neighbours for district in _BY_FORCE[name]) or districts_of(force)
