"""What places are measured against: areas, and areas with a distance around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from routing.agreements.bundle import Bundle
from routing.agreements.model import Condition

_REGION: Final = re.compile(r"(.*?)(?:\+(\d+)m)?")


def region(area: str, within_m: int = 0) -> str:
    """The name of an area with a distance around it: ``gm+5000m``; with no distance it is the area itself."""
    return f"{area}+{within_m}m" if within_m else area


def area_within(name: str) -> tuple[str, int]:
    """The area of a region and the distance around it: the inverse of ``region``."""
    found = _REGION.fullmatch(name)
    return (found[1], int(found[2] or 0)) if found else (name, 0)


def wider(name: str, among: Iterable[str]) -> list[str]:
    """The regions around the same area that reach further: who is in one is in all of these."""
    area, within_m = area_within(name)
    return [other for other in among for of, at in [area_within(other)] if of == area and at > within_m]


def area_near(condition: Condition, areas: Mapping[str, str], origin: str, recipient: str) -> str | None:
    """The area that a ``near`` looks at; None where the member has none.

    Args:
        condition: ``recipient`` and ``origin`` may stand for a member's name.
        areas: the name of each member's area.
        origin: of the event.
        recipient: of the decision.
    """
    named = condition.values[0]
    return areas.get({"recipient": recipient, "origin": origin}.get(named, named))


def region_near(condition: Condition, areas: Mapping[str, str], origin: str, recipient: str) -> str | None:
    """The region that a ``near`` looks at; None where the member has no area."""
    area = area_near(condition, areas, origin, recipient)
    return region(area, condition.within_m) if area else None


def distances_of(bundle: Bundle) -> Mapping[str, tuple[int, ...]]:
    """For each area of the bundle the distances in metres that places are measured against: 0, then others, rising."""
    found = {area.name: {0} for area in bundle.areas}
    for area, within_m in _nears(bundle):
        # A member's area that the bundle does not hold is measured by nobody: near it is not known.
        found.get(area, set()).add(within_m)
    return {area: tuple(sorted(distances)) for area, distances in found.items()}


def regions_of(bundle: Bundle) -> frozenset[str]:
    """Every region that a place of an event is measured against: all areas, and every ``near`` of any rule."""
    return frozenset(region(area, each) for area, distances in distances_of(bundle).items() for each in distances)


def regions_between(bundle: Bundle, origin: str, recipient: str) -> frozenset[str]:
    """The regions that any rule from this origin to this recipient looks at."""
    found: set[str] = set()
    for _, rule in bundle.rules_between(origin, recipient):
        for condition in (each for block in (rule.when, *rule.unless) for each in block):
            if condition.attribute == "area":
                found.update(condition.values)
            elif condition.attribute == "near":
                near = region_near(condition, bundle.area_by_member, origin, recipient)
                found |= {near} if near else set()
    return frozenset(found)


def _nears(bundle: Bundle) -> Iterator[tuple[str, int]]:
    """Every area and distance that a ``near`` names."""
    for agreement in bundle.agreements:
        for rule in agreement.rules:
            for condition in (each for block in (rule.when, *rule.unless) for each in block):
                if condition.attribute == "near":
                    who = {"recipient": rule.recipients, "origin": agreement.origins}
                    named = who.get(condition.values[0], condition.values)
                    areas = {bundle.area_by_member.get(each) for each in named}
                    yield from ((area, condition.within_m) for area in areas if area)
