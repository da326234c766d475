"""``make bench``: the router beside a raw transactional copy of the same bytes, on the embedded broker.

    python -m tests.bench.router [--quick] [--refers-often] [--out FILE]

Each runs in one process, and the router in one for each core too, on the same topics, with the same batch and commit
limits, turn and turn about: the machine is shared, so single runs say little, and medians and ratios of one bench more.
Writes build/bench.json. What the figures should be stands beside them (`tests.bench.targets`); a figure that is missed
fails nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil
from confluent_kafka import Consumer, Producer, libversion
from rich.console import Console
from rich.table import Table

from deploy.broker import STEADY, EmbeddedBroker
from deploy.provision import provision
from routing.agreements.bundle import Bundle
from schemas import wire
from schemas.kafka import ClientSettings
from tests.bench.contenders import SOURCE, Kind, running, workers_of
from tests.bench.deciding import measure_deciding
from tests.bench.latency import EVENTS_PER_S, Event, Latency, end_of, measure_latency, summary
from tests.bench.pieces import measure_pieces
from tests.bench.places import measure_places
from tests.bench.remembered import measure_remembered
from tests.bench.rules import GRANTED, MEMBERS, RULES, bench_bundle, bench_exchange
from tests.bench.stages import yardstick_us
from tests.bench.targets import targets_of
from tests.bench.throughput import Input, Rate, measure_rate
from tests.bench.workload import framed_events

KINDS: Final[tuple[Kind, ...]] = ("raw", "router")
RATED: Final[tuple[Kind, ...]] = (*KINDS, "routers")
"""How many events a second go through is also measured with a worker for each core."""
OUT: Final = Path("build/bench.json")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    rounds: int
    rounds_before: int
    """Rounds that are not counted: Kafka's JVM gets twice as quick in its first minute."""
    events: int
    warm_up_events: int
    rate_s: float
    warm_up_s: float
    latency_s: float
    pieces: int
    incidents: int
    """How many differ in what rules read; what is told beyond them is told again under other numbers."""
    remembered: int
    """Incidents that a router restores from the changelog."""
    measures_deciding: bool
    """Whether deciding is measured by itself too, with the largest policy: it takes a minute."""

    @property
    def latency_events(self) -> int:
        """Events of one measurement of latency, the warm-up's among them."""
        return int((self.warm_up_s + self.latency_s) * EVENTS_PER_S)


FULL: Final = Scale(
    rounds=3,
    rounds_before=2,
    events=200_000,
    warm_up_events=10_000,
    rate_s=8,
    warm_up_s=3,
    latency_s=10,
    pieces=1_000,
    incidents=600,
    remembered=2_000_000,
    measures_deciding=True,
)
QUICK: Final = Scale(
    rounds=1,
    rounds_before=0,
    events=150_000,  # on a quiet machine the raw copy does them in a second and a half
    warm_up_events=300,
    rate_s=2,
    warm_up_s=0.5,
    latency_s=1,
    pieces=20,
    incidents=3,
    remembered=1_000,
    measures_deciding=False,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.router", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds of each, to see that it works")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where to write the figures (default: {OUT})")
    parser.add_argument("--refers-often", action="store_true", help="a case for one event in three (else: in twenty)")
    options = parser.parse_args(arguments)
    figures = measure(QUICK if options.quick else FULL, bench_bundle(refers_often=options.refers_often))
    show(figures)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(f"written to {options.out}")


def measure(scale: Scale, bundle: Bundle) -> dict[str, Any]:
    """Every figure of ``build/bench.json``."""
    say("what the pieces of routing cost")
    pieces = measure_pieces(scale.pieces, scale.incidents, bundle)
    places = measure_places(20 * scale.pieces)
    deciding = measure_deciding() if scale.measures_deciding else {}
    events = framed_events(scale.rounds * len(KINDS) * scale.latency_events + scale.events, scale.incidents)
    with EmbeddedBroker(java_options=STEADY) as broker:
        clients = ClientSettings(broker.bootstrap)
        provision(clients, bench_exchange("bench"))
        # Rates first, and of those some that are not counted: nobody is measured while the broker gets quicker.
        rates = _rates(clients, scale, events, bundle)
        latencies = _latencies(clients, scale, events, bundle)
        say(f"remembering {scale.remembered:,} incidents")
        remembered = measure_remembered(clients, scale.remembered)
    raw, router, routers = (median(rate.events_per_s for rate in rates[kind]) for kind in RATED)
    figures = {
        "raw_events_per_s": round(raw),
        "router_events_per_s": round(router),
        "routers_events_per_s": round(routers),
        "router_to_raw": round(router / raw, 4),
        "routers_to_raw": round(routers / raw, 4),
        **{
            f"{kind}_cpu_us_per_event": round(median(each.cpu_us_per_event for each in rates[kind]), 1)
            for kind in RATED
        },
        "latency_ms": {kind: _rounded(latencies[kind]) for kind in KINDS},
        "latency_events_per_s": EVENTS_PER_S,
        "fan_out": len(GRANTED),
        "rules": RULES,
        "members": MEMBERS,
        "incidents": scale.incidents,
        "workers": {kind: workers_of(kind) for kind in RATED},
        "remembered": remembered._asdict(),
        "pieces_us": {name: round(cost, 1) for name, cost in pieces.items()},
        "places_us": {name: round(cost, 1) for name, cost in places.items()},
        "deciding": {name: round(cost, 2) for name, cost in deciding.items()},
        "runs": {kind: [asdict(rate) for rate in rates[kind]] for kind in RATED},
        "machine": machine(),
        "versions": versions(),
    }
    return figures | {"targets": [target.told(figures) for target in targets_of(figures)]}


