"""What an answer is an answer to: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.answers.asking import HAND_OVERS
from consumers.answers.saying import Answer
from schemas.errors import Rejected

_FITS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    # In this order: an incident that is handed over is answered before a correction of it.
    "accepted": (HAND_OVERS, ("correct",)),
    "rejected": (HAND_OVERS, ("correct",)),
    "erased": (("retract",), ("withdraw",)),
    "restricted": (("retract",), ("withdraw",)),
    "acted-upon": (("retract",), ("withdraw",)),
    "passed-on": (("retract",), ("withdraw",)),
}
_CLOSES: Final = ("accepted", "rejected", "erased", "restricted")
"""What answers a question; acted-upon and passed-on add to it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A delivery that may be answered; `what` None: it asked for nothing."""

    delivery_id: str
    origin: str
    incident_id: str
    event_id: str
    stream: str
    what: str | None = None
    closed_as: str | None = None
    """None: it waits."""
    by_role: str | None = None

    def waits_for(self, answer: Answer) -> bool:
        """Whether an answer of this kind is still of use: a person may confirm what the adapter has confirmed."""
        by_adapter = self.what == "withdraw" and self.by_role is None
        return self.closed_as is None or by_adapter or not closes(answer)


class AlreadyAnswered(Rejected):
    """What the answer fits is closed; `delivery_id` says which."""

    def __init__(self, target: Target) -> None:
        how = "was stood down" if target.closed_as == "stood-down" else f"is closed already, as {target.closed_as}"
        by = f" by {target.by_role}" if target.by_role else ""
        super().__init__(
            "already-answered", f"expected what waits for an answer, and the latest {target.what} {how}{by}"
        )
        self.delivery_id = target.delivery_id


def closes(answer: Answer) -> bool:
    """Whether what it answers needs no other answer."""
    return answer.kind in _CLOSES


def targets(answer: Answer, asked: Sequence[Target], latest: Target | None) -> tuple[Target, ...]:
    """The deliveries that an answer is an answer to: all of one incident, and of one kind of question.

    Args:
        answer: what was said.
        asked: what was asked of the incident, oldest first, closed questions too.
        latest: the latest delivery of the incident that shows something of it; None: nothing is shown.

    Raises:
        Rejected: nothing fits; the message says what could be answered, or what was answered already.
    """
    if answer.delivery_id is not None:
        return _named(answer, asked, latest)
    for whats in _FITS[answer.kind]:
        fitting = [one for one in asked if one.what in whats and answer.what in (one.what, None)]
        waiting = [one for one in fitting if one.waits_for(answer)]
        if waiting:
            return _checked(answer, [one for one in waiting if one.what == waiting[-1].what])
    return (_without_question(answer, asked, latest),)


def _named(answer: Answer, asked: Sequence[Target], latest: Target | None) -> tuple[Target, ...]:
    named = next((one for one in asked if one.delivery_id == answer.delivery_id), latest)
    if named is None or named.delivery_id != answer.delivery_id:
        raise Rejected("nothing-to-answer", "expected a delivery that asks for an answer, and this one does not")
    if named.what is None:
        return (_without_question(answer, (), named),)
    if named.what not in [what for whats in _FITS[answer.kind] for what in whats]:
        raise Rejected("nothing-to-answer", f"expected an answer to a {named.what}, and {answer.kind} is none")
    if not named.waits_for(answer):
        raise AlreadyAnswered(named)
    return _checked(answer, [named])


def _checked(answer: Answer, found: Sequence[Target]) -> tuple[Target, ...]:
    if found[-1].what == "correct" and answer.by_role is None:
        raise Rejected(
            "bad-answer", "expected by_role: a correction of grade, hazards, weapon flags or places needs a person"
        )
    return tuple(found)


def _without_question(answer: Answer, asked: Iterable[Target], latest: Target | None) -> Target:
    """Where nothing waits: what is shown may still be accepted or rejected, so that the origin learns our number."""
    fits = [what for whats in _FITS[answer.kind] for what in whats if answer.what in (what, None)]
    closed = [one for one in asked if one.what in fits]
    if closed and closed[-1].closed_as is not None:
        raise AlreadyAnswered(closed[-1])
    if answer.kind in ("accepted", "rejected") and answer.what is None:
        if latest is not None:
            return latest
        raise Rejected(
            "nothing-to-answer", "expected an incident of which something is shown here, and it was taken back"
        )
    raise Rejected("nothing-to-answer", f"expected {' or '.join(fits) or answer.what} of this incident, and none waits")
