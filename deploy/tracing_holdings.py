"""What each member has of an incident now, and since when.

A delivery replaces the sections it covers and leaves the others, so a member has of each section what the last event
that covered it said. Only what it has confirmed counts as had: delivered or accepted.

A withdrawal takes back what it names, and where that is the head, everything. A notice that there is news (restricted)
gives nothing and takes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from deploy.tracing_steps import Copy, Event, Group
from schemas.sections import SECTIONS


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
    taken_back: tuple[str, ...] = ()
    """What it had and was taken back; it has said that it received the withdrawal."""
    notices: tuple[int, ...] = ()
    """Events of which it was told that there is news, and nothing of it."""


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
    if group.head != "granted" and not copy.delivery_id:
        return standing
    if group.action == "restricted":
        return replace(standing, notices=(*standing.notices, sequence))
    since = copy.has_since()
    if since is None:
        pending = Pending(sequence, event.event_id, event.decided_at or "", _why(copy))
        return replace(standing, pending=(*standing.pending, pending))
    standing = _less(standing, group.taken_back)
    if group.head != "granted":
        return standing
    covered = {"head", *group.given, *group.given_empty}
    kept = [held for held in standing.has if held.section not in covered]
    new = [Holding(section, sequence, event.event_id, since) for section in ("head", *group.given)]
    none = [section for section in standing.told_none if section not in covered]
    gone = tuple(section for section in standing.taken_back if section not in covered)
    return replace(standing, has=(*new, *kept), told_none=(*none, *group.given_empty), taken_back=gone)


def _less(standing: Standing, taken_back: Collection[str]) -> Standing:
    """Without what was taken back; without everything where that is the head."""
    has = {held.section for held in standing.has} | set(standing.told_none)
    gone = has if "head" in taken_back else has & set(taken_back)
    return replace(
        standing,
        has=tuple(held for held in standing.has if held.section not in gone),
        told_none=tuple(section for section in standing.told_none if section not in gone),
        taken_back=(*standing.taken_back, *(section for section in ("head", *SECTIONS) if section in gone)),
    )


def _why(copy: Copy) -> str:
    if copy.undeliverable:
        return copy.undeliverable
    return copy.news[-1].kind if copy.news else "no-receipt"
