"""What deciding costs, without Kafka: compiled bundles of 200 rules for 60 members, and of 5,000 for 500.

*Warm*: events of shapes that were decided before. *First sight*: each event of a shape never seen, in a process that
has decided others; *in full* with grounds, terms and rules besides. *First event*: of an engine that has just been
compiled. All recipients at once, each time: the state of the head, and the sections that each gets.

    python -m tests.bench.deciding
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from random import Random
from statistics import median
from typing import Any, Final

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered, Place
from routing.agreements.decision import Decision
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


TARGETS: Final = {
    "warm_us_200_rules_60_members": 5.0,
    "first_sight_us_200_rules_60_members": 25.0,
    "compile_s_5000_rules_500_members": 3.0,
    "first_sight_us_5000_rules_500_members": 100.0,
}
"""What deciding is meant to cost at most."""


def measure_deciding(events: int = 6_000) -> dict[str, float]:
    """Microseconds of processor time of deciding one event for all recipients, and seconds of compiling."""
    return {
        f"{name}_{rules}_rules_{members}_members": figure
        for rules, members in ((200, 60), (5_000, 500))
        for name, figure in _measured(rules, members, events).items()
    }


def _measured(rules: int, members: int, number: int) -> dict[str, float]:
    bundle = a_bundle(rules, members)
    shapes = list(some_events(bundle, number))
    seen, unseen, others = shapes[: number // 2], shapes[number // 2 : number // 4 * 3], shapes[number // 4 * 3 :]
    start = time.process_time()
    engine = Engine(bundle, what_each_gets)
    engine.prepare(NOW)
    compile_s = time.process_time() - start
    whole = Engine(bundle, in_full)
    for event in seen:
        engine.decide(event, NOW)
        whole.decide(event, NOW)
    # As the router's worker does before it begins: else every figure is one of the garbage collector.
    gc.collect()
    gc.freeze()
    figures = {
        "compile_s": compile_s,
        "warm_us": _each(seen, lambda event: engine.decide(event, NOW)),
        "first_sight_us": _each(unseen, lambda event: engine.decide(event, NOW)),
        "first_sight_in_full_us": _each(others, lambda event: whole.decide(event, NOW)),
        "first_event_us": median(_first(bundle, event) for event in unseen[:9]),
        "interpreter_us": _interpreter(bundle, unseen[:2]),
    }
    gc.unfreeze()
    return figures


def what_each_gets(groups: tuple[Group, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Who gets what: the least that any use of decisions reads."""
    return [(group.head, group.covers) for group in groups]


def in_full(groups: tuple[Group, ...]) -> list[Decision]:
    """Everything that a record says."""
    return [group.decision for group in groups]


def _first(bundle: Bundle, event: Considered) -> float:
    """Of an engine that has decided nothing; it is prepared for the origin as a router is for all."""
    engine = Engine(bundle, what_each_gets)
    engine.prepare(NOW, (event.origin,))
    return _each([event], lambda event: engine.decide(event, NOW))


def _interpreter(bundle: Bundle, events: list[Considered]) -> float:
    """Of all recipients, by some of them."""
    everybody = recipients(bundle, events[0].origin)
    some = everybody[:: max(1, len(everybody) // 20)]
    each = _each(events, lambda event: [decide(bundle, event, to, NOW) for to in some])
    return each * len(everybody) / len(some)


def _each(events: list[Considered], work: Callable[[Considered], object]) -> float:
    """Microseconds an event: the median over twenty runs of them, as the machine may be busy with other things."""
    costs = []
    for some in batched(events, max(1, len(events) // 20)):
        start = time.process_time()
        for event in some:
            work(event)
        costs.append((time.process_time() - start) * 1e6 / len(some))
    return median(costs)


def batched(events: list[Considered], size: int) -> Iterator[list[Considered]]:
    """The events in runs of a size."""
    return (events[first : first + size] for first in range(0, len(events), size))


# -- a policy of a size


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


if __name__ == "__main__":
    for name, figure in measure_deciding().items():
        print(f"{name} {figure:.2f}" + (f" (target {TARGETS[name]:g})" if name in TARGETS else ""))
