"""What must come of a person's ruling, or why it does not count."""

from __future__ import annotations

from dataclasses import replace

from routing.agreements import HEAD, decide
from routing.agreements.history import with_history
from routing.agreements.state import Release, RuleRef
from routing.state.incident import moment_of
from schemas.codes import enum_code
from tests.chaos.lives.considered import considered_of
from tests.chaos.lives.events import deliver, owe_released
from tests.chaos.lives.life import Life, Line
from tests.chaos.lives.limits import over_lines, pass_time
from tests.chaos.lives.seen import Value
from tests.chaos.lives.taking_back import TakenBack, refusal_of, retract, withdraw


class NotTaken(Exception):
    """A ruling does not count; its message is the code of the reason."""


def ruled(life: Life, ruling: Value, taken_ms: int, at_ms: int) -> None:
    """A ruling that the broker took at one time is heard at another; what was due before it was taken comes first."""
    as_it_was = life.lines, life.refusals, [*life.traces.told], [*life.traces.shown]
    try:
        _rule(life, ruling, taken_ms, at_ms)
    except NotTaken as why:
        life.lines, life.refusals, life.traces.told, life.traces.shown = as_it_was
        life.tell(at_ms, "ruling-not-taken", "", reason=str(why), ruling_id=ruling["ruling_id"])


def _rule(life: Life, ruling: Value, taken_ms: int, at_ms: int) -> None:
    if not life.latest:
        raise NotTaken("unknown-incident")
    pass_time(life, over_lines(life, taken_ms), at_ms)
    match enum_code(ruling["kind"]):
        case "release" | "refuse" | "ask-again":
            _case(life, ruling, taken_ms, at_ms)
        case "retract":
            what = TakenBack(ruling["ruling_id"], ruling["reason"], ruling["ask"], life.latest["event_id"])
            retract(life, ruling["recipients"], at_ms, what)
        case "lift-bar":
            lifted = life.barred & {*ruling["recipients"]}
            if not lifted:
                raise NotTaken("not-barred")
            life.barred -= lifted
            for member in sorted(lifted):
                life.tell(at_ms, "bar-lifted", member, ruling_id=ruling["ruling_id"])
        case "withdraw":
            withdraw(life, ruling, at_ms)


def _case(life: Life, ruling: Value, taken_ms: int, at_ms: int) -> None:
    to, kind = frozenset(ruling["recipients"]), enum_code(ruling["kind"])
    if kind != "ask-again" and ruling["seen_sequence"] < life.seen_sequence:
        raise NotTaken("stale-view")
    if kind == "ask-again":
        if not any(each.recipients & to for each in life.refusals):
            raise NotTaken("nothing-refused")
        life.refusals = [each for each in life.refusals if not each.recipients & to]
        for member in sorted(to):
            life.tell(at_ms, "asked-again", member, ruling_id=ruling["ruling_id"])
        return
    answered = [line for line in life.lines.values() if line.recipient in to and ruling["role"] in line.roles]
    if not answered:
        raise NotTaken(_why_nothing_open(life, to))
    (_release if kind == "release" else _refuse)(life, ruling, answered, taken_ms, at_ms)


def _why_nothing_open(life: Life, to: frozenset[str]) -> str:
    if any(line.recipient in to for line in life.lines.values()):
        return "role-not-in-path"
    for refusal in life.refusals:
        if refusal.recipients & to:
            return "lapsed" if refusal.kind == "lapse" else "already-ruled"
    return "already-ruled" if any(each.recipients & to for each in life.releases) else "no-open-line"


def _release(life: Life, ruling: Value, answered: list[Line], taken_ms: int, at_ms: int) -> None:
    """It discharges the lines that it answers, for whom each asks, and delivers the latest event where it now flows."""
    event = considered_of(life.latest)
    caveats = with_history(life.history, event).caveats or frozenset()
    released = []
    for line in answered:
        asked = [each for each in life.lines.values() if each.recipient == line.recipient]
        release = Release(
            id=ruling["ruling_id"],
            role=ruling["role"],
            agreement=line.agreement,
            rule=line.rule,
            recipients=frozenset({line.recipient}),
            parts=line.parts,
            at=moment_of(taken_ms),
            rules=tuple(RuleRef(each.agreement, each.rule) for each in asked),
            filled=event.sections,
            caveats=caveats,
        )
        released.append(release)
    life.releases += released
    life.lines = {key: line for key, line in life.lines.items() if line not in answered}
    life.show(at_ms, [("released", line, line.parts) for line in answered], ruling["ruling_id"])
    named: dict[str, frozenset[str]] = {}
    for line in answered:
        named[line.recipient] = named.get(line.recipient, frozenset()) | line.parts
    now, state = moment_of(at_ms), life.state()
    decisions = {member: decide(life.rules.bundle, event, member, now, state) for member in sorted(named)}
    flowing = {
        member: decision
        for member, decision in decisions.items()
        if decision.head == "granted" and named[member] & {HEAD, *decision.covers}
    }
    for member in decisions.keys() - flowing.keys():
        head = decisions[member].head
        kind = "withheld" if head == "granted" else head
        life.tell(at_ms, kind, member, ruling_id=ruling["ruling_id"], sections=())
    if flowing:
        deliver(life, flowing, at_ms, ruling["ruling_id"])
    for member in flowing:
        owe_released(life, member, ruling["ruling_id"], at_ms)


def _refuse(life: Life, ruling: Value, answered: list[Line], taken_ms: int, at_ms: int) -> None:
    """What is refused is withheld, whichever rule asked."""
    refused: dict[str, frozenset[str]] = {}
    for line in answered:
        refused[line.recipient] = refused.get(line.recipient, frozenset()) | line.parts
    touched = [line for line in life.lines.values() if line.parts & refused.get(line.recipient, frozenset())]
    for member, parts in refused.items():
        life.refusals.append(refusal_of("refusal", member, parts, life.latest, touched))
    for key, line in list(life.lines.items()):
        left = line.parts - refused.get(line.recipient, frozenset())
        if left:
            life.lines = life.lines | {key: replace(line, parts=left)}
        else:
            life.lines = {each: kept for each, kept in life.lines.items() if each != key}
    notices = [("refused", line, line.parts & refused[line.recipient]) for line in touched]
    life.show(at_ms, notices, ruling["ruling_id"])
