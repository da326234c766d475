"""What a correction asks of its holders; and those that it cannot reach, which are tried until they can be reached.

A holder always hears of a correction. What it is to remove is asked of it by a notice of its own, as soon as it can be
reached (`routing.elapsed`). For the rest it is sent the incident's latest event, unless another event has brought it
what it holds: each is a snapshot, so one that covers all that is held brings every correction before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from routing.agreements.decision import HEAD
from routing.answers.expected import Expected, first_deadline
from routing.answers.owing import owe_requested, owed
from routing.arrived import Arrived
from routing.circulation import EVENT, Circulation
from routing.consequences import Consequences
from routing.deciding import Decided, Decisions
from routing.sending_again import decide_again, send_again
from schemas.corrections import asks_acceptance
from schemas.errors import Rejected
from schemas.exchange import AnswersWithin


def correct(came: Arrived, decisions: Decisions, circulated: Circulation, drawn: Consequences) -> None:
    """What a correction asks of those that it reached, and what is owed to holders that it did not reach."""
    _ask(came, circulated, drawn)
    unreachable = dict(circulated.cut_off)
    for each in decisions:
        if each.recipient in unreachable and each.recipient in drawn.holdings:
            _owe(came, each, drawn)


def bring(decisions: Decisions, circulated: Circulation, drawn: Consequences) -> None:
    """Whoever is sent all that it holds needs no earlier correction any more."""
    waiting = {each.member for each in drawn.expected if each.is_unsent_correction}
    reached = waiting & set(circulated.recipients)
    brought = {each.recipient for each in decisions if each.recipient in reached and _brings(each, drawn)}
    drawn.expected = tuple(
        each for each in drawn.expected if not (each.is_unsent_correction and each.member in brought)
    )


def try_again(waiting: Expected, came: Arrived | None, drawn: Consequences) -> Expected | None:
    """A correction that could not be sent before: sent now, or to be tried later; None: nothing is left to be tried.

    Args:
        waiting: what its holder has yet to be sent.
        came: the incident's latest event; None: it is no longer on its topic.
        drawn: what follows for its incident, to which this is added.
    """
    member, now = waiting.member, drawn.matter.now
    if member not in drawn.holdings:
        return None
    if member in drawn.setting.policy.suspended:
        return waiting.later(now)
    if came is None or not _is_sent_now(came, member, drawn):
        drawn.tell("undeliverable", member, _TOO_LATE, waiting.event_id)
    return None


def _is_sent_now(came: Arrived, member: str, drawn: Consequences) -> bool:
    decided = next((each for each in decide_again(came, drawn) if each.recipient == member), None)
    if decided is None or not _brings(decided, drawn):
        return False
    # A member is sent an event for this reason once: it needs that one no more.
    cause = f"reached:{member}"
    try:
        circulated = send_again(came, Decisions((decided,)), cause, drawn)
    except Rejected:
        # A section is malformed that nobody was granted when it came.
        return False
    owe_requested(came, circulated, cause, drawn)
    if came.considered.kind == "corrected":
        _ask(came, circulated, drawn, cause)
    return True


_TOO_LATE: Final = {
    "reason": "correction-missed",
    "detail": "the member could not be sent a correction, and the latest event is none that can bring it all it holds",
    "remedy": "tell the member by telephone, or send the correction again",
}


def _ask(came: Arrived, circulated: Circulation, drawn: Consequences, cause: str = EVENT) -> None:
    """A person is to accept a correction of what lives may depend on, of what the member can see.

    And its system is to confirm that it removed what a forbid now covers.
    """
    paths = [change["path"] for change in came.control.changes]
    wanted = [path for path in paths if asks_acceptance([path])]
    within = drawn.setting.policy.exchange.answers
    for to in circulated.deliveries:
        decision = to.wording.decision
        if decision.action not in ("correct", "withdraw"):
            continue
        if circulated.views[to.view] is None:
            taken = owed("withdraw", to.recipient, came, "withdraw", within, cause)
            drawn.owe(replace(taken, sections=frozenset(decision.withdraws)))
        elif any(_root(path) == "grade" or _root(path) in decision.covers for path in wanted):
            drawn.owe(owed("correct", to.recipient, came, "correct", within, cause))


def _owe(came: Arrived, decided: Decided, drawn: Consequences) -> None:
    """What a holder could not be sent of a correction is remembered."""
    member, decision = decided.recipient, decided.decision
    within = drawn.setting.policy.exchange.answers
    if decision.withdraws:
        # As with what a person takes back: from now on it counts as taken.
        taken = _unsent(owed("withdraw", member, came, "withdraw", within), within)
        drawn.owe(replace(taken, sections=frozenset(decision.withdraws)))
        drawn.take(member, decision.withdraws, is_told=False)
        said = {"detail": _TO_BE_TAKEN, "deadline": taken.deadline, "sections": decision.withdraws}
        drawn.tell("withdrawn", member, said, came.identity[2])
    if decision.head == "granted" and member in drawn.holdings:
        drawn.owe(_unsent(owed("correct", member, came, "correct", within), within))


_TO_BE_TAKEN: Final = "the correction takes it from the member, which is asked to remove it once it can be reached"


def _unsent(answer: Expected, within: AnswersWithin) -> Expected:
    """Of a correction for whose acceptance there is no limit: it is tried as often as what is withdrawn."""
    limits_s = answer.limits_s or within.withdrawal_s
    return replace(answer, delivery_id="", limits_s=limits_s, deadline=first_deadline(answer.asked_at, limits_s))


def _brings(decided: Decided, drawn: Consequences) -> bool:
    """Whether what is sent says anew, or takes back, all that its recipient holds."""
    decision = decided.decision
    said = {HEAD, *decision.covers} if decision.head == "granted" else set()
    return drawn.held_by(decided.recipient) <= said | set(decision.withdraws)


def _root(path: str) -> str:
    return path.partition("[")[0].partition(".")[0]
