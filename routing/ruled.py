"""What follows from a person's ruling: it is taken, or its desk is told why not."""

from __future__ import annotations

from datetime import datetime

from routing.effects import Effects, Known, Policy, Record
from routing.hearing.flowing import let_flow
from routing.hearing.reading import JUDGED, read
from routing.hearing.ruling import opened
from routing.hearing.taking_back import take_back
from routing.state.memory import incident_key
from routing.telling import About, tell
from schemas.casework import Ruling
from schemas.codec import EventCodec
from schemas.errors import Rejected


def ruled(record: Record, member: str, policy: Policy, now: datetime, known: Known, codec: EventCodec) -> Effects:
    """The effects of a ruling on its incident: taken, or told why not.

    Raises:
        Rejected: it is no ruling, is another member's, or lies under another key than its incident's.
    """
    ruling = read(record, member, policy)
    incident = known.find(incident_key(member, ruling.incident_id))
    if incident is None:
        return _not_taken(About(member, ruling.incident_id, "", now, record), ruling, _unknown())
    matter = About(member, ruling.incident_id, incident.latest.event_id, now, record)
    hearing = opened(ruling, record, incident, matter, policy, known, codec)
    try:
        if ruling.kind in JUDGED:
            let_flow(hearing)
        else:
            take_back(hearing)
    except Rejected as why:
        return _not_taken(matter, ruling, why)
    return hearing.drawn.effects("ruled")


def _unknown() -> Rejected:
    return Rejected(
        "unknown-incident",
        "no event of this incident was routed, or it has been forgotten since",
        remedy="see that the incident was published; name it as the control room's events do",
    )


def _not_taken(matter: About, ruling: Ruling, why: Rejected) -> Effects:
    said = {
        "reason": why.reason,
        "detail": str(why),
        "remedy": why.remedy,
        "role": ruling.role,
        "person": ruling.person,
        "ruling_id": ruling.ruling_id,
    }
    kind, output = tell(matter, "ruling-not-taken", None, said, mark=(ruling.ruling_id,))
    return Effects(fate="ruled", outputs=(output,), feedback=((matter.origin, kind),), reason=why.reason)
