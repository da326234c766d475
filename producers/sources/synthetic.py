"""The synthetic control room: incidents that never happened, told as a real room tells them.

Each event is a whole snapshot: incidents are created, updated as units arrive and more is known, and closed, some
twenty of them open at a time. The same seed gives the same events: ids, persons, places, words, and times, which count
from ``starts_at`` at ``rate`` events a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Final, NamedTuple

from producers.mapping import Draft
from producers.sources.invented import Inventor
from producers.sources.places import districts_across_the_border, districts_of
from producers.sources.scene import Scene, Steps
from producers.sources.sheet import Sheet
from producers.sources.source import SourceRecord
from producers.sources.stories import STORIES
from schemas.event import Contact, IncidentEvent

OPEN_AT_ONCE: Final = 20
ACROSS_THE_BORDER: Final = 0.15
DEFAULT_START: Final = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
"""A Friday evening."""
UNPACED_RATE: Final = 10_000.0
"""Faster than events can be made: the times told lie in the past."""
RESUMED_WITHIN: Final = timedelta(minutes=1)


class _Open(NamedTuple):
    sheet: Sheet
    steps: Steps


def synthetic_events(
    origin: str,
    seed: int,
    incidents: int | None = None,
    *,
    starts_at: datetime = DEFAULT_START,
    rate: float = 10.0,
    contact: Contact | None = None,
) -> Iterator[IncidentEvent]:
    """Events of a force that never happened, in the order in which they were recorded.

    Args:
        origin: the force.
        seed: what it all follows from; another seed gives other incidents with other ids.
        incidents: how many are told to their end; None: without end.
        starts_at: when the first event is recorded.
        rate: events a second of the time told: event *n* is recorded at ``starts_at + n / rate``.
        contact: whom to call; a room of its own if none is given.

    Every event has its event_id, and its sequence in ``control``, as a spool that starts with them assigns them.
    """
    room = contact or Contact(desk="synthetic control room")
    random = Random(f"{origin}/{seed}")  # noqa: S311  reproducible on purpose
    inventor = Inventor(random)
    open_now: list[_Open] = []
    begun = told = 0
    while True:
        may_begin = incidents is None or begun < incidents
        if not (may_begin or open_now):
            return
        if may_begin and (not open_now or (len(open_now) < OPEN_AT_ONCE and random.random() < 0.4)):
            begun += 1
            open_now.append(_begin(origin, seed, begun, inventor))
            index = len(open_now) - 1
        else:
            index = random.randrange(len(open_now))
        sheet, steps = open_now[index]
        sheet.now = starts_at + timedelta(seconds=told / rate)
        kind = next(steps)
        yield sheet.snapshot(origin, room, kind)
        told += 1
        if kind == "closed":
            del open_now[index]


def _begin(origin: str, seed: int, number: int, inventor: Inventor) -> _Open:
    random = inventor.random
    near = districts_across_the_border(origin) if random.random() < ACROSS_THE_BORDER else districts_of(origin)
    sheet = Sheet(f"{origin}-s{seed}-{number:06d}", f"{number:04d}", inventor)
    (story,) = random.choices(list(STORIES), weights=list(STORIES.values()))
    return _Open(sheet, story(Scene(sheet, random.choice(near), inventor)))


class SyntheticSource:
    """A synthetic control room as a source, and what makes drafts of its records.

    Paced, event *n* is there ``n / rate`` seconds after the start, and was recorded then; unpaced, all of them are
    there at once, and each is recorded when it is made. After a restart it goes on where it was.
    """

    def __init__(
        self,
        origin: str,
        seed: int,
        incidents: int | None = None,
        *,
        events: int | None = None,
        rate: float | None = None,
        contact: Contact | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._origin, self._seed, self._incidents, self._most = origin, seed, incidents, events
        self._rate, self._contact, self._clock = rate, contact, clock
        self._told = 0
        self._starts_at = DEFAULT_START
        self._coming: Iterator[IncidentEvent] = iter(())
        self._next: IncidentEvent | None = None
        self._drafts: dict[str, IncidentEvent] = {}

    @property
    def name(self) -> str:
        """The seed names the source: another seed is another room."""
        return f"synthetic:{self._seed}"

    @property
    def exhausted(self) -> bool:
        """Whether every incident has been told."""
        return self._next is None

    def resume(self, position: str | None) -> None:
        """Tell everything again up to the position, unheard; then go on."""
        rate = self._rate or UNPACED_RATE
        self._starts_at = self._clock()
        if position is not None:
            kept = json.loads(position)
            self._told, started = int(kept["told"]), datetime.fromisoformat(kept["starts_at"])
            due = started + timedelta(seconds=self._told / rate)
            # After a short break the room has gone on without us; after a long one it is opened again.
            late = self._clock() - due
            self._starts_at = started if abs(late) < RESUMED_WITHIN else started + late
        told = synthetic_events(
            self._origin, self._seed, self._incidents, starts_at=self._starts_at, rate=rate, contact=self._contact
        )
        self._coming = islice(told, self._told, self._most)
        self._next = next(self._coming, None)

    def read(self, most: int) -> Sequence[SourceRecord]:
        """The events that are due."""
        records: list[SourceRecord] = []
        now = self._clock()
        while self._next is not None and len(records) < most and (self._rate is None or self._recorded_at() <= now):
            self._told += 1
            key = f"{self._next.incident_id}/{self._next.control[0].sequence}"
            self._drafts[key] = self._next
            records.append(
                SourceRecord(
                    position=json.dumps({"told": self._told, "starts_at": self._starts_at.isoformat()}),
                    where=f"event {self._told}",
                    digest_and_line=key,
                    columns={"seed": self._seed, "event": self._told},
                )
            )
            self._next = next(self._coming, None)
        return records

    def draft(self, record: SourceRecord, now: datetime) -> Draft:
        """The event that a record stands for; each can be asked for once."""
        event = self._drafts.pop(record.digest_and_line)
        made: dict[str, object] = {"sent_at": now} if self._rate else {"sent_at": now, "recorded_at": now}
        return Draft(record.digest_and_line, event.model_copy(update=made))

    def acknowledge(self, position: str) -> None:
        """Nothing to do: what was told can be told again."""

    def close(self) -> None:
        """Nothing to let go of."""

    def _recorded_at(self) -> datetime:
        assert self._next is not None  # noqa: S101  asked only while there is one
        return self._next.recorded_at or self._starts_at
