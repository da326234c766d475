"""Where the microseconds of `route` go: ``python -m tests.bench.stages [--profile]``, without a broker, in seconds.

Each event is routed once, as in life, and warm: decisions like its own have been made, its own bytes were seen only as
far as its incident's earlier events had them. Whoever else uses the machine slows everything, so a fixed piece of
Python is timed beside each part, and figures are told as they would be where that takes its usual time.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

from routing.agreements.measured import geography_of
from routing.arrived import arrived
from routing.circulation import circulation
from routing.deciding import decide_all
from routing.disclose import Positions, disclosed
from routing.effects import Policy
from routing.route import route
from schemas.codec import EventCodec
from tests.bench.rules import bench_bundle, bench_exchange
from tests.bench.workload import EVENTS_PER_INCIDENT, records

T = TypeVar("T")
NOW: Final = datetime(2026, 6, 1, 11, tzinfo=UTC)
USUAL_YARDSTICK_US: Final = 120.0
"""What the fixed piece takes on the machine of facts.md when nobody else is on it."""
PARTS: Final = 30


def main(arguments: Sequence[str] | None = None) -> None:
    """Time or profile."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stages", description=__doc__)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--incidents", type=int, default=20)
    options = parser.parse_args(arguments)
    policy = Policy(bench_bundle(), bench_exchange("bench"))
    size = options.incidents * EVENTS_PER_INCIDENT
    told = records(policy, (1 + PARTS) * size, options.incidents)
    for record in told[:size]:
        effects = route(record, policy, NOW)
    print(f"bytes put out for the last event: {[len(output.value) for output in effects.outputs]}")
    told = told[size:]
    if options.profile:
        profile = cProfile.Profile()
        profile.enable()
        for record in told:
            route(record, policy, NOW)
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        return
    codec = EventCodec()
    most = policy.exchange.limits.max_event_bytes
    print(f"route      {cost(told, lambda record: route(record, policy, NOW)):6.1f} µs")
    geography = geography_of(policy.bundle)
    opened = [codec.open(record.value, most) for record in told]
    print(f"open       {cost(told, lambda record: codec.open(record.value, most)):6.1f} µs")
    take = partial(arrived, told[0], geography=geography, now=NOW)
    print(f"considered {cost(opened, take):6.1f} µs, checks of sections among it")
    came = [arrived(record, each, geography, NOW) for record, each in zip(told, opened, strict=True)]
    print(f"decide     {cost(came, lambda each: decide_all(policy.bundle, each.considered, NOW)):6.1f} µs")
    rows = [(each, circulation(decide_all(policy.bundle, each.considered, NOW), {})) for each in came]
    nowhere = Positions({}, lambda _member: 0, None)
    print(f"disclose   {cost(rows, lambda row: disclosed(*row, policy, codec, nowhere)):6.1f} µs")


def cost(items: Iterable[T], work: Callable[[T], Any]) -> float:
    """Microseconds an item: the best of many parts of the items, as if the yardstick took its usual time."""
    ready = list(items)
    part = len(ready) // PARTS
    found = []
    for number in range(PARTS):
        before = yardstick_us()
        start = time.process_time()
        for item in ready[number * part : (number + 1) * part]:
            work(item)
        took = (time.process_time() - start) / part * 1e6
        found.append(took / ((before + yardstick_us()) / 2))
    return sorted(found)[PARTS // 4] * USUAL_YARDSTICK_US


def yardstick_us() -> float:
    """Processor time of a fixed piece of Python: the kind of thing that routing does."""
    start = time.process_time()
    body = bytes(range(128))
    for _ in range(10):
        found = {}
        for at in range(100):
            found[at] = body[at : at + 8]
            if body[at] & 0x81:
                found[at] += found[at]
        b"".join(found.values())
    return (time.process_time() - start) * 1e6


if __name__ == "__main__":
    main()
