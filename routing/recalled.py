"""What was disclosed is taken back: a retraction bars the incident, a withdrawal removes sections."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from routing.agreements.decision import HEAD
from routing.answers.expected import Expected, ExpectedKind, first_deadline
from routing.casework.case import Notice
from routing.consequences import Consequences
from schemas.sections import SECTIONS

_PARTS: Final = (HEAD, *SECTIONS)


class TakenBack(NamedTuple):
    """What is taken back from whom, and why."""

    members: frozenset[str]
    """Nobody: every holder."""
    reason: str
    """Code list `change-reason`."""
    cause: str
    """The ruling or the event, by its id."""
    ask: str = "erase"
    """Of a retraction: erase or restrict."""
    sections: frozenset[str] = frozenset()
    """Of a withdrawal: head and sections; nothing: all that is held."""
    ruling_id: str = ""


def retract(what: TakenBack, drawn: Consequences) -> None:
    """Bar the incident for members until a named person lifts the bar; whoever holds it is asked to erase or restrict.

    Whoever holds nothing of it hears of nothing.
    """
    members = what.members or frozenset(drawn.holdings)
    limits_s = drawn.setting.policy.exchange.answers.retraction_s
    _close_lines(members, drawn)
    drawn.rulings = drawn.rulings._replace(barred=drawn.rulings.barred | members)
    for member in sorted(members):
        if drawn.holdings.pop(member, None) is None:
            detail = "the member holds nothing of this incident; nothing more of it will be sent there"
            drawn.tell("retracted", member, _told(what, detail), what.cause)
            continue
        delivery_id = drawn.notify(member, "retract", what.cause, reason=what.reason, ask=what.ask)
        drawn.expected = tuple(each for each in drawn.expected if each.member != member)
        owed = _owed("retract", member, delivery_id, limits_s, what, drawn)
        drawn.owe(owed)
        detail = f"asked to {what.ask} it; a person there is to confirm"
        said = _told(what, detail) | {"delivery_id": delivery_id or None, "deadline": owed.deadline}
        drawn.tell("retracted", member, said, what.cause)


def lift_bar(what: TakenBack, drawn: Consequences) -> None:
    """The incident may be sent again to these members, if rules grant it."""
    barred = drawn.rulings.barred
    lifted = barred & (what.members or barred)
    drawn.rulings = drawn.rulings._replace(barred=barred - lifted)
    for member in sorted(lifted):
        detail = "what rules grant of the next event is sent there again"
        drawn.tell("bar-lifted", member, _told(what, detail), what.cause)


def withdraw(what: TakenBack, drawn: Consequences) -> frozenset[str]:
    """Have holders remove sections; the members from whom something was taken."""
    limits_s = drawn.setting.policy.exchange.answers.withdrawal_s
    holders = what.members or frozenset(drawn.holdings)
    taken: set[str] = set()
    for member in sorted(holders):
        parts = _held_of(drawn.held_by(member), what.sections)
        if not parts:
            drawn.tell("withdrawn", member, _told(what, "the member holds nothing of what is named"), what.cause)
            continue
        taken.add(member)
        delivery_id = drawn.notify(member, "withdraw", what.cause, withdraws=parts, reason=what.reason)
        drawn.take(member, parts, is_told=bool(delivery_id))
        owed = _owed("withdraw", member, delivery_id, limits_s, what, drawn)
        drawn.owe(replace(owed, sections=frozenset(parts)))
        said = _told(what, "asked to remove it") | {"delivery_id": delivery_id or None, "deadline": owed.deadline}
        drawn.tell("withdrawn", member, said | {"sections": parts}, what.cause)
    return frozenset(taken)


def _held_of(held: frozenset[str], sections: frozenset[str]) -> tuple[str, ...]:
    """The parts held of those named, in order; without the head nothing can be kept."""
    everything = not sections or HEAD in sections
    return tuple(part for part in _PARTS if part in held and (everything or part in sections))


def _close_lines(members: frozenset[str], drawn: Consequences) -> None:
    """Nobody need rule on what may not be sent any more."""
    moot = [line for line in drawn.rulings.lines if line.recipient in members]
    if not moot:
        return
    left = tuple(line for line in drawn.rulings.lines if line.recipient not in members)
    drawn.rulings = drawn.rulings._replace(lines=left)
    drawn.case_notices += [Notice("moot", line, line.parts) for line in moot]


def _owed(
    kind: ExpectedKind,
    member: str,
    delivery_id: str,
    limits_s: tuple[int, ...],
    what: TakenBack,
    drawn: Consequences,
) -> Expected:
    return Expected(
        member=member,
        kind=kind,
        delivery_id=delivery_id,
        event_id="" if what.ruling_id else what.cause,
        asked_at=drawn.matter.now,
        limits_s=limits_s,
        deadline=first_deadline(drawn.matter.now, limits_s),
        reason=what.reason,
        ask=what.ask if kind == "retract" else "",
        ruling_id=what.ruling_id,
    )


def _told(what: TakenBack, detail: str) -> dict[str, object]:
    return {"reason": what.reason, "detail": detail, "ruling_id": what.ruling_id or None}
