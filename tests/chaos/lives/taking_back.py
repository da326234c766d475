"""What must come of what is taken back: a retraction bars the incident, a withdrawal removes sections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Literal, NamedTuple

from routing.agreements import HEAD, decide
from routing.agreements.state import Refusal, RuleRef
from routing.state.incident import moment_of
from schemas.sections import SECTIONS
from tests.chaos.lives.considered import considered_of
from tests.chaos.lives.life import Life, Line
from tests.chaos.lives.seen import Value

_PARTS: Final = (HEAD, *SECTIONS)


class TakenBack(NamedTuple):
    """Why and how an incident is taken back."""

    cause: str
    """The ruling or the event, by its id."""
    reason: str
    ask: str
    event_id: str
    """The event that the notices are about."""

    @property
    def ruling_id(self) -> str:
        return "" if self.cause == self.event_id else self.cause


def retract(life: Life, members: Iterable[str], at_ms: int, what: TakenBack) -> None:
    """The incident is barred for these members; each that holds it is asked to give it back."""
    members = sorted(members)
    life.barred |= frozenset(members)
    moot = [line for line in life.lines.values() if line.recipient in members]
    life.lines = {key: line for key, line in life.lines.items() if line not in moot}
    for member in members:
        delivery_id, deadline_ms = "", None
        if life.holdings.pop(member, None) is not None:
            said = {"reason": what.reason, "ask": what.ask}
            delivery_id = life.notify(member, "retract", what.cause, what.event_id, at_ms, **said)
            life.owed = [each for each in life.owed if each.member != member]
            limits_s = life.rules.exchange.answers.retraction_s
            deadline_ms = life.owe(member, "retract", delivery_id, limits_s, at_ms, what.ruling_id).deadline_ms
        told = {"delivery_id": delivery_id, "ruling_id": what.ruling_id, "deadline_ms": deadline_ms}
        life.tell(at_ms, "retracted", member, reason=what.reason, **told)
    if moot:
        sequence = life.seen_sequence if what.ruling_id else life.sequence
        life.show(at_ms, [("moot", line, line.parts) for line in moot], what.ruling_id, sequence)


def withdraw(life: Life, ruling: Value, at_ms: int) -> None:
    """Holders are asked to remove sections; what rules would send again with the next event is refused."""
    named, reason, ruling_id = frozenset(ruling["sections"]), ruling["reason"], ruling["ruling_id"]
    taken = []
    for member in sorted(ruling["recipients"]):
        held = life.holdings.get(member)
        has = {part.part for part in held.parts} if held else set()
        parts = tuple(part for part in _PARTS if part in has and (not named or part in named))
        if held is None or not parts:
            life.tell(at_ms, "withdrawn", member, reason=reason, ruling_id=ruling_id)
            continue
        taken.append(member)
        left = tuple(part for part in held.parts if part.part not in parts)
        life.holdings = {key: each for key, each in life.holdings.items() if key != member}
        if left:
            life.holdings[member] = replace(held, parts=left, restricted=False)
        said = {"withdraws": parts, "reason": reason}
        delivery_id = life.notify(member, "withdraw", ruling_id, life.latest["event_id"], at_ms, **said)
        limits_s = life.rules.exchange.answers.withdrawal_s
        owed = life.owe(member, "withdraw", delivery_id, limits_s, at_ms, ruling_id)
        told = {"delivery_id": delivery_id, "ruling_id": ruling_id, "deadline_ms": owed.deadline_ms}
        life.tell(at_ms, "withdrawn", member, reason=reason, sections=parts, **told)
    event, state, now = considered_of(life.latest), life.state(), moment_of(at_ms)
    for member in taken:
        decision = decide(life.rules.bundle, event, member, now, state)
        flows = {HEAD, *decision.covers} if decision.head == "granted" else set()
        if still := frozenset(flows) & (named or flows):
            life.refusals.append(refusal_of("refusal", member, still, life.latest, ()))


def refusal_of(
    kind: Literal["refusal", "lapse"], member: str, parts: frozenset[str], latest: Value, lines: Iterable[Line]
) -> Refusal:
    event = considered_of(latest)
    return Refusal(
        kind=kind,
        recipients=frozenset({member}),
        parts=parts,
        rules=tuple(RuleRef(line.agreement, line.rule) for line in lines if line.recipient == member),
        grade=event.grade,
        flags=event.flags or frozenset(),
        hazards=event.hazards,
    )
