"""What is remembered once an event has been decided: who holds what of it now, at which number, and its history."""

from __future__ import annotations

from typing import Final

from routing.arrived import Arrived, milliseconds
from routing.course import Course
from routing.state.incident import Incident, Latest
from routing.state.remembering import Told, next_incident, told_of
from routing.state.sequence import seen_after
from schemas.errors import Rejected

_FEW_BYTES: Final = 32 * 1024
"""What is remembered of an incident besides its events: codes stated, holders, rulings."""


def remembered(came: Arrived, before: Incident | None, course: Course) -> Incident:
    """What is remembered after an event.

    Raises:
        Rejected: more would have to be remembered of the incident than may be: nothing of it may be left out, since a
            code that was once stated may protect somebody.
    """
    told = told_of(before)
    incident = next_incident(
        came.considered.sequence,
        course.history,
        seen_after(before, came.identity[2], came.record.value or b""),
        (milliseconds(came.now), course.closed_ms),
        Told(course.numbers, course.holdings, told.rulings, told.expected),
        Latest(came.record.offset, came.identity[2]),
    )
    size = len(incident.history.encoded) + len(incident.holdings.encoded) + len(incident.rulings.encoded)
    if size > _FEW_BYTES and (before is None or len(incident.history.encoded) > len(before.history.encoded)):
        raise Rejected(
            "too-much-stated",
            f"the events of this incident have stated more codes than can be remembered: {size} bytes",
            remedy="state codes of the code lists; what was stated once is remembered until the incident is forgotten",
        )
    return incident
