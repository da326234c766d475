"""What follows for a member that holds the incident: corrections, withdrawals, and *restricted*."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from routing.agreements.decision import HEAD, Action
from routing.agreements.deliberation import PARTS, Deliberation
from routing.agreements.force import ended
from routing.agreements.model import Forbid, Refer
from routing.agreements.rulings import refusals
from routing.agreements.state import RuleRef


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the recipient is sent, and whether a holder learns nothing."""

    action: Action
    withdraws: tuple[str, ...]
    without_news: bool


def aftermath(found: Deliberation) -> Aftermath:
    """A holder always hears of a correction; of any other event it hears at least, once, that there is news."""
    granted = found.states[HEAD] == "granted"
    holds, is_correction = found.question.holding is not None, found.question.event.kind == "corrected"
    withdraws = _withdraws(found) if is_correction else ()
    action: Action = "none"
    if withdraws:
        action = "withdraw"
    elif granted:
        action = "correct" if holds and is_correction else "share"
    elif holds and not is_correction and _is_restricted(found):
        action = "restricted"
    return Aftermath(action, withdraws, holds and not granted and not withdraws and _is_stopped(found))


def _withdraws(found: Deliberation) -> tuple[str, ...]:
    """Of a ``corrected`` event, if a forbid covers a held section, *P* gets an action *withdraw* naming it.

    Where the head itself is forbidden so is everything held. A bar withdraws nothing: a retraction did.
    """
    held = {part.part for part in found.question.holding.parts} if found.question.holding else set()
    if found.is_barred:
        return ()
    everything = bool(found.forbidding(HEAD))
    return tuple(part for part in PARTS if part in held and (everything or found.forbidding(part)))


def _is_restricted(found: Deliberation) -> bool:
    """If its head is forbidden, referred or withheld by a case or an ended agreement, a holder gets one *restricted*.

    It is not repeated until its next other delivery, and not sent if any rule responsible says ``silent: true``.
    """
    holding = found.question.holding
    if holding is None or holding.restricted or any(_silent(found)):
        return False
    return found.states[HEAD] != "withheld" or _is_withheld_by_case(found)


def _is_withheld_by_case(found: Deliberation) -> bool:
    today = found.question.today
    over = any(ended(match.agreement, today) for match in found.withholding(HEAD))
    return over or bool(refusals(found.question, HEAD))


def _is_stopped(found: Deliberation) -> bool:
    """By anything but that nobody grants it: then its news has simply come to an end."""
    return found.states[HEAD] != "withheld" or found.held_up(HEAD) is not None


def _silent(found: Deliberation) -> Iterable[bool]:
    """Of each rule responsible for the state of the head, whether it says ``silent: true``."""
    if found.states[HEAD] == "forbidden":
        yield from (match.silent for match in found.forbidding(HEAD))
        return
    yield from (match.silent for match in (*found.withholding(HEAD), *found.referring(HEAD)))
    answered = [ref for refusal in refusals(found.question, HEAD) for ref in refusal.rules]
    open_lines = [RuleRef(line.agreement, line.rule) for line in found.open_lines(HEAD)]
    yield from (_says_silent(found, ref) for ref in (*answered, *open_lines))


def _says_silent(found: Deliberation, ref: RuleRef) -> bool:
    agreement = found.question.bundle.agreement(ref.agreement)
    rules = agreement.rules if agreement else ()
    return any(isinstance(rule, Refer | Forbid) and rule.silent for rule in rules if rule.id == ref.rule)
