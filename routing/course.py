"""The course that an event takes, as far as that hangs on what recurs: decisions, circulation, what is held after it.

An update of an open incident on which nobody ruled is mostly like others in all that deciding reads: what it states,
the incident's history, who holds what. The same follows from each, so it is worked out once and found by the identity
of these, which are mostly one object for many incidents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from routing.agreements.bundle import Bundle
from routing.agreements.following import closed_at
from routing.agreements.masks import remember
from routing.agreements.state import FIRST_EVENT, History, Holding, Ruling
from routing.arrived import Arrived, milliseconds
from routing.circulation import Circulation, circulation
from routing.deciding import Decisions, decide_afresh, decide_all, memory_of
from routing.effects import Policy
from routing.state.encoding import kept_holdings
from routing.state.holding import holding_after
from routing.state.incident import Incident, Numbers, Rulings
from routing.state.kept import Kept
from routing.state.remembering import (
    NO_HISTORY,
    SILENT_MOST_MS,
    USUAL_BYTES,
    history_with,
    is_untouched,
    numbered,
    told_of,
)

_REMEMBERED_MOST: Final = 8_192


class Course(NamedTuple):
    """What follows from an event, whichever incident it is of."""

    decisions: Decisions
    circulated: Circulation
    closed_ms: int | None
    """When the incident closed, as of this decision; None: it is open."""
    numbers: Kept[Numbers]
    """Of the last delivery to each member, after this event."""
    holdings: Kept[tuple[Holding, ...]]
    """Who holds what, after this event."""
    history: Kept[History]
    """What was stated, this event included."""


def course_of(came: Arrived, before: Incident | None, policy: Policy) -> Course:
    """Decide an event, and see what follows."""
    if before is None or policy.suspended or not _recurs(came, before):
        return _worked_out(came, before, policy)
    memory = memory_of(policy.bundle, came.considered.origin, came.now)
    # What the key names by identity is kept with what follows from it.
    alike = (came.considered, before.history, before.holdings, before.numbers)
    key = tuple(map(id, alike))
    known: tuple[Course, object] | None = memory.get(key)
    if known is None:
        known = remember(memory, key, (_worked_out(came, before, policy), alike))
    return known[0]


def _recurs(came: Arrived, before: Incident) -> bool:
    """Whether nothing turns what follows from an event but what it states, the history, and who holds what.

    So it is while the incident is open and stays open, and nobody ruled on it or is asked to.
    """
    event = came.considered
    return (
        came.is_usual
        and before.closed_ms is None
        and event.kind not in _CLOSING_OR_CORRECTING
        and event.status != "closed"
        and is_untouched(before)
        and milliseconds(came.now) - before.last_event_ms < SILENT_MOST_MS
        and len(before.history.encoded) <= USUAL_BYTES
        and len(before.holdings.encoded) <= USUAL_BYTES
    )


_CLOSING_OR_CORRECTING: Final = frozenset({"closed", "reopened", "corrected"})


def _worked_out(came: Arrived, before: Incident | None, policy: Policy) -> Course:
    state = FIRST_EVENT if before is None else before.state()
    closed = closed_at(state, came.considered, came.now)
    decide = decide_all if came.is_usual else decide_afresh
    decisions = decide(policy.bundle, came.considered, came.now, state)
    circulated = circulation(decisions, policy.suspended)
    return course_after(
        came, before, policy.bundle, decisions, circulated, None if closed is None else milliseconds(closed)
    )


def course_after(
    came: Arrived,
    before: Incident | None,
    bundle: Bundle,
    decisions: Decisions,
    circulated: Circulation,
    closed_ms: int | None,
) -> Course:
    """What follows from decisions that were made."""
    told = told_of(before)
    numbers, holdings, recipients = told.numbers, told.holdings, circulated.recipients
    if recipients:
        numbers = numbered(numbers, recipients)
        policy = _Policy(bundle.hash, bundle)
        holdings = _held(holdings, _ruled(told.rulings.value), policy, decisions, frozenset(recipients))
    history = history_with(before.history if before is not None else NO_HISTORY, came.considered)
    return Course(decisions, circulated, closed_ms, numbers, holdings, history)


@dataclass(frozen=True, slots=True)
class _Policy:
    """A bundle, told from others by its hash."""

    hash: str
    bundle: Bundle = field(compare=False)


def _ruled(rulings: Rulings) -> tuple[Ruling, ...]:
    """The rulings that may be among the grounds: what is open grants nothing."""
    return (*rulings.releases, *rulings.discretions, *rulings.overrides)


@lru_cache(maxsize=_REMEMBERED_MOST)
def _held(
    holdings: Kept[tuple[Holding, ...]],
    ruled: tuple[Ruling, ...],
    policy: _Policy,
    decisions: Decisions,
    sent: frozenset[str],
) -> Kept[tuple[Holding, ...]]:
    """What is held once members were sent what was decided for them."""
    held = {holding.member: holding for holding in holdings.value}
    for each in decisions:
        member = each.recipient
        if member in sent:
            after = holding_after(policy.bundle, each.decision, member, held.pop(member, None), ruled)
            held |= {member: after} if after else {}
    return kept_holdings(held[member] for member in sorted(held))
