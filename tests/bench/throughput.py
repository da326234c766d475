"""Events a second through a contender, from what its group has committed, and the processor time of each event."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from schemas.kafka import ClientSettings
from tests.bench.contenders import SOURCE, Contender

_LOOK_EVERY_S: Final = 0.05
_STALLED_S: Final = 30


@dataclass(frozen=True, slots=True)
class Rate:
    """One measurement."""

    events_per_s: float
    cpu_us_per_event: float


@dataclass(frozen=True, slots=True)
class _Sight:
    at: float
    events: int
    cpu_s: float


def measure_rate(contender: Contender, clients: ClientSettings, input_: Input, most_s: float) -> Rate:
    """From the first commit seen after the warm-up until all is done, or for so many seconds.

    Raises:
        RuntimeError: nothing is committed, or all was before the first look.
    """
    watcher = Consumer(clients.consumer_config(contender.group, **{"isolation.level": "read_uncommitted"}))
    try:
        first = _first_progress(watcher, contender, input_)
        last = first
        while last.events < input_.events and last.at - first.at < most_s:
            time.sleep(_LOOK_EVERY_S)
            now = _look(watcher, contender, input_)
            if now.events > last.events:
                last = now
            elif now.at - last.at > _STALLED_S:
                raise RuntimeError(f"{contender.kind} stands still after {last.events} of {input_.events} events")
    finally:
        watcher.close()
    events = last.events - first.events
    if not events:
        raise RuntimeError(f"{contender.kind} had all {input_.events} events done at the first look: measure more")
    return Rate(events / (last.at - first.at), (last.cpu_s - first.cpu_s) / events * 1e6)


@dataclass(frozen=True, slots=True)
class Input:
    """Events that lie ready: from these offsets on, so many; the first of them to warm up on."""

    start: list[TopicPartition]
    events: int
    warm_up: int


def _first_progress(watcher: Consumer, contender: Contender, input_: Input) -> _Sight:
    deadline = time.monotonic() + _STALLED_S
    while (sight := _look(watcher, contender, input_)).events < max(1, input_.warm_up):
        if sight.at > deadline:
            raise RuntimeError(f"{contender.kind} commits nothing")
        time.sleep(_LOOK_EVERY_S)
    return sight


def _look(watcher: Consumer, contender: Contender, input_: Input) -> _Sight:
    committed = watcher.committed([TopicPartition(SOURCE, each.partition) for each in input_.start], 10)
    began = {each.partition: each.offset for each in input_.start}
    events = sum(max(0, each.offset - began[each.partition]) for each in committed)
    return _Sight(time.monotonic(), events, contender.cpu_s())
