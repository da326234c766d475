"""An event between the checks and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from routing.agreements.considered import Considered
from routing.considering import considered, is_of_usual_size
from routing.effects import Record
from routing.geography.measuring import Geography
from routing.stating import Control, control_of
from schemas.catalogue import Entry
from schemas.cut import OpenEvent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


class Arrived(NamedTuple):
    """An event that was opened and checked, with where it stands and what conditions read of it."""

    record: Record
    entry: Entry
    event: OpenEvent
    identity: tuple[str, str, str]
    """Origin, incident, event."""
    control: Control
    considered: Considered
    is_usual: bool
    """Whether it states no more for conditions to read than may be remembered of it."""
    now: datetime


def arrived(record: Record, opened: tuple[Entry, OpenEvent], geography: Geography, now: datetime) -> Arrived:
    """An event that was opened, with what conditions read of it.

    Raises:
        Rejected: it contradicts itself, lacks what every event must have, or one of the sections read is malformed.
    """
    entry, event = opened
    head = event.head
    identity = (head["origin"], head["incident_id"], head["event_id"])
    read = considered(event, geography)
    return Arrived(record, entry, event, identity, control_of(event), read, is_of_usual_size(event), now)


@lru_cache(maxsize=16)
def milliseconds(moment: datetime) -> int:
    """A time as Avro holds it: milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MS
