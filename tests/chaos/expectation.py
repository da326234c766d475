"""What must be true after a run: worked out from what the control rooms told and from the naive interpreter alone.

Nothing here goes through what is under test but rules that are pure functions. `Considered` is read from the event's
model, each event is decided for each recipient by `decide`, with what came before it in its incident, and what a
receiver holds follows from the order of its incident's events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from routing.agreements import Bundle, Considered, Decision, Place, decide
from routing.agreements.following import closed_at
from routing.agreements.history import history_after
from routing.agreements.state import FIRST_EVENT, State
from routing.state.holding import holding_after
from schemas.event import IncidentEvent
from schemas.exchange import Exchange
from schemas.sections import SECTIONS

EventKey = tuple[str, str]
"""(origin, event_id)."""
IncidentKey = tuple[str, str]
"""(origin, incident_id)."""


@dataclass(frozen=True)
class Shared:
    """One delivery that there must be."""

    event: IncidentEvent
    covers: tuple[str, ...]


Told = tuple[str, str]
"""What a recipient is sent: the action, and the event_id where the event itself goes with it."""


@dataclass
class Expectation:
    """Everything that must be found, and nothing besides."""

    events: dict[EventKey, IncidentEvent] = field(default_factory=dict)
    considered: dict[EventKey, Considered] = field(default_factory=dict)
    decisions: dict[EventKey, dict[str, Decision]] = field(default_factory=dict)
    shared: dict[str, dict[EventKey, Shared]] = field(default_factory=dict)
    """By recipient; the events of an incident in its order."""
    sent: dict[str, dict[IncidentKey, list[Told]]] = field(default_factory=dict)
    """By recipient: everything that it is sent of each incident, notices too, in order."""
    before: dict[EventKey, State] = field(default_factory=dict)
    """What came before each event in its incident."""

    def incidents(self, member: str) -> dict[IncidentKey, list[Shared]]:
        """What a recipient is sent of each incident, in its order."""
        found: dict[IncidentKey, list[Shared]] = {}
        for shared in self.shared[member].values():
            found.setdefault((shared.event.origin, shared.event.incident_id), []).append(shared)
        return found

    def without_news(self, member: str) -> set[IncidentKey]:
        """The incidents of which the last that a recipient was sent is that there is no news."""
        return {key for key, told in self.sent[member].items() if told[-1][0] == "restricted"}


def expect(events: Iterable[IncidentEvent], exchange: Exchange, bundle: Bundle, on: datetime) -> Expectation:
    """Decide every event for every recipient. `on` is a time under which the same agreements were in force."""
    receivers = exchange.receivers()
    expected = Expectation(shared={member: {} for member in receivers}, sent={member: {} for member in receivers})
    states: dict[IncidentKey, State] = {}
    for event in sorted(events, key=lambda event: (event.origin, event.incident_id, sequence_of(event))):
        key = event.origin, event.event_id
        considered = considered_of(event)
        recipients = [member for member in exchange.receivers() if member != event.origin]
        incident = event.origin, event.incident_id
        before = expected.before[key] = states.get(incident, FIRST_EVENT)
        decisions = {member: decide(bundle, considered, member, on, before) for member in recipients}
        expected.events[key] = event
        expected.considered[key] = considered
        expected.decisions[key] = decisions
        for member, decision in decisions.items():
            if decision.head == "granted":
                covers = tuple(name for name in SECTIONS if decision.sections[name] == "granted")
                expected.shared[member][key] = Shared(event, covers)
            if told := _told(decision, event.event_id):
                expected.sent[member].setdefault(incident, []).append(told)
        states[incident] = _state_after(before, considered, decisions, bundle, on)
    return expected


def _told(decision: Decision, event_id: str) -> Told | None:
    assert not decision.withdraws, "no control room here corrects anything"
    if decision.head == "granted":
        return decision.action, event_id
    return (decision.action, "") if decision.action == "restricted" else None


def _state_after(
    before: State, event: Considered, decisions: Mapping[str, Decision], bundle: Bundle, on: datetime
) -> State:
    """What the next event of the incident finds."""
    held = {holding.member: holding for holding in before.holdings}
    for member, decision in decisions.items():
        if after := holding_after(bundle, decision, member, held.get(member)):
            held[member] = after
    return State(
        history=history_after(before.history, event),
        holdings=tuple(held[member] for member in sorted(held)),
        closed_at=closed_at(before, event, on),
        last_event_at=on,
    )


def sequence_of(event: IncidentEvent) -> int:
    """Which one it is in its incident."""
    return event.control[0].sequence


def considered_of(event: IncidentEvent) -> Considered:
    """What conditions may read of an event, from its model."""
    classification = event.classification[0] if event.classification else None
    control = event.control[0]
    first_level = None if event.category == "unknown" else event.category
    return Considered(
        origin=event.origin,
        category=(classification.category if classification else None) or first_level,
        qualifiers=_set(classification.qualifiers if classification else None),
        flags=_set(classification.flags if classification else None),
        caveats=_set(control.caveats),
        handling=_set(event.handling),
        grade=event.grade,
        status=event.status,
        kind=event.kind,
        mode=event.mode,
        marking=event.marking,
        places=tuple(Place(location.kind or None, location.district) for location in event.locations),
        sections=frozenset(name for name in SECTIONS if getattr(event, name)),
        addressees=frozenset(control.addressees),
        opening_category=classification.opening_category if classification else None,
        closing_category=classification.closing_category if classification else None,
    )


def _set(codes: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if codes is None else frozenset(codes)


def held_sections(shared: Iterable[Shared]) -> Mapping[str, IncidentEvent]:
    """Of one incident's deliveries in order: each section ever covered, with the last event that covered it."""
    return {name: one.event for one in shared for name in one.covers}


def as_json(value: object) -> Any:
    """A part of an event as a receiving system keeps it: codes, times as text, and nothing that is not stated."""
    match value:
        case BaseModel():
            fields = {name: getattr(value, name) for name in type(value).model_fields}
            return {name: as_json(inner) for name, inner in fields.items() if inner is not None}
        case tuple():
            return [as_json(inner) for inner in value]
        case datetime():
            return text_of(value)
        case date():
            return value.isoformat()
        case _:
            return value


def text_of(moment: datetime | None) -> str | None:
    """A time as the tables hold it: 2026-01-31T08:00:00.000Z."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
