"""Where the place of a witness lies, seen at a distance that no rule of its bundle asked about.

A witness says of its places only how they lie to the regions of its bundle. It is taken to lie at their very edges:
as far out as the widest region that it is in lets it, and if it is in none of an area's, just outside the widest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from deploy.agreement_tools.mutants.telling_apart import Question
from routing.agreements.bundle import Bundle
from routing.agreements.considered import Place
from routing.agreements.regions import area_within, regions_of


def remeasured(question: Question, bundle: Bundle) -> Question:
    """The question with its places measured against every region of another bundle as well."""
    event = question.event
    new = regions_of(bundle) - event.regions
    if not new:
        return question
    places = tuple(_measured(place, new, event.regions) for place in event.places)
    return replace(question, event=replace(event, places=places, regions=event.regions | new))


def _measured(place: Place, new: Iterable[str], known: Iterable[str]) -> Place:
    if not place.has_coordinates:
        return place
    inside, partly = set(place.inside), set(place.partly)
    for name in new:
        area, metres = area_within(name)
        within = [(at, other) for other in known for of, at in [area_within(other)] if of == area]
        reached = [(at, other) for at, other in within if other in place.inside or other in place.partly]
        if reached:
            nearest = min(reached)
            if nearest[0] <= metres:
                (inside if nearest[1] in place.inside else partly).add(name)
        elif within and max(within)[0] < metres:
            inside.add(name)
    return replace(place, inside=frozenset(inside), partly=frozenset(partly))
