"""How soon a retraction reaches every holder, and how idle the machine is while members confirm what they are sent.

    python -m tests.bench.retraction [--quick] [--out FILE]

One router, the embedded broker, 540 events a second granted to five members. First some incidents are retracted by
rulings while events go on: from the ruling to the notice that a read-committed reader has on the topic of the last
holder. Then, without retractions, five members confirm every delivery. Writes build/retraction.json; a figure that
misses its target fails nothing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any, Final

import psutil
from confluent_kafka import Consumer, TopicPartition

from deploy.broker import STEADY, EmbeddedBroker
from deploy.provision import provision
from routing.heart import SLOTS, Heart
from schemas.kafka import ClientSettings
from tests.bench.answering import Confirming, confirm
from tests.bench.contenders import SOURCE, Contender, running
from tests.bench.latency import EVENTS_PER_S, Event, end_of
from tests.bench.router import machine, say, versions
from tests.bench.rules import bench_exchange
from tests.bench.taking_back import Drive
from tests.bench.wider import FIVE, wide_bundle
from tests.bench.workload import framed_events

OUT: Final = Path("build/retraction.json")
P99_MS: Final = 1_000.0
IDLE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    warm_up_s: float
    seconds: float
    retractions_per_s: float
    incidents: int


FULL: Final = Scale(warm_up_s=5, seconds=40, retractions_per_s=20, incidents=600)
QUICK: Final = Scale(warm_up_s=1.5, seconds=4, retractions_per_s=10, incidents=30)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, say the figures beside their targets, write them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.retraction", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds of each, to see that it works")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where to write the figures (default: {OUT})")
    options = parser.parse_args(arguments)
    figures = measure(QUICK if options.quick else FULL)
    show(figures)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(f"written to {options.out}")


def measure(scale: Scale) -> dict[str, Any]:
    """Every figure of ``build/retraction.json``."""
    most = int((scale.warm_up_s + scale.seconds) * EVENTS_PER_S)
    events = framed_events(2 * most, scale.incidents)
    with EmbeddedBroker(java_options=STEADY) as broker:
        clients = ClientSettings(broker.bootstrap)
        provision(clients, bench_exchange("bench"))
        say("retracting incidents")
        retractions = _retractions(clients, scale, list(islice(events, most)))
        say("confirming deliveries")
        confirming = _confirming(clients, scale, list(islice(events, most)), broker.pid)
    return {
        "events_per_s": EVENTS_PER_S,
        "retraction_ms": retractions,
        "receipts": confirming,
        "targets": {"retraction_p99_ms": P99_MS, "idle_by_itself": IDLE},
        "machine": machine(),
        "versions": versions(),
    }


def _retractions(clients: ClientSettings, scale: Scale, events: list[Event]) -> dict[str, Any]:
    drive = Drive(clients, FIVE, scale.retractions_per_s, scale.warm_up_s)
    with running("router", clients, _ends(clients), wide_bundle()):
        drive.run(events)
    took_ms = sorted(drive.took_ms)
    return {
        "p50": round(_within(took_ms, 0.5), 1),
        "p99": round(_within(took_ms, 0.99), 1),
        "worst": round(took_ms[-1], 1),
        "retractions": len(took_ms),
        "retractions_per_s": scale.retractions_per_s,
        "load_1m": round(os.getloadavg()[0], 2),
    }


def _within(took_ms: Sequence[float], share: float) -> float:
    """How long this share of them took at most."""
    return took_ms[ceil(share * len(took_ms)) - 1]


def _confirming(clients: ClientSettings, scale: Scale, events: list[Event], broker: int) -> dict[str, Any]:
    """Processor time of each process while events and receipts flow at the given rate, and what is left of the machine.

    Whoever else uses the machine shows in what is left of it; so it is also told what would be left with nobody else.
    The members' consumers run elsewhere in life, and their process is told apart.
    """
    drive = Drive(clients, FIVE, 0.0, scale.warm_up_s)
    with running("router", clients, _ends(clients), wide_bundle()) as router, _members(clients) as members:
        used = _Used(router, psutil.Process(members), psutil.Process(broker))
        drive.run(events)
        shares = used.cores(len(events) / EVENTS_PER_S)
    exchange = shares["router"] + shares["broker"]
    return {
        "behind_s": round(drive.behind_s, 2),
        "fan_out": round(drive.deliveries / len(events), 2),
        "cores": {name: round(share, 3) for name, share in shares.items()},
        "idle_by_itself": round(1 - exchange / (os.cpu_count() or 1), 3),
        "idle_with_members_and_driver": round(1 - sum(shares.values()) / (os.cpu_count() or 1), 3),
        "idle_seen": round(used.idle(), 3),
        "load_1m": round(os.getloadavg()[0], 2),
    }


class _Used:
    """Processor time used since it was made."""

    def __init__(self, router: Contender, members: psutil.Process, broker: psutil.Process) -> None:
        self._processes = {
            "router": router.processes[0],
            "broker": broker,
            "members": members,
            "driver": psutil.Process(),
        }
        self._before = {name: _cpu_s(process) for name, process in self._processes.items()}
        self._machine = psutil.cpu_times()

    def cores(self, seconds: float) -> dict[str, float]:
        """Of each process: how many cores it kept busy for what came in so many seconds, whenever it was done."""
        return {name: (_cpu_s(process) - self._before[name]) / seconds for name, process in self._processes.items()}

    def idle(self) -> float:
        """The share of the machine that nobody used, whoever else is on it."""
        before, after = self._machine, psutil.cpu_times()
        return (after.idle - before.idle) / (sum(after) - sum(before))


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


@contextmanager
def _members(clients: ClientSettings) -> Iterator[int]:
    context = multiprocessing.get_context("spawn")
    cells = context.Array("d", SLOTS, lock=False)
    process = context.Process(target=confirm, args=(Confirming(clients, FIVE), cells), daemon=True)
    process.start()
    try:
        deadline = time.monotonic() + 60
        while not Heart(cells).ready:
            if time.monotonic() > deadline or not process.is_alive():
                raise RuntimeError("expected the members to begin reading within 60 s, and they did not")
            time.sleep(0.05)
        yield process.pid or 0
    finally:
        process.terminate()
        process.join(20)


def _ends(clients: ClientSettings) -> list[TopicPartition]:
    consumer = Consumer(clients.consumer_config("bench.ends"))
    try:
        return end_of(consumer, (SOURCE,), bench_exchange("bench").partitions)
    finally:
        consumer.close()


def show(figures: dict[str, Any]) -> None:
    """The figures that matter, each beside what it should be."""
    taken, confirmed = figures["retraction_ms"], figures["receipts"]
    print(
        f"from a retraction to the last holder's notice at {figures['events_per_s']} events/s: p50 {taken['p50']} ms,"
        f" p99 {taken['p99']} ms (target: {P99_MS:.0f} ms), worst {taken['worst']} ms, of {taken['retractions']}"
    )
    cores = ", ".join(f"{name} {share}" for name, share in confirmed["cores"].items())
    print(
        f"{figures['events_per_s']} events/s to {confirmed['fan_out']} members each, every delivery confirmed: cores"
        f" busy: {cores}; router and broker by themselves leave {confirmed['idle_by_itself']:.0%} of the machine idle"
        f" (target: {IDLE:.0%}), seen were {confirmed['idle_seen']:.0%}"
    )


if __name__ == "__main__":
    main()
