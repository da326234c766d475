"""What happens of itself: a step of a case whose time is up, an answer that a member still owes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from routing.agreements.considered import Considered
from routing.agreements.deliberation import PARTS
from routing.answers.expected import Expected
from routing.arrived import Arrived
from routing.asked import latest_of
from routing.case_records import Latest
from routing.casework.case import Case
from routing.casework.deadlines import due
from routing.consequences import Consequences, Setting
from routing.correcting import try_again
from routing.effects import Effects, Known, Policy
from routing.latest_event import latest_event
from routing.state.incident import Incident, milliseconds_of
from routing.telling import About
from schemas.codec import EventCodec


def elapsed(
    key: bytes,
    partition: int,
    policy: Policy,
    now: datetime,
    codec: EventCodec,
    known: Known,
    by: datetime | None = None,
) -> Effects | None:
    """What follows for an incident of which something was due; None: nothing is any more.

    Args:
        key: the incident's.
        partition: where it is remembered.
        policy: who can be reached, and whom to call.
        now: when it happens: the next limits run from then.
        codec: the schemas known.
        known: what is remembered.
        by: until when everybody was heard who could have answered in time, and no later than now; what is due later
            is left. None: until now.
    """
    incident, by = known.find(key), by or now
    if incident is None or not is_due(incident, by):
        return None
    origin, _, incident_id = key.decode().partition("/")
    came = None
    if _reads_the_event(incident, policy, by):
        came = latest_event(origin, partition, incident, known, policy, now, codec)
    matter = About(origin, incident_id, incident.latest.event_id, now, None)
    drawn = Consequences(matter, incident, Setting(policy, codec, partition, known.stream))
    pass_time(drawn, came, now, by)
    _correct_late(drawn, came, by)
    _remind(drawn, now, by)
    return drawn.effects("elapsed")


def is_due(incident: Incident, now: datetime) -> bool:
    """Whether anything of it is due."""
    lines, expected = incident.rulings.value.lines, incident.expected.value
    return any(line.deadline <= now for line in lines) or any(_is_over(each, now) for each in expected)


def _reads_the_event(incident: Incident, policy: Policy, by: datetime) -> bool:
    """Whether what is due needs the latest event, which is read from Kafka while everybody else waits."""
    return any(line.deadline <= by for line in incident.rulings.value.lines) or any(
        owed.is_unsent_correction and _is_over(owed, by) and owed.member not in policy.suspended
        for owed in incident.expected.value
    )


def pass_time(drawn: Consequences, came: Arrived | None, now: datetime, by: datetime | None = None) -> None:
    """Escalate and lapse what was due of the incident's case by a moment; None: by now.

    Where the latest event cannot be read any more nothing is known of it: what lapses then stands until it says a
    grade, a flag or a hazard.
    """
    rulings = drawn.rulings
    by = by or now
    if not any(line.deadline <= by for line in rulings.lines):
        return
    before = min(line.deadline for line in rulings.lines)
    passed = due(Case(rulings.lines), came.considered if came else _nothing_known(drawn), now, by)
    drawn.rulings = rulings._replace(lines=passed.case.lines, refusals=(*rulings.refusals, *passed.lapses))
    drawn.case_notices += passed.notices
    latest = latest_of(came) if came else Latest(drawn.before.sequence, None)
    drawn.show_case(latest, f"due:{milliseconds_of(before)}")


def _correct_late(drawn: Consequences, came: Arrived | None, by: datetime) -> None:
    """Holders that a correction could not reach are tried again."""
    over = [each for each in drawn.expected if each.is_unsent_correction and _is_over(each, by)]
    drawn.expected = tuple(each for each in drawn.expected if each not in over)
    for waiting in over:
        if left := try_again(waiting, came, drawn):
            drawn.expected = (*drawn.expected, left)


def _remind(drawn: Consequences, now: datetime, by: datetime) -> None:
    """Tell the origin of each answer that did not come in time; what could not be sent before is tried again."""
    reminded = []
    for owed in drawn.expected:
        if not _is_over(owed, by):
            reminded.append(owed)
            continue
        tried = _sent_again(owed, drawn) if owed.is_unsent else owed
        if tried is None:
            continue
        later = tried.later(now)
        reminded.append(later)
        if not owed.has_limits_left and later.is_unsent:
            continue
        said = {
            "reason": owed.kind,
            "detail": f"{_why(owed, later)}: {_DUE[owed.kind]}",
            "remedy": f"call {_whom(owed.member, drawn)}",
            "delivery_id": later.delivery_id or None,
            "deadline": later.deadline,
            "ruling_id": owed.ruling_id or None,
        }
        drawn.tell("unanswered", owed.member, said, owed.kind, owed.delivery_id, owed.ruling_id, str(owed.step))
    drawn.expected = tuple(reminded)


def _why(owed: Expected, later: Expected) -> str:
    """Why there is no answer."""
    if later.is_unsent:
        return "the member could not be asked yet, since its topic cannot be written"
    return "the member could be asked only now" if owed.is_unsent else "the member has not answered"


def _sent_again(owed: Expected, drawn: Consequences) -> Expected | None:
    """Once its member can be reached again; that it cannot, the origin was told. None: there is no need any more.

    What a member has been sent anew meanwhile is not taken from it.
    """
    if owed.member in drawn.setting.policy.suspended:
        return owed
    withdraws = tuple(part for part in PARTS if part in owed.sections - drawn.held_by(owed.member))
    if owed.kind == "withdraw" and not withdraws:
        return None
    delivery_id = drawn.notify(
        owed.member,
        owed.kind,
        owed.ruling_id or owed.event_id,
        withdraws=withdraws,
        reason=owed.reason or None,
        ask=owed.ask or None,
    )
    return replace(owed, delivery_id=delivery_id)


def _is_over(owed: Expected, now: datetime) -> bool:
    return owed.deadline is not None and owed.deadline <= now


def _whom(member: str, drawn: Consequences) -> str:
    facts = drawn.setting.policy.exchange.members.get(member)
    return f"{facts.contact.desk} of {facts.name} {facts.contact.phone}".rstrip() if facts else "the member"


def _nothing_known(drawn: Consequences) -> Considered:
    unknown = "unknown"
    return Considered(
        origin=drawn.matter.origin,
        category=None,
        qualifiers=None,
        flags=None,
        caveats=None,
        handling=None,
        grade=unknown,
        status=unknown,
        kind=unknown,
        mode=unknown,
        marking=unknown,
        places=(),
        sections=frozenset(),
        addressees=frozenset(),
        sequence=drawn.before.sequence,
    )


_DUE = {
    "retract": "a person there is to confirm what became of what was taken back",
    "withdraw": "its system is to confirm that it removed the sections",
    "correct": "a person there is to accept the correction",
    "transfer": "it is to accept or reject the incident; until then it is the origin's",
    "assistance": "it is to accept or reject the request",
}
