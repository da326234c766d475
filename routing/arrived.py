"""An event between the checks and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from routing.agreements.considered import Considered
from routing.considering import considered, is_of_usual_size
from routing.effects import Record
from routing.geography.measuring import Geography
from routing.stating import Control, control_of
from schemas.catalogue import Entry
from schemas.cut import OpenEvent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


class Arrived:
    """An event that was opened and checked, with where it stands and what conditions read of it."""

    __slots__ = ("considered", "control", "entry", "event", "identity", "is_usual", "now", "record")

    def __init__(
        self,
        record: Record,
        opened: tuple[Entry, OpenEvent],
        identity: tuple[str, str, str],
        control: Control,
        considered: Considered,
        now: datetime,
        *,
        is_usual: bool,
    ) -> None:
        self.record = record
        self.entry, self.event = opened
        self.identity = identity
        """Origin, incident, event."""
        self.control = control
        self.considered = considered
        self.now = now
        self.is_usual = is_usual
        """Whether it states no more for conditions to read than may be remembered of it."""

    def because_of(self, record: Record) -> Arrived:
        """The same event, told because of another record."""
        opened, read = (self.entry, self.event), self.considered
        return Arrived(record, opened, self.identity, self.control, read, self.now, is_usual=self.is_usual)


def arrived(record: Record, opened: tuple[Entry, OpenEvent], geography: Geography, now: datetime) -> Arrived:
    """An event that was opened, with what conditions read of it.

    Raises:
        Rejected: it contradicts itself, lacks what every event must have, or one of the sections read is malformed.
    """
    event = opened[1]
    head = event.head
    identity = (head["origin"], head["incident_id"], head["event_id"])
    read = considered(event, geography)
    return Arrived(record, opened, identity, control_of(event), read, now, is_usual=is_of_usual_size(event))


@lru_cache(maxsize=16)
def milliseconds(moment: datetime) -> int:
    """A time as Avro holds it: milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MS