def _latencies(
    clients: ClientSettings, scale: Scale, events: Iterator[Event], bundle: Bundle
) -> dict[Kind, list[Latency]]:
    found: dict[Kind, list[Latency]] = {kind: [] for kind in KINDS}
    for turn in range(scale.rounds):
        for kind in KINDS:
            say(f"latency of {kind} at {EVENTS_PER_S} events/s, round {turn + 1} of {scale.rounds}")
            told = list(islice(events, scale.latency_events))
            with running(kind, clients, _end_of_source(clients), bundle):
                took_ms = measure_latency(clients, told, scale.warm_up_s)
            found[kind].append(summary(took_ms))
    return found


def _rates(clients: ClientSettings, scale: Scale, events: Iterator[Event], bundle: Bundle) -> dict[Kind, list[Rate]]:
    say(f"publishing {scale.events} events to be routed")
    ready = Input(_end_of_source(clients), scale.events, scale.warm_up_events)
    _publish(clients, islice(events, scale.events))
    found: dict[Kind, list[Rate]] = {kind: [] for kind in RATED}
    rounds = scale.rounds_before + scale.rounds
    for turn in range(rounds):
        for kind in RATED:
            say(f"events/s of {kind}, round {turn + 1} of {rounds}")
            with running(kind, clients, ready.start, bundle) as contender:
                found[kind].append(measure_rate(contender, clients, ready, scale.rate_s))
    return {kind: rates[scale.rounds_before :] for kind, rates in found.items()}


def _publish(clients: ClientSettings, events: Iterator[Event]) -> None:
    producer = Producer({**clients.producer_config(), "linger.ms": 50})
    for key, value in events:
        while True:
            try:
                producer.produce(SOURCE, value, key)
            except BufferError:
                producer.poll(0.1)
            else:
                break
        producer.poll(0)
    if left := producer.flush(60):
        raise RuntimeError(f"{left} events could not be published")


def _end_of_source(clients: ClientSettings) -> list[Any]:
    consumer = Consumer(clients.consumer_config("bench.ends"))
    try:
        return end_of(consumer, (SOURCE,), bench_exchange("bench").partitions)
    finally:
        consumer.close()


def _rounded(rounds: list[Latency]) -> dict[str, float]:
    return {"p50": round(median(each.p50 for each in rounds), 1), "p99": round(median(each.p99 for each in rounds), 1)}


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "processor": platform.machine(),
        "compiled": not str(wire.__file__).endswith(".py"),
        "system": f"{platform.system()} {platform.release()}",
        "load_1m_at_end": round(os.getloadavg()[0], 2),
        # Interpreters differ by a third: how they were built, and what a fixed piece of Python takes.
        "interpreter": f"{sys.base_prefix}, {platform.python_compiler()}, {' '.join(platform.python_build())}",
        "yardstick_us": round(min(yardstick_us() for _ in range(50)), 1),
    }


def versions() -> dict[str, str]:
    """And with what."""
    return {
        "huecry": version("huecry"),
        "python": platform.python_version(),
        "confluent-kafka": version("confluent-kafka"),
        "librdkafka": libversion()[0],
        "fastavro": version("fastavro"),
    }


def show(figures: dict[str, Any]) -> None:
    """The figures that matter, as a table."""
    kind = "machine code" if figures["machine"]["compiled"] else "plain Python"
    title = f"{kind}, fan-out {figures['fan_out']}, the broker on the same {os.cpu_count()} cores"
    table = Table(title=title)
    for name in ("", "events/s", "CPU µs/event", f"p50 ms at {EVENTS_PER_S}/s", "p99 ms"):
        table.add_column(name, justify="right" if name else "left")
    for kind, name in (("raw", "raw copy"), ("router", "router"), ("routers", "router, a worker for each core")):
        latency = figures["latency_ms"].get(kind, {"p50": "", "p99": ""})
        rate, cost = figures[f"{kind}_events_per_s"], figures[f"{kind}_cpu_us_per_event"]
        table.add_row(name, f"{rate:,}", f"{cost}", f"{latency['p50']}", f"{latency['p99']}")
    console = Console()
    console.print(table)
    shared = f"{figures['routers_to_raw']:.3f} with {figures['workers']['routers']} workers"
    console.print(f"router to raw: {figures['router_to_raw']:.3f}, {shared}")
    targets = Table("", "measured", "target", "", title="targets")
    for told in figures["targets"]:
        targets.add_row(*told)
    console.print(targets)
    held = figures["remembered"]
    console.print(
        f"{held['incidents']:,} incidents of {held['bytes_each']} bytes restored at {held['restored_per_s']:,}/s;"
        f" the process takes {held['memory_mib']} MiB of memory, its copy {held['folder_mib']} MiB of disk"
    )
    for what in ("pieces", "places"):
        console.print(f"{what}, CPU µs: " + ", ".join(f"{name} {cost}" for name, cost in figures[f"{what}_us"].items()))


def say(progress: str) -> None:
    """A line of progress, with the time since the start."""
    print(f"[{time.monotonic() - _STARTED:5.1f} s] {progress}", file=sys.stderr, flush=True)


_STARTED: Final = time.monotonic()

if __name__ == "__main__":
    main()
