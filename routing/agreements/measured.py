"""A bundle's areas and the distances of its rules, ready to measure places against."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Place
from routing.agreements.model import Area
from routing.agreements.regions import distances_of, region
from routing.geography.measuring import NOWHERE, Geography
from routing.geography.shapes import Shape, polygons_of, shape_of
from routing.geography.zones import Zone
from schemas.errors import Rejected


def geography_of(bundle: Bundle) -> Geography:
    """What the bundle's areas and the distances of its rules come to; remembered while those stay the same.

    What asks of many places makes its index first. Areas that another bundle had too are not read again.

    Raises:
        Rejected: ``bad-bundle``: an area is none. Of a bundle that a loader made, that cannot be.
    """
    return _of_policy(_Policy(bundle.hash, bundle)) if bundle.areas else NOWHERE


def measured(place: Place, longitude: float, latitude: float, radius_m: float, geography: Geography) -> Place:
    """The place with where it stands to every region; the coordinates are not kept.

    A negative radius says of some systems that the position is not valid: then there is none.
    """
    if radius_m < 0:
        return place
    inside, partly = geography.relations(longitude, latitude, radius_m)
    return replace(place, has_coordinates=True, inside=inside, partly=partly)


@dataclass(frozen=True, slots=True)
class _Policy:
    """A bundle, told from others by its hash."""

    hash: str
    bundle: Bundle = field(compare=False)


@lru_cache(maxsize=16)
def _of_policy(policy: _Policy) -> Geography:
    return _of_areas(policy.bundle.areas, tuple(sorted(distances_of(policy.bundle).items())))


@lru_cache(maxsize=4)
def _of_areas(areas: tuple[Area, ...], distances: tuple[tuple[str, tuple[int, ...]], ...]) -> Geography:
    around = dict(distances)
    return Geography(_zone(area, around[area.name]) for area in areas)


def _zone(area: Area, distances_m: tuple[int, ...]) -> Zone:
    return Zone(_shape(area), tuple(region(area.name, each) for each in distances_m), distances_m)


@lru_cache(maxsize=1024)
def _shape(area: Area) -> Shape:
    try:
        return shape_of(polygons_of(area.geometry))
    except Rejected as why:
        raise Rejected(why.reason, f"area {area.name}: {why}", remedy=why.remedy) from None
