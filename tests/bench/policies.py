"""Made-up policies of any size, and events of one origin of them, for measuring what deciding costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any, Final

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered, Place
from routing.agreements.model import (
    Agreement,
    Area,
    Condition,
    Forbid,
    Limit,
    MemberFacts,
    Refer,
    Rule,
    Share,
    Signature,
    Step,
    Terms,
)
from routing.agreements.regions import regions_of
from schemas.codes import codes
from schemas.sections import SECTIONS

_FIRST_DAY: Final = date(2026, 1, 1)
_AREAS: Final = tuple(f"area-{number}" for number in range(24))
_CATEGORIES: Final = tuple(code for code in codes("category") if code.count("/") == 1)
_NONE: Final[frozenset[str]] = frozenset()


def a_bundle(rules: int, members: int, seed: int = 1285) -> Bundle:
    """Agreements of ten rules: a fifth from everybody to everybody, the others within a region or between two members.

    The first member, which is measured, is an origin of most of the first hundred.
    """
    random = Random(seed)
    names = tuple(f"member-{number:03d}" for number in range(members))
    facts = tuple(
        MemberFacts(name, True, True, "GB", competent_authority=True, area=random.choice(_AREAS)) for name in names
    )
    agreements = tuple(_agreement(f"A-{number:04d}", names, number, random) for number in range(rules // 10))
    areas = tuple(Area(name, "{}") for name in sorted(_AREAS))
    return Bundle(1, "bench", facts, agreements, areas=areas)


def _agreement(name: str, names: tuple[str, ...], number: int, random: Random) -> Agreement:
    size = len(names) // 10
    region = names[size * (number % 10) :][:size]
    if number % 5 == 0 and number < 100:
        origins, to = names, names
    elif number % 2 == 0:
        origins, to = (*region, *(names[:1] if number < 100 else ())), region
    else:
        origins, to = tuple(random.sample(names, 2)), tuple(random.sample(names, 2))
        origins = (names[0], *origins) if number % 3 == 0 and number < 100 else origins
    origins, to = tuple(sorted(set(origins))), tuple(sorted(set(to)))
    return Agreement(
        id=name,
        title="t",
        owner="o",
        starts=_FIRST_DAY,
        origins=origins,
        rules=tuple(_rule(f"r{each}", each, to, random) for each in range(10)),
        review=date(2027, 1, 1),
        signatures=tuple(Signature(origin, "n", "r", _FIRST_DAY) for origin in origins),
        ceiling=SECTIONS,
        onward="ask",
    )


def _rule(name: str, number: int, to: tuple[str, ...], random: Random) -> Rule:
    """Of ten rules seven share, two forbid, and one asks a person or caps."""
    kept: dict[str, Any] = {"id": name, "recipients": to}
    if number < 7:
        which = Condition("category", tuple(random.sample(_CATEGORIES, 2)))
        kept["unless"] = ((_about(("flags", "caveats"), random),),) if number % 3 == 0 else ()
        terms = Terms("law-enforcement", "part-3", "DPA 2018 s.35(2)(b)", random.choice((30, 90, 365)))
        grant = tuple(section for section in SECTIONS if random.random() < 0.4)
        when = (which, _about(("grade", "area", "near", "flags"), random))
        return Share(**kept, when=when, grant=grant, terms=terms, locate="1km" if number == 6 else "exact")
    kept["when"] = (_about(("flags", "caveats", "qualifiers"), random),)
    covers = tuple(section for section in SECTIONS if random.random() < 0.2) or ("facts",)
    if number < 9:
        return Forbid(**kept, sections=covers)
    if random.random() < 0.7:
        return Refer(**kept, sections=covers, path=(Step("inspector", 900),))
    return Limit(**kept, locate="1km")


def _about(attributes: tuple[str, ...], random: Random) -> Condition:
    attribute: Any = random.choice(attributes)
    if attribute == "near":
        return Condition("near", (random.choice(("recipient", "origin")),), within_m=random.choice((0, 5_000)))
    if attribute == "area":
        return Condition("area", tuple(random.sample(_AREAS, 3)))
    listed = codes(attribute)
    return Condition(attribute, tuple(random.sample(listed, min(len(listed), 3))))


# -- events


def some_events(bundle: Bundle, number: int, seed: int = 35) -> Iterator[Considered]:
    """Events of one origin, no two alike: most say little besides category, grade and place, as most incidents do."""
    random = Random(seed)
    regions = regions_of(bundle)
    seen: set[Considered] = set()
    while len(seen) < number:
        event = _event(random, regions)
        if event not in seen:
            seen.add(event)
            yield event


def _event(random: Random, regions: frozenset[str]) -> Considered:
    def some(attribute: str, often: float) -> frozenset[str]:
        number = random.choice((1, 1, 2)) if random.random() < often else 0
        return frozenset(random.sample(codes(attribute), number))

    area = random.choice(_AREAS)
    inside = frozenset((area, f"{area}+5000m", f"{random.choice(_AREAS)}+5000m")) & regions
    return Considered(
        origin="member-000",
        category=random.choice(codes("category")),
        qualifiers=some("qualifiers", 0.4),
        flags=some("flags", 0.25),
        caveats=some("caveats", 0.05),
        handling=_NONE,
        grade=random.choice(codes("grade")),
        status=random.choice(codes("status")),
        kind="updated",
        mode="actual",
        marking="official",
        places=(Place("incident", "Leeds", has_coordinates=True, inside=inside),),
        sections=frozenset(("classification", "locations", random.choice(("facts", "vehicles", "hazards")))),
        addressees=_NONE,
        regions=regions,
    )
