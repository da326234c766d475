"""Rulings about what may flow: releases, refusals, more time, and sharing beyond the rules."""

from __future__ import annotations

from typing import Final

from routing.agreements.decision import HEAD
from routing.agreements.state import Discretion, Override, Release
from routing.answers.owing import owe_requested
from routing.arrived import Arrived
from routing.casework.case import Case
from routing.casework.judging import judge
from routing.casework.known import Judged, Known
from routing.consequences import Consequences
from routing.correcting import bring
from routing.deciding import Decided, Decisions
from routing.hearing.named import named_in
from routing.hearing.ruling import Hearing
from routing.sending_again import decide_again, send_again
from schemas.errors import Rejected

_GRANTING: Final = frozenset({"release", "discretion", "override"})
_TOLD_AS: Final = {"discretion": "shared-at-discretion", "override": "overridden"}


def let_flow(hearing: Hearing) -> None:
    """Judge a ruling about what may flow, and draw its consequences.

    Raises:
        Rejected: it does not count, and why.
    """
    ruling, said, drawn, came = hearing.ruling, hearing.said, hearing.drawn, hearing.came
    if came is None:
        raise Rejected(
            "event-gone",
            "the incident's latest event is no longer on its topic, so nobody can rule on what it says",
            remedy="have the control room send the incident again",
        )
    bundle, case = drawn.setting.policy.bundle, Case(drawn.rulings.lines)
    named = named_in(came.event, bundle.people)
    judged = judge(said, Known(bundle, came.considered, hearing.state(), case, named))
    _stand(judged, drawn)
    drawn.case_notices += judged.notices
    if judged.notices:
        hearing.show_case()
    if ruling.kind in _TOLD_AS:
        for member in ruling.recipients:
            hearing.tell(_TOLD_AS[ruling.kind], member, "a person shares it beyond the rules")
    elif ruling.kind == "ask-again":
        for member in ruling.recipients:
            hearing.tell("asked-again", member, "the origin asks again: the next event is decided anew")
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


def _deliver(hearing: Hearing, came: Arrived, judged: Judged) -> None:
    """The latest event, decided again, to those for whom something of it flows by this ruling."""
    drawn = hearing.drawn
    decided = decide_again(came, drawn)
    named: dict[str, frozenset[str]] = {}
    for made in judged.rulings:
        named |= {to: named.get(to, frozenset()) | made.parts for to in made.recipients}
    flowing: list[Decided] = []
    for each in decided:
        if each.recipient not in named:
            continue
        decision = each.decision
        if decision.head == "granted" and named[each.recipient] & {HEAD, *decision.covers}:
            flowing.append(each)
        else:
            stopped = "withheld" if decision.head == "granted" else decision.head
            hearing.tell(stopped, each.recipient, _STILL)
    if flowing:
        _send(hearing, came, Decisions(tuple(flowing)))


_STILL: Final = "ruled, and still nothing of it flows: another rule, a forbid or a retraction stands in the way"


def _send(hearing: Hearing, came: Arrived, decisions: Decisions) -> None:
    """Deliver it, and note who cannot be reached and who owes an answer."""
    ruling, drawn = hearing.ruling, hearing.drawn
    circulated = send_again(came, decisions, ruling.ruling_id, drawn, hearing.record)
    bring(decisions, circulated, drawn)
    for to, reason in circulated.cut_off:
        drawn.tell("undeliverable", to, {"reason": reason, "ruling_id": ruling.ruling_id}, ruling.ruling_id)
    owe_requested(came, circulated, ruling.ruling_id, drawn)
