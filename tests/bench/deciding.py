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
from datetime import UTC, datetime
from statistics import median
from typing import Final

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import Decision
from routing.agreements.engine import Engine, Group
from routing.agreements.interpret import decide, recipients
from routing.garbage import NEW_MOST
from tests.bench.policies import a_bundle, some_events

NOW: Final = datetime(2026, 6, 10, 11, tzinfo=UTC)


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
    before = gc.get_threshold()
    gc.set_threshold(NEW_MOST, 20, 20)
    figures = {
        "compile_s": compile_s,
        "warm_us": _each(seen, lambda event: engine.decide(event, NOW)),
        "first_sight_us": _each(unseen, lambda event: engine.decide(event, NOW)),
        "first_sight_in_full_us": _each(others, lambda event: whole.decide(event, NOW)),
        "first_event_us": median(_first(bundle, event) for event in unseen[:9]),
        "interpreter_us": _interpreter(bundle, unseen[:2]),
    }
    gc.set_threshold(*before)
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


if __name__ == "__main__":
    for name, figure in measure_deciding().items():
        print(f"{name} {figure:.2f}")
