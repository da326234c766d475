"""What follows from a person's ruling: releases and refusals, sharing beyond the rules, what is taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple, get_args

from pydantic import ValidationError

from routing.agreements.decision import HEAD
from routing.agreements.model import FINEST_FIRST
from routing.agreements.state import Discretion, Override, Refusal, Release, State
from routing.arrived import Arrived
from routing.asked import latest_of
from routing.case_records import Latest, Ruled
from routing.casework.case import Case
from routing.casework.judging import check_person, judge
from routing.casework.known import Judged
from routing.casework.known import Known as JudgedBy
from routing.casework.said import Said, SaidKind
from routing.circulation import circulation
from routing.consequences import Consequences, Setting
from routing.deciding import Decisions, decide_afresh, decide_all
from routing.disclose import Positions, disclosed
from routing.effects import Effects, Known, Policy, Record
from routing.elapsed import pass_time
from routing.latest_event import latest_event
from routing.recalled import TakenBack, lift_bar, retract, withdraw
from routing.state.encoding import kept_rulings
from routing.state.holding import holding_after
from routing.state.incident import Incident, moment_of
from routing.state.memory import incident_key
from routing.telling import About, tell
from routing.what_came_before import what_came_before
from schemas.casework import Ruling
from schemas.codec import EventCodec, decode_foreign
from schemas.errors import Rejected

_JUDGED: Final = frozenset(get_args(SaidKind))
_GRANTING: Final = frozenset({"release", "discretion", "override"})
_TOLD_AS: Final = {"discretion": "shared-at-discretion", "override": "overridden"}


def ruled(record: Record, member: str, policy: Policy, now: datetime, known: Known, codec: EventCodec) -> Effects:
    """The effects of a ruling on its incident: taken, or told why not.

    Raises:
        Rejected: it is no ruling, is another member's, or lies under another key than its incident's.
    """
    ruling = _read(record, member, policy)
    incident = known.find(incident_key(member, ruling.incident_id))
    event_id = incident.latest.event_id if incident else ""
    matter = About(member, ruling.incident_id, event_id, now, record)
    try:
        if incident is None:
            raise _unknown()
        hearing = _hearing(ruling, record, incident, matter, policy, known, codec)
        _rule(hearing)
    except Rejected as why:
        return _not_taken(matter, ruling, why)
    return hearing.drawn.effects("ruled")


def _unknown() -> Rejected:
    return Rejected(
        "unknown-incident",
        "no event of this incident was routed, or it has been forgotten since",
        remedy="see that the incident was published; name it as the control room's events do",
    )


class _Hearing(NamedTuple):
    """A ruling with all that it is judged by."""

    ruling: Ruling
    said: Said
    record: Record
    came: Arrived | None
    """The incident's latest event; None: it is no longer on its topic."""
    drawn: Consequences
    known: Known


def _hearing(
    ruling: Ruling, record: Record, incident: Incident, matter: About, policy: Policy, known: Known, codec: EventCodec
) -> _Hearing:
    at = moment_of(record.timestamp_ms) if record.timestamp_ms else matter.now
    came = latest_event(matter.origin, record.partition, incident, known, policy, matter.now, codec)
    drawn = Consequences(matter, incident, Setting(policy, codec, record.partition, known.stream))
    # Whatever was due when the broker took the ruling has happened before it.
    pass_time(drawn, came, at)
    return _Hearing(ruling, _said(ruling, at), record, came, drawn, known)


def _rule(hearing: _Hearing) -> None:
    """Judge it and draw the consequences.

    Raises:
        Rejected: it does not count, and why.
    """
    kind = hearing.ruling.kind
    if kind in _JUDGED:
        _casework(hearing)
    else:
        _take_back(hearing)


# -- rulings on what may flow


