"""The two that are compared, each as one process: the raw copy and the router's own worker."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import psutil
from confluent_kafka import Consumer, TopicPartition

from deploy.provision import provision
from routing.agreements.bundle import Bundle
from routing.heart import SLOTS, Heart
from routing.settings import RouterSettings
from routing.worker import Assignment, work
from schemas.kafka import ClientSettings
from schemas.topics import incidents_topic, partner_topic
from tests.bench.raw_copy import CopyTask, copy
from tests.bench.rules import GRANTED, ORIGIN, bench_bundle, bench_exchange

Kind = Literal["raw", "router"]

SOURCE: Final = incidents_topic(ORIGIN)
TARGETS: Final = tuple(partner_topic(member) for member in GRANTED)
_START_S: Final = 60
_STOP_S: Final = 20
_runs = count(1)


@dataclass(frozen=True, slots=True)
class Contender:
    """A process that is running and has its partitions."""

    kind: Kind
    group: str
    process: psutil.Process

    def cpu_s(self) -> float:
        """Processor seconds used so far by all its threads."""
        used = self.process.cpu_times()
        return used.user + used.system


@contextmanager
def running(
    kind: Kind, clients: ClientSettings, start: list[TopicPartition], bundle: Bundle | None = None
) -> Iterator[Contender]:
    """One contender that begins at the given offsets of the source, under names of its own.

    Args:
        kind: which.
        clients: to the broker.
        start: offsets of the source.
        bundle: what a router decides by; None: `bench_bundle`.

    Raises:
        RuntimeError: it ended before it had its partitions, or did not get them in time.
    """
    exchange = bench_exchange(f"bench-{next(_runs)}")
    folder = TemporaryDirectory(prefix="huecry-bench-", ignore_cleanup_errors=True)
    settings = RouterSettings(state_folder=Path(folder.name))
    # What the router remembers has a topic of its own for each run; all else is there already.
    provision(clients, exchange)
    group = f"{exchange.exchange}.route"
    _begin_at(group, clients, start)
    context = multiprocessing.get_context("spawn")
    cells = context.Array("d", SLOTS, lock=False)
    if kind == "router":
        bundle = bundle or bench_bundle()
        assignment = Assignment(exchange, settings, clients, bundle.to_bytes(), bundle.hash, slot=0)
        process = context.Process(target=work, args=(assignment, cells), daemon=True)
    else:
        task = CopyTask(exchange, settings, clients, group, SOURCE, TARGETS)
        process = context.Process(target=copy, args=(task, cells), daemon=True)
    process.start()
    try:
        _wait_until_ready(process, Heart(cells), kind)
        yield Contender(kind, group, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.join(_STOP_S)
        if process.is_alive():
            process.kill()
            process.join()
        folder.cleanup()


def _begin_at(group: str, clients: ClientSettings, start: list[TopicPartition]) -> None:
    """Commit offsets for a group that nobody has joined yet."""
    consumer = Consumer(clients.consumer_config(group))
    try:
        consumer.commit(offsets=start, asynchronous=False)
    finally:
        consumer.close()


def _wait_until_ready(process: multiprocessing.process.BaseProcess, heart: Heart, kind: Kind) -> None:
    deadline = time.monotonic() + _START_S
    while not heart.ready:
        if not process.is_alive() or time.monotonic() > deadline:
            raise RuntimeError(f"expected the {kind} process to get its partitions within {_START_S} s, and it did not")
        time.sleep(0.05)
