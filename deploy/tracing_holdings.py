"""What each member has of an incident now, and since when.

A delivery replaces the sections it covers and leaves the others, so a member has of each section what the last event
that covered it said. Only what it has confirmed counts as had: delivered or accepted.

The ledger does not say yet which deliveries take something away (withdrawals, retractions). One that gives nothing is
counted as a notice, and a standing with a later notice says so: what the member has may be less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deploy.tracing_steps import Copy, Event, Group


@dataclass(frozen=True, slots=True)
class Holding:
    """One section as one event stated it."""

    section: str
    """A section, or head."""
    sequence: int
    event_id: str
    since: str
    """When the member had it, by its own clock."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What was granted and is not confirmed."""

    sequence: int
    event_id: str
    decided_at: str
    why: str
    """no-receipt, or what the member or the router said: failed, rejected, the reason why it could not be sent."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One member's part in an incident."""

    member: str
    has: tuple[Holding, ...] = ()
    """What it has, the head first; empty: it has confirmed nothing."""
    told_none: tuple[str, ...] = ()
    """The sections of which it knows that there is nothing in them."""
    pending: tuple[Pending, ...] = ()
    notices: tuple[int, ...] = ()
    """Events of which it was sent something other than a share."""


def standings(events: Sequence[Event]) -> tuple[Standing, ...]:
    """Every member about which something was decided, by name."""
    found: dict[str, Standing] = {}
    for event in events:
        for group in event.groups:
            for copy in group.members:
                standing = found.get(copy.member) or Standing(copy.member)
                found[copy.member] = _after(standing, event, group, copy)
    return tuple(found[member] for member in sorted(found))


def _after(standing: Standing, event: Event, group: Group, copy: Copy) -> Standing:
    """The standing after one more event."""
    sequence = event.sequence or 0
    if group.head != "granted":
        return replace(standing, notices=(*standing.notices, sequence)) if copy.delivery_id else standing
    since = copy.has_since()
    if since is None:
        pending = Pending(sequence, event.event_id, event.decided_at or "", _why(copy))
        return replace(standing, pending=(*standing.pending, pending))
    covered = {"head", *group.given, *group.given_empty}
    kept = [held for held in standing.has if held.section not in covered]
    new = [Holding(section, sequence, event.event_id, since) for section in ("head", *group.given)]
    none = [section for section in standing.told_none if section not in covered]
    return replace(standing, has=(*new, *kept), told_none=(*none, *group.given_empty))


def _why(copy: Copy) -> str:
    if copy.undeliverable:
        return copy.undeliverable
    return copy.news[-1].kind if copy.news else "no-receipt"
