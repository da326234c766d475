"""What must follow from what happens: a small model of an exchange, written from the contract and for reading.

What an event is decided to be is asked of the naive interpreter; all that decisions are fed with, and all that follows
from them, is kept here by simple means and without a look at how the router does it. `kept` is what is kept of an
incident, `events` and `rulings` what follows from those, and here is what follows from answers and from time.
"""

from __future__ import annotations

from datetime import datetime

from tests.life.happenings import Key
from tests.life.kept import Incident, Owed
from tests.life.rulings import Rulings
from tests.life.seen import Seen, Sent
from tests.life.taken_back import to_remove

SETTLED_BY = {
    "retract": ("erased", "restricted"),
    "withdraw": ("erased", "restricted"),
    "correct": ("accepted", "rejected"),
    "transfer": ("accepted", "rejected"),
    "assistance": ("accepted", "rejected"),
}


class Reference(Rulings):
    """What must follow. Steps come in as they happen; each gives what everybody must see of it."""

    def receipt(self, member: str, kind: str, of: Sent, cause: str, *, by_person: bool) -> Seen:
        """A member says what it did with a delivery. Of a retraction its system's word is not enough."""
        seen = Seen("receipted")
        incident = self.incidents.get(of.key)
        answered = []
        for owed in list(incident.owed) if incident else ():
            if owed.asked_by != of or owed.member != member or kind not in SETTLED_BY[owed.kind]:
                continue
            answered.append(owed.kind)
            if owed.kind in ("retract", "correct") and not by_person:
                owed.by_adapter = True
            else:
                assert incident
                incident.owed.remove(owed)
        seen.tell(of.key[0], kind, member, cause or "".join(answered))
        return seen

    def due(self, key: Key) -> Seen:
        """Time has passed for something of an incident."""
        incident, seen = self.incidents[key], Seen("elapsed")
        self.pass_time(incident, self.now, seen)
        over = [each for each in incident.owed if each.deadline and each.deadline <= self.now]
        for owed in over:
            if owed.is_unsent_correction:
                self.correct_late(incident, owed, seen)
        for owed in over:
            if not owed.is_unsent_correction:
                self._unanswered(incident, owed, seen)
        return seen

    def _unanswered(self, incident: Incident, owed: Owed, seen: Seen) -> None:
        """The origin hears, at each limit once; what could not be sent is tried again, until it can be."""
        is_news, was_sent = owed.step < len(owed.limits_s), owed.asked_by is not None
        if not was_sent and owed.member not in self.unreachable:
            if owed.kind == "withdraw" and not to_remove(incident, owed):
                incident.owed.remove(owed)
                return
            self.ask_to_remove(incident, owed, seen)
        self.wait_on(owed)
        if is_news or (owed.asked_by and not was_sent):
            seen.tell(incident.key[0], "unanswered", owed.member, owed.kind, owed.deadline)

    def next_due(self) -> datetime | None:
        """When something is next due, of any incident."""
        deadlines = [line.deadline for each in self.incidents.values() for line in each.lines.values()]
        deadlines += [owed.deadline for each in self.incidents.values() for owed in each.owed if owed.deadline]
        return min(deadlines, default=None)
