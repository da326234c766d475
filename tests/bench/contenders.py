"""What is compared: the raw copy and the router's own worker, each as one process; and the router as one for each
core, which share the partitions as the workers of any router do."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, NamedTuple

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

Kind = Literal["raw", "router", "routers"]

SOURCE: Final = incidents_topic(ORIGIN)
TARGETS: Final = tuple(partner_topic(member) for member in GRANTED)
_START_S: Final = 60
_STOP_S: Final = 20
_runs = count(1)


@dataclass(frozen=True, slots=True)
class Contender:
    """Processes that are running and have their partitions."""

    kind: Kind
    group: str
    processes: tuple[psutil.Process, ...]

    def cpu_s(self) -> float:
        """Processor seconds used so far by all their threads."""
        used = [process.cpu_times() for process in self.processes]
        return float(sum(each.user + each.system for each in used))


@contextmanager
def running(
    kind: Kind, clients: ClientSettings, start: list[TopicPartition], bundle: Bundle | None = None
) -> Iterator[Contender]:
    """A contender that begins at the given offsets of the source, under names of its own.

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
    target: Callable[[Any, Any], None]
    if kind == "raw":
        target, tasks = copy, [CopyTask(exchange, settings, clients, group, SOURCE, TARGETS)]
    else:
        bundle = bundle or bench_bundle()
        whole = Assignment(exchange, settings, clients, bundle.to_bytes(), bundle.hash, slot=0)
        target, tasks = work, [replace(whole, slot=slot) for slot in range(workers_of(kind))]
    with ExitStack() as ends:
        ends.callback(folder.cleanup)
        started = [ends.enter_context(_started(target, task)) for task in tasks]
        _wait_until_ready(started, kind)
        yield Contender(kind, group, tuple(psutil.Process(each.process.pid) for each in started))


def workers_of(kind: Kind) -> int:
    """How many processes share the partitions."""
    return (os.cpu_count() or 1) if kind == "routers" else 1


class _Started(NamedTuple):
    process: multiprocessing.process.BaseProcess
    heart: Heart


@contextmanager
def _started(target: Callable[[Any, Any], None], task: object) -> Iterator[_Started]:
    context = multiprocessing.get_context("spawn")
    cells = context.Array("d", SLOTS, lock=False)
    process = context.Process(target=target, args=(task, cells), daemon=True)
    process.start()
    try:
        yield _Started(process, Heart(cells))
    finally:
        process.terminate()
        process.join(_STOP_S)
        if process.is_alive():
            process.kill()
            process.join()


def _begin_at(group: str, clients: ClientSettings, start: list[TopicPartition]) -> None:
    """Commit offsets for a group that nobody has joined yet."""
    consumer = Consumer(clients.consumer_config(group))
    try:
        consumer.commit(offsets=start, asynchronous=False)
    finally:
        consumer.close()


def _wait_until_ready(started: list[_Started], kind: Kind) -> None:
    """Whoever joins later takes partitions from those before it, who are then not ready until they have theirs."""
    deadline = time.monotonic() + _START_S
    while not all(each.heart.ready for each in started):
        if time.monotonic() > deadline or not all(each.process.is_alive() for each in started):
            raise RuntimeError(f"expected the {kind} process to get its partitions within {_START_S} s, and it did not")
        time.sleep(0.05)
