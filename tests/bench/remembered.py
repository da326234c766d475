"""What it costs to remember many incidents: how fast they are restored from the changelog, and the memory they take.

The incidents are those of `tests.bench.workload`, as the router remembers them after their last event. A process of its
own restores them into an empty folder, and then looks up and changes incidents at random, as events would.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import psutil
from confluent_kafka import Producer

from deploy.provision import provision
from routing.effects import Effects, Known, Policy, Record
from routing.recollection import Recollection, recollection
from routing.route import route
from routing.settings import RouterSettings
from routing.state.encoding import decode, encode
from routing.state.incident import Incident
from routing.state.memory import incident_key
from schemas.kafka import ClientSettings
from schemas.partitioner import partition_of
from schemas.topics import incidents_topic, state_topic
from tests.bench.rules import ORIGIN, bench_bundle, bench_exchange
from tests.bench.workload import EVENTS_PER_INCIDENT, records

_NAME: Final = "bench-remembered"
_KINDS: Final = 200
"""Incidents that are remembered differently; the others are as one of these."""
_TOUCHED: Final = 20_000
_WITHIN_S: Final = 600.0
_MIB: Final = 1024 * 1024


class Remembered(NamedTuple):
    """What was measured."""

    incidents: int
    bytes_each: int
    """Of one incident in the changelog, on average, without its key."""
    restored_per_s: int
    memory_mib: int
    """Of the whole process, its own pages alone, after restoring and after incidents were looked up and changed."""
    folder_mib: int
    """On disk, of the copy."""
    touch_us: float
    """To look up an incident at random and remember it changed, on average, in time that passes."""


def measure_remembered(clients: ClientSettings, incidents: int) -> Remembered:
    """Fill a changelog with so many incidents, and have a process restore them.

    Raises:
        RuntimeError: it ended without an answer.
    """
    exchange = bench_exchange(_NAME)
    provision(clients, exchange)
    values = _values()
    _fill(clients, incidents, values, exchange.partitions)
    context = multiprocessing.get_context("spawn")
    answers: SimpleQueue[tuple[float, int, int, float]] = context.SimpleQueue()
    with TemporaryDirectory(prefix="huecry-bench-", ignore_cleanup_errors=True) as folder:
        told = (clients, Path(folder), incidents, exchange.partitions, answers)
        process = context.Process(target=_restore_and_touch, args=told, daemon=True)
        process.start()
        process.join(_WITHIN_S)
        if process.exitcode != 0 or answers.empty():
            process.kill()
            raise RuntimeError(f"restoring {incidents} incidents did not come to an end within {_WITHIN_S:.0f} s")
        took_s, memory, on_disk, touch_us = answers.get()
    size = sum(map(len, values)) // len(values)
    return Remembered(incidents, size, round(incidents / took_s), _mib(memory), _mib(on_disk), round(touch_us, 1))


def _mib(size: int) -> int:
    """Of what is begun, the whole."""
    return -(-size // _MIB)


def _values() -> list[bytes]:
    """Incidents as they are remembered after their last event."""
    policy, now = Policy(bench_bundle(), bench_exchange(_NAME)), datetime.now(UTC)
    known: dict[bytes | None, Incident] = {}
    for record in records(policy, _KINDS * EVENTS_PER_INCIDENT, _KINDS):
        made = route(record, policy, now, known=Known(known.get(record.key))).incident
        assert made is not None
        known[record.key] = made
    return [encode(incident) for incident in known.values()]


def _key(number: int) -> bytes:
    return f"{ORIGIN}-{number:08d}".encode()


def _fill(clients: ClientSettings, incidents: int, values: list[bytes], partitions: int) -> None:
    producer = Producer({**clients.producer_config(), "linger.ms": 50})
    topic = state_topic(_NAME)
    for number, value in enumerate(islice(cycle(values), incidents)):
        key = _key(number)
        _put(producer, topic, value, incident_key(ORIGIN, key.decode()), partition_of(key, partitions))
    if left := producer.flush(120):
        raise RuntimeError(f"{left} incidents could not be written to the changelog")


def _put(producer: Producer, topic: str, value: bytes, key: bytes, partition: int) -> None:
    while True:
        try:
            producer.produce(topic, value, key, partition)
        except BufferError:
            producer.poll(0.05)
        else:
            producer.poll(0)
            return


def _restore_and_touch(
    clients: ClientSettings,
    folder: Path,
    incidents: int,
    partitions: int,
    answers: SimpleQueue[tuple[float, int, int, float]],
) -> None:
    made = recollection(clients, _NAME, folder, RouterSettings().state_memory_mb)
    began = time.perf_counter()
    made.begin(range(partitions))
    while not made.is_ready:
        made.bring_up_to_date()
    took_s = time.perf_counter() - began
    began = time.perf_counter()
    for record in islice(_some(incidents, partitions), _TOUCHED):
        _touch(made, record)
    touch_us = (time.perf_counter() - began) / _TOUCHED * 1e6
    memory = psutil.Process().memory_full_info().uss
    on_disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    answers.put((took_s, memory, on_disk, touch_us))
    made.close()


def _some(incidents: int, partitions: int) -> Iterator[Record]:
    """Incidents at random."""
    random = Random("touched")
    while True:
        key = _key(random.randrange(incidents))
        yield Record(incidents_topic(ORIGIN), partition_of(key, partitions), 0, key, b"")


def _touch(made: Recollection, record: Record) -> None:
    """A transaction of one event: remembered is what was, decoded and encoded."""
    before = made.known(record).incident
    if before is None:
        raise RuntimeError("an incident that was restored is not known")
    made.remember(record, Effects("routed", (), incident=decode(encode(before))))
    for _change in made.changes():
        pass
    made.committed()