def _casework(hearing: _Hearing) -> None:
    ruling, said, drawn, came = hearing.ruling, hearing.said, hearing.drawn, hearing.came
    if came is None:
        raise Rejected(
            "event-gone",
            "the incident's latest event is no longer on its topic, so nobody can rule on what it says",
            remedy="have the control room send the incident again",
        )
    case = Case(drawn.rulings.lines)
    judged = judge(said, JudgedBy(drawn.setting.policy.bundle, came.considered, _state(hearing), case, frozenset()))
    _stand(judged, drawn)
    drawn.case_notices += judged.notices
    if judged.notices:
        drawn.show_case(latest_of(came), ruling.ruling_id, _who(ruling))
    if ruling.kind in _TOLD_AS:
        for member in ruling.recipients:
            _tell(hearing, _TOLD_AS[ruling.kind], member, "a person shares it beyond the rules")
    elif ruling.kind == "ask-again":
        for member in ruling.recipients:
            _tell(hearing, "asked-again", member, "the origin asks again: the next event is decided anew")
    if ruling.kind in _GRANTING:
        _deliver(hearing, came, judged)


def _stand(judged: Judged, drawn: Consequences) -> None:
    """What was ruled stands among the incident's rulings."""
    standing = drawn.rulings
    drawn.rulings = standing._replace(
        releases=(*standing.releases, *(each for each in judged.rulings if isinstance(each, Release))),
        discretions=(*standing.discretions, *(each for each in judged.rulings if isinstance(each, Discretion))),
        overrides=(*standing.overrides, *(each for each in judged.rulings if isinstance(each, Override))),
        refusals=judged.refusals,
        lines=judged.case.lines,
    )


def _deliver(hearing: _Hearing, came: Arrived, judged: Judged) -> None:
    """The latest event, decided again, to those for whom something of it flows by this ruling."""
    ruling, drawn = hearing.ruling, hearing.drawn
    policy, incident = drawn.setting.policy, drawn.before
    before = incident._replace(rulings=kept_rulings(drawn.rulings))
    decide = decide_all if came.is_usual else decide_afresh
    decided = decide(policy.bundle, came.considered, came.now, before.state())
    named = frozenset().union(*(each.recipients for each in judged.rulings))
    parts = frozenset().union(*(each.parts for each in judged.rulings))
    mine = [each for each in decided if each.recipient in named]
    flowing = [each for each in mine if each.decision.head == "granted" and parts & {HEAD, *each.decision.covers}]
    for each in mine:
        if each not in flowing:
            _tell(
                hearing, each.decision.head if each.decision.head != "granted" else "withheld", each.recipient, _STILL
            )
    if not flowing:
        return
    decisions = Decisions(tuple(flowing))
    circulated = circulation(decisions, policy.suspended)
    positions = Positions(drawn.numbers, hearing.known.stream, incident.closed_ms, what_came_before(before))
    shown = came._replace(record=hearing.record)
    outputs, streams = disclosed(shown, circulated, policy, drawn.setting.codec, positions, ruling.ruling_id)
    drawn.outputs += outputs
    drawn.streams |= streams
    for to in circulated.recipients:
        drawn.numbers[to] = drawn.numbers.get(to, 0) + 1
    sent = frozenset(circulated.recipients)
    standing = (*drawn.rulings.releases, *drawn.rulings.discretions, *drawn.rulings.overrides)
    for each in flowing:
        holding = drawn.holdings.get(each.recipient)
        if each.recipient in sent and (
            after := holding_after(policy.bundle, each.decision, each.recipient, holding, standing)
        ):
            drawn.holdings[each.recipient] = after
    for to, reason in circulated.cut_off:
        drawn.tell("undeliverable", to, {"reason": reason, "ruling_id": ruling.ruling_id}, ruling.ruling_id)


_STOPPED: Final = {"forbidden": "forbidden", "referred": "referred"}
_STILL: Final = "ruled, and still nothing of it flows: another rule, a forbid or a retraction stands in the way"


# -- what is taken back


def _take_back(hearing: _Hearing) -> None:
    ruling, said, drawn = hearing.ruling, hearing.said, hearing.drawn
    _check_role(hearing)
    what = TakenBack(
        members=frozenset(ruling.recipients),
        reason=ruling.reason or "",
        cause=ruling.ruling_id,
        ask=ruling.ask or "erase",
        sections=said.parts,
        ruling_id=ruling.ruling_id,
    )
    match ruling.kind:
        case "retract":
            retract(what, drawn)
        case "lift-bar":
            lift_bar(what, drawn)
        case "withdraw":
            _refuse_what_still_flows(hearing, withdraw(what, drawn))
        case _:
            raise Rejected("unknown-ruling", f"expected a kind of ruling that this release knows, got {ruling.kind}")
    if drawn.case_notices:
        latest = latest_of(hearing.came) if hearing.came else Latest(drawn.before.sequence, None)
        drawn.show_case(latest, ruling.ruling_id, _who(ruling))


