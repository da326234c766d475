"""What is due, and what waits for somebody, of the incidents of one partition.

An appointment is derived from its incident whenever that changes, and stands under a key of its own, in the changelog
and on disk: whoever is given the partition finds all of them without looking through its incidents.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from routing.state.incident import Incident, milliseconds_of

_PREFIX: Final = b"due:"
"""Before an incident's key; no origin has a colon in it."""


class Matter(NamedTuple):
    """Something of an incident that waits for somebody."""

    kind: str
    """``case``, or the kind of an answer that is owed."""
    member: str
    """Who is to answer; of a case: for whom it is asked."""
    overdue: bool = False


class Appointment(NamedTuple):
    """What is due of one incident."""

    due_ms: int | None
    """When, in milliseconds since 1970; None: nothing is, though something waits."""
    open: tuple[Matter, ...]


def appointment_of(incident: Incident) -> Appointment | None:
    """What an incident waits for; None: nothing."""
    lines, expected = incident.rulings.value.lines, incident.expected.value
    if not lines and not expected:
        return None
    deadlines = [line.deadline for line in lines] + [each.deadline for each in expected if each.deadline]
    matters = [Matter("case", line.recipient, line.step > 0) for line in lines]
    matters += [Matter(each.kind, each.member, each.is_overdue) for each in expected]
    due_ms = milliseconds_of(min(deadlines)) if deadlines else None
    return Appointment(due_ms, tuple(dict.fromkeys(matters)))


def appointment_key(incident_key: bytes) -> bytes:
    """Where the appointment of an incident stands."""
    return _PREFIX + incident_key


class Agenda:
    """The appointments of one partition, by the key of their incident. Not for threads."""

    def __init__(self, appointments: Mapping[bytes, Appointment]) -> None:
        self._by_key = dict(appointments)
        self._due = [(each.due_ms, key) for key, each in self._by_key.items() if each.due_ms is not None]
        heapq.heapify(self._due)

    def __contains__(self, key: bytes) -> bool:
        """Whether an incident waits for something."""
        return key in self._by_key

    def get(self, key: bytes) -> Appointment | None:
        """What an incident waits for."""
        return self._by_key.get(key)

    def set(self, key: bytes, appointment: Appointment | None) -> None:
        """What an incident waits for since something happened to it; None: nothing."""
        if appointment is None:
            self._by_key.pop(key, None)
            return
        self._by_key[key] = appointment
        if appointment.due_ms is not None:
            heapq.heappush(self._due, (appointment.due_ms, key))

    def due(self, now_ms: int, most: int) -> list[bytes]:
        """The keys of so many incidents of which something is due, the earliest first."""
        self._drop_stale()
        found: dict[bytes, None] = {}
        passed = []
        while self._due and self._due[0][0] <= now_ms and len(found) < most:
            at_ms, key = entry = heapq.heappop(self._due)
            if self._is_of_now(at_ms, key) and key not in found:
                found[key] = None
                passed.append(entry)
        for entry in passed:
            heapq.heappush(self._due, entry)
        return list(found)

    def next_ms(self) -> int | None:
        """When something is next due."""
        self._drop_stale()
        return self._due[0][0] if self._due else None

    def waiting(self) -> Counter[tuple[str, Matter]]:
        """How many incidents of each origin wait for each matter."""
        return Counter(
            (key.partition(b"/")[0].decode(), matter) for key, each in self._by_key.items() for matter in each.open
        )

    def _drop_stale(self) -> None:
        while self._due and not self._is_of_now(*self._due[0]):
            heapq.heappop(self._due)

    def _is_of_now(self, at_ms: int, key: bytes) -> bool:
        now = self._by_key.get(key)
        return now is not None and now.due_ms == at_ms


def appointments_in(found: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Of the keys of a store from the first appointment on, in order: incident keys with the appointments' bytes."""
    for key, value in found:
        if not key.startswith(_PREFIX):
            return
        yield key[len(_PREFIX) :], value


FIRST_APPOINTMENT: Final = _PREFIX
"""Before the key of any appointment, and after none."""
