"""One ruling with all that it is judged by, and what follows from it so far."""

from __future__ import annotations

from typing import NamedTuple

from routing.agreements.state import State
from routing.arrived import Arrived
from routing.asked import latest_of
from routing.case_records import Latest, Ruled
from routing.casework.said import Said
from routing.consequences import Consequences, Setting
from routing.effects import Known, Policy, Record
from routing.elapsed import pass_time
from routing.hearing.reading import said_of
from routing.latest_event import latest_event
from routing.state.encoding import kept_rulings
from routing.state.incident import Incident, moment_of
from routing.telling import About
from schemas.casework import Ruling
from schemas.codec import EventCodec


class Hearing(NamedTuple):
    """A ruling with all that it is judged by."""

    ruling: Ruling
    said: Said
    record: Record
    came: Arrived | None
    """The incident's latest event; None: it is no longer on its topic."""
    drawn: Consequences
    known: Known

    def state(self) -> State:
        """What deciding must know of the incident, with what was ruled."""
        return self.drawn.before._replace(rulings=kept_rulings(self.drawn.rulings)).state()

    def show_case(self) -> None:
        """Tell the desk how its case stands since, and the origin what happened to lines of it."""
        ruling, drawn = self.ruling, self.drawn
        latest = latest_of(self.came) if self.came else Latest(drawn.before.sequence, None)
        who = Ruled(ruling.ruling_id, ruling.person, ruling.role, ruling.because)
        drawn.show_case(latest, ruling.ruling_id, who)

    def tell(self, kind: str, member: str, detail: str) -> None:
        """Tell the origin what it did for a member."""
        ruling = self.ruling
        said = {
            "detail": detail,
            "sections": tuple(sorted(ruling.sections)),
            "role": ruling.role,
            "person": ruling.person,
            "ruling_id": ruling.ruling_id,
            "deadline": ruling.until,
        }
        self.drawn.tell(kind, member, said, ruling.ruling_id)


def opened(
    ruling: Ruling, record: Record, incident: Incident, matter: About, policy: Policy, known: Known, codec: EventCodec
) -> Hearing:
    """A ruling on an incident that is remembered; whatever was due when the broker took it has happened before it."""
    at = moment_of(record.timestamp_ms) if record.timestamp_ms else matter.now
    came = latest_event(matter.origin, record.partition, incident, known, policy, matter.now, codec)
    drawn = Consequences(matter, incident, Setting(policy, codec, record.partition, known.stream))
    pass_time(drawn, came, matter.now, at)
    return Hearing(ruling, said_of(ruling, at), record, came, drawn, known)
