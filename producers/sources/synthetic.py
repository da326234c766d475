"""The synthetic control room: incidents that never happened, told as a real room tells them.

Each event is a whole snapshot: incidents are created, updated as units arrive and more is known, and closed, some
twenty of them open at a time. The same seed gives the same events: ids, persons, places, words, and times, which count
from ``starts_at`` at ``rate`` events a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from producers.sources.invented import Inventor
from producers.sources.places import districts_across_the_border, districts_of
from producers.sources.scene import Scene, Steps
from producers.sources.sheet import Sheet
from producers.sources.stories import STORIES
from schemas.event import Contact, IncidentEvent

OPEN_AT_ONCE: Final = 20
ACROSS_THE_BORDER: Final = 0.15
DEFAULT_START: Final = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
"""A Friday evening."""


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
