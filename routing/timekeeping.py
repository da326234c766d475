"""When what is due may happen: once whatever could have prevented it has been heard.

A deadline passes only once the topic on which its answer would stand has been read as far as it went after the
deadline: `rulings` of the origin, of a case; `receipts` of the member, of an answer that is owed. Whoever answered in
time is heard first, however far behind the router is.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from itertools import product
from typing import Final, NamedTuple, Protocol, get_args

from routing.answers.expected import ExpectedKind
from routing.clock import Clock
from routing.intake import Place
from routing.state.agenda import Agenda, Appointment
from routing.state.incident import milliseconds_of
from schemas.errors import Unavailable
from schemas.exchange import Exchange
from schemas.ops import metrics
from schemas.topics import receipts_topic, rulings_topic

_MOST: Final = 100
"""Incidents in one transaction of their own."""
_LOOK_EVERY_S: Final = 0.02
_ASK_AGAIN_S: Final = 1.0
_COUNT_EVERY_S: Final = 2.0
_NOT_YET_MS: Final = -1


class Read(Protocol):
    """How far inputs have been routed, and how far they go."""

    def position(self, place: Place) -> int:
        """The offset of the next record to be routed."""

    def end(self, place: Place) -> int:
        """The offset after the last record there is; raises Unavailable."""


class Due(NamedTuple):
    """An incident of which something may happen now."""

    partition: int
    key: bytes
    by_ms: int
    """Whatever could have prevented what was due by then has been heard; of what is due later that is not known."""


class Timekeeper:
    """What is due of a worker's partitions. Not for threads."""

    def __init__(self, read: Read, clock: Clock, exchange: Exchange) -> None:
        self._read = read
        self._clock = clock
        self._ends: dict[Place, tuple[int, int]] = {}
        """Of a topic's partition: when its end was asked for, by the clock, and what it was."""
        self._next_look = 0.0
        self._next_count = 0.0
        owed = product(exchange.receivers(), get_args(ExpectedKind))
        self._counted: Collection[tuple[str, str]] = {*owed, *((origin, "case") for origin in exchange.publishers())}

    def due(self, agendas: Iterable[tuple[int, Agenda]]) -> list[Due]:
        """Incidents of which something is due and nothing is left to be heard; nothing if it was just looked."""
        if time.monotonic() < self._next_look:
            return []
        self._next_look = time.monotonic() + _LOOK_EVERY_S
        agendas = list(agendas)
        self._count(agendas)
        now_ms = milliseconds_of(self._clock.now())
        found: list[Due] = []
        for partition, agenda in agendas:
            for key in agenda.due(now_ms, _MOST - len(found)):
                appointment = agenda.get(key)
                if appointment is None or appointment.due_ms is None:
                    continue
                by_ms = self._heard_until(partition, key, appointment, appointment.due_ms)
                if by_ms >= appointment.due_ms:
                    found.append(Due(partition, key, by_ms))
        return found

    def look_again(self) -> None:
        """Have `due` look when it is asked next, however soon that is."""
        self._next_look = 0.0

    def _heard_until(self, partition: int, key: bytes, appointment: Appointment, due_ms: int) -> int:
        """Until when everything was heard that an incident may have been answered by; before all time if not yet."""
        try:
            return min(self._read_until((topic, partition), due_ms) for topic in _topics(key, appointment))
        except Unavailable:
            self._next_look = time.monotonic() + _ASK_AGAIN_S
            return _NOT_YET_MS

    def _read_until(self, place: Place, due_ms: int) -> int:
        asked_ms, end = self._ends.get(place, (_NOT_YET_MS, 0))
        if asked_ms < due_ms:
            asked_ms = milliseconds_of(self._clock.now())
            end = self._read.end(place)
            self._ends[place] = asked_ms, end
        return asked_ms if self._read.position(place) >= end else _NOT_YET_MS

    def _count(self, agendas: Iterable[tuple[int, Agenda]]) -> None:
        """What waits for somebody, for whoever watches."""
        if time.monotonic() < self._next_count:
            return
        self._next_count = time.monotonic() + _COUNT_EVERY_S
        waiting = dict.fromkeys(self._counted, (0, 0))
        for _, agenda in agendas:
            for (origin, matter), count in agenda.waiting().items():
                # Of a case it is the origin's own people who are waited for.
                who = (origin if matter.kind == "case" else matter.member), matter.kind
                in_time, late = waiting.get(who, (0, 0))
                waiting[who] = (in_time, late + count) if matter.overdue else (in_time + count, late)
        for (member, kind), (in_time, late) in waiting.items():
            metrics.set_gauge("waiting_matters", in_time + late, member=member, kind=kind)
            metrics.set_gauge("overdue_matters", late, member=member, kind=kind)
        self._counted = waiting.keys()


def _topics(key: bytes, appointment: Appointment) -> Iterator[str]:
    """Where it would stand if somebody had answered."""
    for matter in appointment.open:
        if matter.kind == "case":
            yield rulings_topic(key.partition(b"/")[0].decode())
        else:
            yield receipts_topic(matter.member)
