"""Which event is sent next: live and backlog share the link, the most urgent grade first, in order per incident.

Pure: rows and times in, rows out.

- At least half of what is sent at a time is live, if there is as much: an event is live for its first seconds, and
  backlog after that, as all of it is after an outage.
- Within each, the most urgent grade goes first; an event that goes takes the earlier ones of its incident with it.
- No event goes before an earlier one of its incident.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from producers.spool_records import Waiting

LIVE_MS: Final = 5_000


class SendOrder:
    """Events that wait to be sent. Rows rise in the order in which events were made."""

    def __init__(self, live_ms: int = LIVE_MS) -> None:
        self._live_ms = live_ms
        self._unsent: dict[int, Waiting] = {}
        self._of_incident: dict[str, deque[int]] = {}
        self._young: deque[Waiting] = deque()
        self._live: list[tuple[int, int]] = []
        self._backlog: list[tuple[int, int]] = []
        self._aged: set[int] = set()

    def __len__(self) -> int:
        return len(self._unsent)

    def add(self, events: Iterable[Waiting]) -> None:
        """New events, each later than every one of its incident that is here."""
        for event in events:
            self._unsent[event.row] = event
            self._of_incident.setdefault(event.incident_id, deque()).append(event.row)
            self._young.append(event)
            heappush(self._live, (event.rank, event.row))

    def put_back(self, events: Iterable[Waiting]) -> None:
        """Events that were taken and have not arrived: they stand before all others of their incidents again."""
        for event in sorted(events, reverse=True):
            self._unsent[event.row] = event
            self._of_incident.setdefault(event.incident_id, deque()).appendleft(event.row)
            self._aged.add(event.row)
            heappush(self._backlog, (event.rank, event.row))

    def oldest_ms(self) -> int | None:
        """When the oldest event here was made."""
        return min((event.made_ms for event in self._unsent.values()), default=None)

    def take(self, most: int, now_ms: int) -> list[Waiting]:
        """The next events to send; may go over ``most`` by the earlier events of the last incident taken."""
        self._age(now_ms)
        taken: list[Waiting] = []
        self._take_from(self._live, taken, (most + 1) // 2, aged=False)
        self._take_from(self._backlog, taken, most, aged=True)
        self._take_from(self._live, taken, most, aged=False)
        return taken

    def _age(self, now_ms: int) -> None:
        while self._young and self._young[0].made_ms + self._live_ms <= now_ms:
            event = self._young.popleft()
            if event.row in self._unsent and event.row not in self._aged:
                self._aged.add(event.row)
                heappush(self._backlog, (event.rank, event.row))

    def _take_from(self, heap: list[tuple[int, int]], taken: list[Waiting], up_to: int, *, aged: bool) -> None:
        while heap and len(taken) < up_to:
            _, row = heappop(heap)
            event = self._unsent.get(row)
            # What was sent with a later event, or has aged, stands in this heap still.
            if event is not None and (row in self._aged) == aged:
                self._take_through(event, taken)

    def _take_through(self, event: Waiting, taken: list[Waiting]) -> None:
        queue = self._of_incident[event.incident_id]
        while queue and queue[0] <= event.row:
            row = queue.popleft()
            self._aged.discard(row)
            taken.append(self._unsent.pop(row))
        if not queue:
            del self._of_incident[event.incident_id]
