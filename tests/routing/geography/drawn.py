"""Areas drawn by chance, and points of which most lie near a border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from routing.agreements.bundle import Bundle
from routing.agreements.measured import geography_of
from routing.agreements.model import Agreement, Area, Condition, Limit, MemberFacts
from routing.geography.measuring import Geography
from routing.geography.shapes import Rings, Shape, as_geometry, polygons_of, shape_of

Floats = Any

PLACES = {
    # Longitude and latitude of the middle, radius in degrees.
    "pennine": (-1.9, 53.7, 0.5),
    "strip": (-2.05, 53.6, 0.2),
    "highland": (-4.5, 57.3, 1.2),
    "thames": (0.1, 51.5, 0.4),
    "leinster": (-6.9, 53.2, 0.6),
    "north-of-ireland": (-7.3, 54.6, 0.5),
    "brabant": (5.2, 51.5, 0.5),
    "normandy": (-0.3, 49.1, 0.7),
    "cape": (18.9, -33.8, 0.8),
    "fiji": (179.6, -17.8, 0.28),
}
"""Great Britain, Ireland, both hemispheres, and one that reaches nearly to the antimeridian."""


def ring(rng: np.random.Generator, middle: tuple[float, float], radius: float, corners: int) -> list[Any]:
    """A simple ring: seen from its middle no corner hides another."""
    turns = (np.arange(corners) + rng.uniform(0, 0.9, corners)) / corners * 2 * np.pi
    reach = radius * rng.uniform(0.45, 1.0, corners)
    x = middle[0] + reach * np.cos(turns) * 1.3
    y = middle[1] + reach * np.sin(turns)
    found = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    return [*found, found[0]]


def border(rng: np.random.Generator, middle: tuple[float, float], radius: float, corners: int) -> list[Any]:
    """A ring that wanders as borders do, each corner some way in or out from the last, and ends where it began."""
    steps = rng.normal(0, 0.012, corners)
    wander = np.cumsum(steps - steps.mean())
    reach = radius * np.clip(1 + wander - wander.mean(), 0.4, 1.6)
    turns = np.arange(corners) / corners * 2 * np.pi
    x = middle[0] + reach * np.cos(turns) * 1.6
    y = middle[1] + reach * np.sin(turns)
    found = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    return [*found, found[0]]


def drawn(rng: np.random.Generator, name: str) -> list[Rings]:
    """One to three polygons, the first with a hole or two."""
    x, y, radius = PLACES[name]
    rings = [ring(rng, (x, y), radius, int(rng.integers(20, 300)))]
    holes, islands = (int(number) for number in rng.integers(0, 3, 2))
    rings += [ring(rng, (x + side * radius * 0.15, y), radius * 0.08, 12) for side in (-1, 1)[:holes]]
    away = [ring(rng, (x - side * radius * 3, y + radius), radius * 0.3, 20) for side in (1, 2)[:islands]]
    return [rings, *([each] for each in away)]


@dataclass(frozen=True)
class Drawn:
    """A bundle's geography, and its areas as plain shapely has them."""

    geography: Geography
    shapes: dict[str, Shape]
    distances: tuple[int, ...]


def a_geography(seed: int, distances: tuple[int, ...] = (0, 2_500, 20_000)) -> Drawn:
    rng = np.random.default_rng(seed)
    geometries = {name: as_geometry(drawn(rng, name)) for name in PLACES}
    bundle = bundle_of(geometries, distances[1:])
    shapes = {name: shape_of(polygons_of(text)) for name, text in geometries.items()}
    geography = geography_of(bundle)
    geography.make_index()
    return Drawn(geography, shapes, distances)


def bundle_of(geometries: dict[str, str], distances: tuple[int, ...] = ()) -> Bundle:
    """Every area is a member's, and a rule looks around each at every distance."""
    from datetime import date

    members = tuple(MemberFacts(name, True, True, "GB", True, name) for name in geometries)
    names = tuple(sorted(geometries))
    rules = tuple(
        Limit(id=f"w{each}", recipients=names, when=(Condition("near", ("recipient",), within_m=each),), locate="1km")
        for each in distances
    )
    agreement = Agreement(id="A", title="t", owner="o", starts=date(2026, 1, 1), origins=names, rules=rules)
    areas = tuple(Area(name, geometries[name]) for name in names)
    return Bundle(1, "x", members, (agreement,), areas=areas)


def near_borders(rng: np.random.Generator, shapes: dict[str, Shape], number: int) -> Floats:
    """Longitudes and latitudes: most within some metres or kilometres of a border, corners, and some anywhere."""
    found = []
    each = number // len(shapes)
    for shape in shapes.values():
        border = shapely.boundary(shape.outline)
        on = shapely.line_interpolate_point(border, rng.random(each), normalized=True)
        offsets = rng.normal(0, 1, (each, 2)) * 10 ** rng.uniform(-5, 4.5, (each, 1))
        found.append(shape.projection.back(shapely.get_coordinates(on) + offsets))
        west, south, east, north = shapely.bounds(shape.outline)
        anywhere = rng.uniform((west, south), (east, north), (each // 10, 2))
        found.append(shape.projection.back(anywhere))
    return rng.permutation(np.concatenate(found))


def by_plain_shapely(drawn: Drawn, points: Floats, radii: Floats) -> dict[str, tuple[Floats, Floats]]:
    """For each region which points lie in it wholly, and which partly: the sentences of the language, word for word."""
    found = {}
    for name, shape in drawn.shapes.items():
        centres = shapely.points(shape.projection.of_all(points))
        d = shapely.distance(shape.outline, centres)
        b = shapely.distance(shapely.boundary(shape.outline), centres)
        inside = (d == 0) & (b >= radii)
        found[name] = inside, ~inside & (radii > 0) & (d <= radii)
        for w in drawn.distances[1:]:
            inside = d + radii <= w
            found[f"{name}+{w}m"] = inside, ~inside & (radii > 0) & (d - radii <= w)
    return found
