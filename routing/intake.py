"""Records that have been fetched but not yet routed, and whose turn it is.

librdkafka hands records over in the order they were fetched, so one force's flood would stand in front of everybody
else's few. Everything fetched goes in here at once; batches take from the topics in turn, so that no topic supplies
more than its share while others wait. Order within a partition is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from routing.effects import Record

Place = tuple[str, int]
"""A topic and a partition."""


class Intake:
    """Fetched records by topic and partition. Not for threads."""

    def __init__(self) -> None:
        self._queues: dict[Place, deque[Record]] = {}
        self._bytes: dict[Place, int] = {}
        self._turn: deque[Place] = deque()
        self._held: dict[str, str] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, records: Iterable[Record]) -> None:
        """Take newly fetched records, in the order of each partition."""
        for record in records:
            self._queue_for(record).append(record)

    def put_back(self, records: Iterable[Record]) -> None:
        """Return records that were taken and not routed, before all others of their partitions."""
        for record in reversed(list(records)):
            self._queue_for(record).appendleft(record)

    def take(self, most: int) -> list[Record]:
        """The next batch: one record from each topic in turn, from a topic's partitions in turn."""
        batch: list[Record] = []
        topics = self._waiting()
        while topics and len(batch) < most:
            for topic in list(topics):
                if len(batch) >= most:
                    break
                places = topics[topic]
                place = places.popleft()
                queue = self._queues[place]
                batch.append(record := queue.popleft())
                self._bytes[place] -= _bytes_of(record)
                if queue:
                    places.append(place)
                elif not places:
                    del topics[topic]
        self._size -= len(batch)
        self._turn.rotate(-1)
        self._turn = deque(place for place in self._turn if self._queues[place])
        return batch

    def places(self) -> Iterable[Place]:
        """Partitions of which there are records here."""
        return self._turn

    def waiting(self, place: Place) -> int:
        """How many records of a partition are here."""
        return len(self._queues.get(place, ()))

    def waiting_bytes(self, place: Place) -> int:
        """How many bytes the records of a partition hold that are here."""
        return self._bytes.get(place, 0)

    def oldest(self) -> dict[str, int]:
        """By topic, when the broker took the oldest record that is here, in milliseconds since 1970; held ones too."""
        found: dict[str, int] = {}
        for place in self._turn:
            at_ms, topic = self._queues[place][0].timestamp_ms, place[0]
            found[topic] = min(found.get(topic, at_ms), at_ms)
        return found

    def drop(self, places: Iterable[Place]) -> None:
        """Forget the records of partitions that are no longer ours, or will be fetched again."""
        for place in places:
            self._size -= len(self._queues.pop(place, ()))
            self._bytes.pop(place, None)
            if place in self._turn:
                self._turn.remove(place)

    def hold(self, topic: str, reason: str) -> None:
        """Keep a topic's records here, untaken, until it is released."""
        self._held[topic] = reason

    def release(self, topic: str) -> None:
        """Let a held topic's records be taken again."""
        self._held.pop(topic, None)

    @property
    def held(self) -> dict[str, str]:
        """Topics held, with the reason of each."""
        return dict(self._held)

    @property
    def idle(self) -> bool:
        """Whether there is nothing that could be taken now."""
        return not self._size or not self._waiting()

    def _queue_for(self, record: Record) -> deque[Record]:
        """Where one more record goes, counted already."""
        place = (record.topic, record.partition)
        queue = self._queues.get(place)
        if queue is None:
            queue = self._queues[place] = deque()
            self._bytes[place] = 0
        if not queue:
            self._turn.append(place)
        self._size += 1
        self._bytes[place] += _bytes_of(record)
        return queue

    def _waiting(self) -> dict[str, deque[Place]]:
        """Partitions with records, by topic, in order of turn; held topics left out."""
        found: dict[str, deque[Place]] = {}
        for place in self._turn:
            if self._queues[place] and place[0] not in self._held:
                found.setdefault(place[0], deque()).append(place)
        return found


def _bytes_of(record: Record) -> int:
    return len(record.key or b"") + len(record.value or b"")
