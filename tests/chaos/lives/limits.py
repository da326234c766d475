"""What must come of answers, and of limits that pass without one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from schemas.codes import enum_code
from tests.chaos.lives.life import Life, Line, Owed
from tests.chaos.lives.seen import Value
from tests.chaos.lives.taking_back import refusal_of

_SETTLES: Final = {
    "retract": ("erased", "restricted"),
    "withdraw": ("erased", "restricted"),
    "correct": ("accepted", "rejected"),
    "transfer": ("accepted", "rejected"),
    "assistance": ("accepted", "rejected"),
}


Fired = tuple[str, str, str, str]
"""Of a limit that passed: what was told of it, whom it concerns, the rule of the line or the kind of answer, and of an
answer the delivery."""


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
    lines = [line for line in over_lines(life, at_ms) if (line.recipient, line.name) in {each[1:3] for each in fired}]
    pass_time(life, lines, at_ms)
    for owed in over_answers(life, at_ms):
        if ("unanswered", owed.member, owed.kind, owed.delivery_id) not in fired:
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


def pass_time(life: Life, over: Collection[Line], at_ms: int) -> None:
    """Lines pass to whom is asked next, who has all their time from now, or lapse."""
    notices, lines, lapses = [], {}, []
    for key, line in life.lines.items():
        if line not in over:
            lines[key] = line
        elif line.step + 1 < len(line.path):
            step = line.step + 1
            lines[key] = replace(line, step=step, deadline_ms=at_ms + line.path[step][1] * 1000)
            notices.append(("escalated", lines[key], line.parts))
        else:
            lapses.append(refusal_of("lapse", line.recipient, line.parts, life.latest, [line]))
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
