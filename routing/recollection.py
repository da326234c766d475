"""What one worker remembers, through rebalances and transactions: stores, changelog and overlay as one.

`begin` when partitions are given, or nobody knows what was committed; `bring_up_to_date` until `is_ready`; then for
each transaction `known` and `remember` its records, `changes` before the commit, `committed` or `aborted` after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from routing.effects import NOTHING_KNOWN, Effects, Known, Output, Record
from routing.state.agenda import Agenda
from routing.state.memory import Memories
from routing.state.restoring import Changelog
from routing.state.store import DiskStore, Position, Store, StoreMemory
from schemas.errors import Unavailable
from schemas.kafka import ClientSettings
from schemas.ops.logs import get_logger
from schemas.topics import family_of, member_of, state_topic

log = get_logger()

EventAt = Callable[[str, int, int], Record | None]
"""Reads an event again, by its origin, partition and offset; None: it is no longer on its topic."""
_READ_S: Final = 0.05
_AGAIN_S: Final = 1.0


class Followed(Protocol):
    """A changelog, as far as a recollection needs one; `routing.state.restoring.Changelog` says what each does."""

    @property
    def is_read(self) -> bool:
        """Whether every store is up to date."""

    def begin(self, stores: Mapping[int, Store]) -> None:
        """Begin to bring stores up to date."""

    def read(self, timeout_s: float) -> None:
        """Read some of what is left."""

    def positions(self) -> Mapping[int, Position]:
        """How far the stores stand, as far as is known."""

    def close(self) -> None:
        """Leave."""


class Recollection:
    """What a worker remembers of the partitions it has. Not for threads."""

    def __init__(self, topic: str, changelog: Followed, open_store: Callable[[int], Store]) -> None:
        """Put the parts together.

        Args:
            topic: the changelog's.
            changelog: what brings stores up to date.
            open_store: opens a partition's store; raises Unavailable while another process has it open.
        """
        self._topic = topic
        self._changelog = changelog
        self._memories = Memories(open_store)
        self._wanted: frozenset[int] | None = None
        self._is_ready = False
        self._next_try = 0.0
        self._trouble = ""

    @property
    def is_ready(self) -> bool:
        """Whether everything committed of every partition is remembered."""
        return self._is_ready

    @property
    def trouble(self) -> str:
        """What it waits for, in words; empty if it only reads."""
        return self._trouble

    def begin(self, partitions: Iterable[int]) -> None:
        """These partitions are given, or must be seen as newly given; the committed offsets of inputs are settled."""
        self._wanted = frozenset(partitions)
        self._is_ready = False
        self._next_try = 0.0

    def end(self) -> None:
        """The partitions are taken away."""
        self._wanted = None
        self._is_ready = False
        self._memories.abort()

    def bring_up_to_date(self) -> None:
        """Do some of what is left to be done before records can be routed.

        Raises:
            Fatal: a store cannot be written.
        """
        if self._wanted is not None:
            if time.monotonic() < self._next_try:
                return
            try:
                self._changelog.begin(self._memories.open(self._wanted))
            except Unavailable as why:
                self._wait(str(why))
                return
            self._wanted = None
            self._trouble = ""
        elif not self._is_ready:
            self._changelog.read(_READ_S)
        self._is_ready = self._changelog.is_read

    def known(self, record: Record) -> Known:
        """What is remembered that a record's routing may hang on."""
        prefix = _prefix(record.topic)
        if not prefix or record.key is None:
            return NOTHING_KNOWN
        memory = self._memories[record.partition]
        return Known(memory.get(prefix + record.key), memory.stream)

    def known_of(self, partition: int, event_at: EventAt) -> Known:
        """What is remembered that the routing of anything but an event may hang on.

        Args:
            partition: the record's.
            event_at: reads an event again.
        """
        memory = self._memories[partition]
        return Known(None, memory.stream, memory.get, event_at)

    def remember(self, record: Record, effects: Effects) -> None:
        """What follows from a record stands in the open transaction."""
        if effects.incident is not None:
            memory = self._memories[record.partition]
            memory.put(_prefix(record.topic) + (record.key or b""), effects.incident)
            memory.move_streams(effects.streams)
        elif effects.others:
            self.remember_others(record.partition, effects)

    def remember_others(self, partition: int, effects: Effects) -> None:
        """What follows from anything but an event stands in the open transaction."""
        memory = self._memories[partition]
        for key, incident in effects.others:
            memory.put(key, incident)
        memory.move_streams(effects.streams)

    def agendas(self) -> Iterator[tuple[int, Agenda]]:
        """What is due, by partition, as of the last commit."""
        for partition, memory in self._memories:
            yield partition, memory.agenda

    def changes(self) -> Iterator[Output]:
        """What the open transaction changes, as records for the changelog."""
        for partition, key, value in self._memories.changes(time.time_ns() // 1_000_000):
            yield Output(self._topic, key, value, partition)

    def hand_over(self) -> None:
        """The open transaction is on its way to be committed; what is remembered next is of the one after it."""
        self._memories.hand_over()

    def committed(self) -> None:
        """The transaction that was on its way is committed, or, if none was, the open one.

        Raises:
            Fatal: the disk does not take what it changed.
        """
        self._memories.commit(self._changelog.positions())

    def dropped(self) -> None:
        """The open transaction did not happen."""
        self._memories.drop()

    def aborted(self) -> None:
        """Neither the open transaction happened nor the one that was on its way."""
        self._memories.abort()

    def close(self) -> None:
        """Leave."""
        self._changelog.close()
        self._memories.close()

    def _wait(self, why: str) -> None:
        self._next_try = time.monotonic() + _AGAIN_S
        if why != self._trouble:
            log.warning("what routing remembers cannot be read yet", reason=why)
        self._trouble = why


def recollection(clients: ClientSettings, exchange: str, folder: Path, memory_mb: int) -> Recollection:
    """What one worker remembers, in a folder of its own, with so much memory for what is read from there."""
    memory = StoreMemory(memory_mb)
    topic = state_topic(exchange)
    return Recollection(topic, Changelog(clients, topic), lambda partition: DiskStore(folder / str(partition), memory))


@lru_cache(maxsize=4_096)
def _prefix(topic: str) -> bytes:
    """What the keys of a topic's incidents begin with (`routing.state.memory.incident_key`); empty: it has none."""
    return f"{member_of(topic)}/".encode() if family_of(topic) == "incidents" else b""
