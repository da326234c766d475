"""What a delivery changes in what its receiver holds: pure, the same for every sink that keeps current content.

- *share*, *correct*: the head and every covered section are replaced (covered and empty: there is none); sections not
  covered stay, with the time when each was last stated.
- *restricted*: no news for now; what is held stays, and the incident is marked until the next share.
- *withdraw*: the named sections go, and leave a mark; where the head is named, so does everything.
- *retract*: everything goes, is sealed for the person who will erase it or keep it as evidence, and leaves a tombstone.

**Which is newer.** The order of the partner topic is the truth. Where deliveries carry a number, one that is not above
the latest of its incident comes *late*, as what was missing does in a replay: it takes its own place, and changes only
what nothing newer has stated, withdrawn or taken back (`consumers.fold_late`). After a retraction, a share takes effect
only if it is known to be later: by its number; where there are none, by the origin's own clock, the event's ``sent_at``
against that of the retraction. So a replay of old events never resurrects a retracted incident, even where the
deliveries have been forgotten; and an origin whose clock went back must send its next event after the time of the
retraction. Nor does what was read before, and comes again without a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Literal

from consumers.change import Change, Numbers, Row
from consumers.delivery import Delivery, IncidentKey, Positions
from consumers.fold_actions import keep_until, share, take_back, withdraw
from consumers.fold_late import take_late
from consumers.sinks.table import iso

Effect = Literal["applied", "late", "superseded"]
"""What a delivery did: took effect; took its place among newer ones; changed nothing, something newer was here."""


class Fold:
    """Deliveries in order, onto what is held of their incidents."""

    def __init__(
        self,
        held: Mapping[IncidentKey, Row],
        now: datetime,
        numbers: Callable[[IncidentKey], Numbers] = lambda _: {},
        read: Positions | None = None,
    ) -> None:
        """Begin with what is held.

        Args:
            held: the rows of their incidents.
            now: when it is written.
            numbers: of an incident's sections as held; asked only where a delivery comes late.
            read: what lies before these positions was passed over once: without a number it changes nothing.
        """
        self._held = held
        self._now = now
        self._numbers = numbers
        self._read = read or {}
        self.changes: dict[IncidentKey, Change] = {}

    def apply(self, delivery: Delivery) -> Effect:
        """Take one delivery in, and tell what it did."""
        change = self.changes.get(delivery.key) or self._start(delivery)
        if _is_late(delivery, change.row):
            if not take_late(change, delivery, change.numbers(lambda: self._numbers(delivery.key))):
                return "superseded"
            self.changes[delivery.key] = change
            return "late"
        if self._is_superseded(delivery, change):
            return "superseded"
        self.changes[delivery.key] = change
        _ACTIONS[delivery.action](change, delivery)
        terms = delivery.terms
        change.row.update(
            action=delivery.action,
            latest_delivery_id=delivery.delivery_id,
            last_heard_at=iso(self._now),
            restricted=delivery.action == "restricted",
            **{f"contact_{part}": delivery.event["contact"][part] for part in ("desk", "phone", "email")},
        )
        if terms["number"] is not None:
            change.row["latest_number"] = terms["number"]
        return "applied"

    def _is_superseded(self, delivery: Delivery, change: Change) -> bool:
        row = change.row
        if delivery.terms["number"] is not None and row.get("latest_number") is not None:
            return False
        if change.known and delivery.record.is_before(self._read):
            return True
        retracted = row.get("retracted_sent_at")
        if retracted is None or delivery.action == "retract":
            return False
        return bool(iso(delivery.event["sent_at"]) <= retracted)

    def _start(self, delivery: Delivery) -> Change:
        held = self._held.get(delivery.key)
        if held is not None:
            return Change(dict(held), known=True)
        origin, incident_id = delivery.key
        return Change(
            {"origin": origin, "incident_id": incident_id, "addressed_to_us": False, "links": []}, known=False
        )


def _is_late(delivery: Delivery, row: Row) -> bool:
    number, latest = delivery.terms["number"], row.get("latest_number")
    return number is not None and latest is not None and number <= latest


_ACTIONS: Final[Mapping[str, Callable[[Change, Delivery], None]]] = {
    "share": share,
    "correct": share,
    "restricted": keep_until,
    "withdraw": withdraw,
    "retract": take_back,
}
