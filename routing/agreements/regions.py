"""What places are measured against: areas, and areas with a distance around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routing.agreements.bundle import Bundle
from routing.agreements.model import Condition


def region(area: str, within_m: int = 0) -> str:
    """The name of an area with a distance around it: ``gm+5000m``; with no distance it is the area itself."""
    return f"{area}+{within_m}m" if within_m else area


def region_near(condition: Condition, areas: Mapping[str, str], origin: str, recipient: str) -> str | None:
    """The region that a ``near`` looks at; None where the member has no area.

    Args:
        condition: ``recipient`` and ``origin`` may stand for a member's name.
        areas: the name of each member's area.
        origin: of the event.
        recipient: of the decision.
    """
    named = condition.values[0]
    area = areas.get({"recipient": recipient, "origin": origin}.get(named, named))
    return region(area, condition.within_m) if area else None


def regions_of(bundle: Bundle) -> frozenset[str]:
    """Every region that a place of an event is measured against: all areas, and every ``near`` of any rule."""
    return frozenset(area.name for area in bundle.areas) | frozenset(_nears(bundle))


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


def _nears(bundle: Bundle) -> Iterator[str]:
    for agreement in bundle.agreements:
        for rule in agreement.rules:
            for condition in (each for block in (rule.when, *rule.unless) for each in block):
                if condition.attribute == "near":
                    pairs = ((origin, to) for origin in agreement.origins for to in rule.recipients)
                    found = (region_near(condition, bundle.area_by_member, *pair) for pair in pairs)
                    yield from (each for each in found if each)
