"""What deciding costs, without Kafka: compiled bundles of 200 rules for 60 members, and of 5,000 for 500.

*Warm*: events of shapes that were decided before. *First sight*: each event of a shape never seen, in a process that
has decided others. *Cold*: the first event of an engine that has just been compiled. All recipients at once, each time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from random import Random
from statistics import median
from typing import Any, Final

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered, Place
from routing.agreements.engine import Engine, Group
from routing.agreements.interpret import decide, recipients
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

NOW: Final = datetime(2026, 6, 10, 11, tzinfo=UTC)
_FIRST_DAY: Final = date(2026, 1, 1)
_AREAS: Final = tuple(f"area-{number}" for number in range(24))
_CATEGORIES: Final = tuple(code for code in codes("category") if code.count("/") == 1)
_NONE: Final[frozenset[str]] = frozenset()


def measure_deciding() -> dict[str, float]:
    """Microseconds of deciding one event for all recipients, and seconds of compiling."""
    return {
        f"{size}_{name}": figure
        for size, rules, members in (("200x60", 200, 60), ("5000x500", 5_000, 500))
        for name, figure in _measured(rules, members).items()
    }


def _measured(rules: int, members: int) -> dict[str, float]:
    bundle = a_bundle(rules, members)
    shapes = list(some_events(bundle, 6_000))
    seen, unseen = shapes[:3_000], shapes[3_000:]
    compiling = time.process_time()
    engine = Engine(bundle, tuple)
    compile_s = time.process_time() - compiling
    for event in seen:
        engine.decide(event, NOW)
    warm = median(_each(engine, seen) for _ in range(5))
    first = _each(engine, unseen)
    cold = median(_cold(bundle, event) for event in unseen[:15])
    few = [(each, to) for each in unseen[:2] for to in recipients(bundle, each.origin)[:20]]
    naive = _timed(lambda: [decide(bundle, each, to, NOW) for each, to in few])
    return {
        "compile_s": compile_s,
        "warm_us": warm,
        "first_sight_us": first,
        "cold_us": cold,
        "interpreter_per_recipient_us": naive / len(few),
    }


def _each(engine: Engine[tuple[Group, ...]], events: list[Considered]) -> float:
    return _timed(lambda: [engine.decide(event, NOW) for event in events]) / len(events)


def _cold(bundle: Bundle, event: Considered) -> float:
    engine = Engine(bundle, tuple)
    return _timed(lambda: engine.decide(event, NOW))


def _timed(work: Any) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e6


# -- a policy of a size


def a_bundle(rules: int, members: int, seed: int = 1285) -> Bundle:
    """Agreements of ten rules: some between neighbours, some with many, some from everybody to everybody."""
    random = Random(seed)
    names = tuple(f"member-{number:03d}" for number in range(members))
    facts = tuple(
        MemberFacts(
            name, publishes=True, receives=True, country="GB", competent_authority=True, area=random.choice(_AREAS)
        )
        for name in names
    )
    agreements = tuple(_agreement(f"A-{number:04d}", names, number, random) for number in range(rules // 10))
    areas = tuple(Area(name, "{}") for name in sorted(_AREAS))
    return Bundle(1, "bench", facts, agreements, areas=areas)


def _agreement(name: str, names: tuple[str, ...], number: int, random: Random) -> Agreement:
    if number % 10 == 0:
        origins, to = names, names
    elif number % 3 == 0:
        origins, to = (random.choice(names), names[0]), tuple(random.sample(names, len(names) // 3))
    else:
        origins, to = tuple(random.sample(names, 2)), tuple(random.sample(names, 4))
    origins = tuple(sorted({*origins, names[0]} if random.random() < 0.3 or number < 20 else {*origins}))
    return Agreement(
        id=name,
        title="t",
        owner="o",
        starts=_FIRST_DAY,
        origins=origins,
        rules=tuple(_rule(f"r{each}", each, tuple(sorted(to)), random) for each in range(10)),
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
        return frozenset(random.sample(codes(attribute), random.choice((1, 1, 2)))) if random.random() < often else _NONE

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
