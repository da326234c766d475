"""What must come of what people rule and answer, and of limits that pass: the rest of `Life`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from routing.agreements import HEAD, decide
from routing.agreements.history import with_history
from routing.agreements.state import Refusal, Release, RuleRef
from routing.state.incident import moment_of
from schemas.codes import enum_code
from schemas.sections import SECTIONS
from tests.chaos.lives.life import Life, Line, Owed, TakenBack, considered_of, retract
from tests.chaos.lives.seen import Value

_PARTS: Final = (HEAD, *SECTIONS)
_SETTLES: Final = {
    "retract": ("erased", "restricted"),
    "withdraw": ("erased", "restricted"),
    "correct": ("accepted", "rejected"),
    "transfer": ("accepted", "rejected"),
    "assistance": ("accepted", "rejected"),
}


Fired = tuple[str, str, str]
"""Of a limit that passed: what was told of it, whom it concerns, and the rule of the line or the kind of answer."""


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
    _pass_time(life, over_lines(life, taken_ms), taken_ms, at_ms)
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
            _withdraw(life, ruling, at_ms)


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
        life.deliver(flowing, at_ms, ruling["ruling_id"])
    for member in flowing:
        life.owe_released(member, ruling["ruling_id"], at_ms)


def _refuse(life: Life, ruling: Value, answered: list[Line], taken_ms: int, at_ms: int) -> None:
    """What is refused is withheld, whichever rule asked."""
    event = considered_of(life.latest)
    refused: dict[str, frozenset[str]] = {}
    for line in answered:
        refused[line.recipient] = refused.get(line.recipient, frozenset()) | line.parts
    touched = [line for line in life.lines.values() if line.parts & refused.get(line.recipient, frozenset())]
    for member, parts in refused.items():
        life.refusals.append(_refusal("refusal", member, parts, life.latest, touched))
    for key, line in list(life.lines.items()):
        left = line.parts - refused.get(line.recipient, frozenset())
        if left:
            life.lines = life.lines | {key: replace(line, parts=left)}
        else:
            life.lines = {each: kept for each, kept in life.lines.items() if each != key}
    notices = [("refused", line, line.parts & refused[line.recipient]) for line in touched]
    life.show(at_ms, notices, ruling["ruling_id"])


def _refusal(kind: str, member: str, parts: frozenset[str], latest: Value, lines: Iterable[Line]) -> Refusal:
    event = considered_of(latest)
    return Refusal(
        kind="lapse" if kind == "lapse" else "refusal",
        recipients=frozenset({member}),
        parts=parts,
        rules=tuple(RuleRef(line.agreement, line.rule) for line in lines if line.recipient == member),
        grade=event.grade,
        flags=event.flags or frozenset(),
        hazards=event.hazards,
    )


def _withdraw(life: Life, ruling: Value, at_ms: int) -> None:
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
            life.refusals.append(_refusal("refusal", member, still, life.latest, ()))


def answered(life: Life, member: str, kind: str, entry: Value) -> None:
    """What a member says is taken off what it owes; of a retraction its adapter's word is not enough."""
    life.owed = [owed for owed in life.owed if not settles(owed, member, kind, entry)]


def settles(owed: Owed, member: str, kind: str, entry: Value) -> bool:
    """Whether that is the answer that is owed."""
    is_meant = owed.member == member and owed.delivery_id == entry["delivery_id"]
    return is_meant and kind in _SETTLES[owed.kind] and (owed.kind != "retract" or bool(entry["by_role"]))


def elapsed(life: Life, at_ms: int, fired: Collection[Fired]) -> None:
    """Limits that are over by now pass: cases escalate or lapse, and the origin hears who has not answered.

    A router that is late need not pass them all at once, so it is told which did; those that are not over, do not.
    """
    lines = [line for line in over_lines(life, at_ms) if (line.recipient, line.name) in {each[1:] for each in fired}]
    _pass_time(life, lines, at_ms, at_ms)
    for owed in over_answers(life, at_ms):
        if ("unanswered", owed.member, owed.kind) not in fired:
            continue
        step = owed.step + 1
        deadline_ms = at_ms + owed.limits_s[step] * 1000 if step < len(owed.limits_s) else None
        later = replace(owed, step=step, deadline_ms=deadline_ms)
        life.owed = [later if each is owed else each for each in life.owed]
        said = {"delivery_id": owed.delivery_id, "deadline_ms": deadline_ms, "ruling_id": owed.ruling_id}
        life.tell(at_ms, "unanswered", owed.member, reason=owed.kind, **said)


def over_lines(life: Life, by_ms: int) -> list[Line]:
    """The lines whose limit is over by a moment."""
    return [line for line in life.lines.values() if line.deadline_ms <= by_ms]


def over_answers(life: Life, by_ms: int) -> list[Owed]:
    """The answers owed whose limit is over by a moment."""
    return [owed for owed in life.owed if owed.deadline_ms is not None and owed.deadline_ms <= by_ms]


def _pass_time(life: Life, over: Collection[Line], from_ms: int, at_ms: int) -> None:
    """Lines pass to whom is asked next, whose time runs from one moment, or lapse; told at another."""
    notices, lines, lapses = [], {}, []
    for key, line in life.lines.items():
        if line not in over:
            lines[key] = line
        elif line.step + 1 < len(line.path):
            step = line.step + 1
            lines[key] = replace(line, step=step, deadline_ms=from_ms + line.path[step][1] * 1000)
            notices.append(("escalated", lines[key], line.parts))
        else:
            lapses.append(_refusal("lapse", line.recipient, line.parts, life.latest, [line]))
            notices.append(("lapsed", line, line.parts))
    if notices:
        life.lines, life.refusals = lines, [*life.refusals, *lapses]
        life.show(at_ms, notices)


def kind_of(receipt: Value) -> str:
    """What a receipt says."""
    return enum_code(receipt["kind"])


def due_by(life: Life, by_ms: int) -> list[str]:
    """What should have happened of itself by a moment, in words; nothing if all did."""
    late = [f"the line of {line.recipient} for {line.name}" for line in over_lines(life, by_ms)]
    return late + [f"what {owed.member} owes to a {owed.kind}" for owed in over_answers(life, by_ms)]
