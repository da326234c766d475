"""What is remembered once an event has been decided: who holds what of it now, at which number, and its history."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from routing.agreements.bundle import Bundle
from routing.agreements.state import Holding, Ruling
from routing.arrived import Arrived, milliseconds
from routing.circulation import Circulation
from routing.deciding import Decisions
from routing.state.encoding import kept_holdings
from routing.state.holding import holding_after
from routing.state.incident import Incident, Latest, Rulings
from routing.state.kept import Kept
from routing.state.remembering import Told, next_incident, numbered, told_of
from routing.state.sequence import seen_after
from schemas.errors import Rejected

_REMEMBERED_MOST: Final = 8_192
_FEW_BYTES: Final = 32 * 1024
"""What is remembered of an incident besides its events: codes stated, holders, rulings."""


@dataclass(frozen=True, slots=True)
class _Policy:
    """A bundle, told from others by its hash."""

    hash: str
    bundle: Bundle = field(compare=False)


class Followed(NamedTuple):
    """What an event led to."""

    bundle: Bundle
    decisions: Decisions
    circulated: Circulation


def remembered(came: Arrived, before: Incident | None, followed: Followed, closed_ms: int | None) -> Incident:
    """What is remembered after an event.

    Raises:
        Rejected: more would have to be remembered of the incident than may be: nothing of it may be left out, since a
            code that was once stated may protect somebody.
    """
    numbers, holdings, rulings, expected = told_of(before)
    recipients = followed.circulated.recipients
    if recipients:
        numbers = numbered(numbers, recipients)
        policy = _Policy(followed.bundle.hash, followed.bundle)
        holdings = _held(holdings, _ruled(rulings.value), policy, followed.decisions, frozenset(recipients))
    seen = seen_after(before, came.identity[2], came.record.value or b"")
    incident = next_incident(
        before,
        came.considered,
        seen,
        (milliseconds(came.now), closed_ms),
        Told(numbers, holdings, rulings, expected),
        Latest(came.record.offset, came.identity[2]),
    )
    size = len(incident.history.encoded) + len(incident.holdings.encoded) + len(incident.rulings.encoded)
    if size > _FEW_BYTES and (before is None or len(incident.history.encoded) > len(before.history.encoded)):
        raise Rejected(
            "too-much-stated",
            f"the events of this incident have stated more codes than can be remembered: {size} bytes",
            remedy="state codes of the code lists; what was stated once is remembered until the incident is forgotten",
        )
    return incident


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