def _check_role(hearing: _Hearing) -> None:
    """Whoever takes back or lifts a bar holds a role at the origin, and names members of the exchange."""
    ruling, bundle = hearing.ruling, hearing.drawn.setting.policy.bundle
    check_person(hearing.said, bundle, hearing.drawn.matter.origin, frozenset())
    if wrong := sorted(set(ruling.recipients) - set(bundle.receivers)):
        raise Rejected("bad-recipient", f"expected members that receive, got {', '.join(wrong)}")
    if ruling.kind in ("retract", "withdraw") and not ruling.reason:
        raise Rejected("no-reason", "expected a reason of the list change-reason", remedy="say --reason")
    if ruling.ask not in (None, "erase", "restrict"):
        raise Rejected("bad-ask", "expected erase or restrict", remedy="say --ask")


def _refuse_what_still_flows(hearing: _Hearing, members: frozenset[str]) -> None:
    """A person's withdrawal stands as a refusal where rules would send the same again with the next event."""
    came, drawn = hearing.came, hearing.drawn
    if came is None or not members:
        return
    policy, event = drawn.setting.policy, came.considered
    decide = decide_all if came.is_usual else decide_afresh
    parts = hearing.said.parts
    for each in decide(policy.bundle, event, came.now, drawn.incident().state()):
        flows = {HEAD, *each.decision.covers} if each.decision.head == "granted" else set()
        still = frozenset(flows) & (parts or flows)
        if each.recipient in members and still:
            refusal = Refusal(
                kind="refusal",
                recipients=frozenset({each.recipient}),
                parts=still,
                grade=event.grade,
                flags=event.flags or frozenset(),
                hazards=event.hazards,
            )
            drawn.rulings = drawn.rulings._replace(refusals=(*drawn.rulings.refusals, refusal))


# -- reading and telling


def _read(record: Record, member: str, policy: Policy) -> Ruling:
    value = decode_foreign("Ruling", record.value, policy.exchange.limits.max_event_bytes)
    try:
        ruling = Ruling.from_avro(value)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise Rejected("bad-ruling", f"expected a ruling; at {place or 'start'}: {error.errors()[0]['msg']}") from None
    if ruling.member != member:
        raise Rejected("wrong-member", "the ruling names another member than the topic it arrived on")
    if record.key != ruling.incident_id.encode():
        raise Rejected("wrong-key", "expected the incident_id as the key", remedy="rule with huecry")
    if ruling.locate not in FINEST_FIRST:
        raise Rejected("bad-locate", f"expected a locate of {', '.join(FINEST_FIRST)}")
    return ruling


def _said(ruling: Ruling, at: datetime) -> Said:
    kind: SaidKind = ruling.kind if ruling.kind in _JUDGED else "refuse"  # type: ignore[assignment]
    return Said(
        id=ruling.ruling_id,
        kind=kind,
        person=ruling.person,
        role=ruling.role,
        at=at,
        recipients=frozenset(ruling.recipients),
        # Whoever is sent a section sees the head: an override that left a forbidden head standing would lift nothing.
        parts=frozenset(ruling.sections) | ({HEAD} if kind == "override" and ruling.sections else frozenset()),
        seen_sequence=ruling.seen_sequence,
        because=ruling.because,
        until=ruling.until,
        locate=ruling.locate,  # type: ignore[arg-type]
        agreement=ruling.agreement,
        later_events=ruling.later_events,
    )


def _state(hearing: _Hearing) -> State:
    return hearing.drawn.before._replace(rulings=kept_rulings(hearing.drawn.rulings)).state()


def _who(ruling: Ruling) -> Ruled:
    return Ruled(ruling.ruling_id, ruling.person, ruling.role, ruling.because)


def _tell(hearing: _Hearing, kind: str, member: str, detail: str) -> None:
    ruling = hearing.ruling
    said = {
        "detail": detail,
        "sections": tuple(sorted(ruling.sections)),
        "role": ruling.role,
        "person": ruling.person,
        "ruling_id": ruling.ruling_id,
        "deadline": ruling.until,
    }
    hearing.drawn.tell(kind, member, said, ruling.ruling_id)


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
