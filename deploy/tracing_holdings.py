"""What each member has of an incident now, and since when.

A delivery replaces the sections it covers and leaves the others, so a member has of each section what the last event
that covered it said. Only what it has confirmed counts as had: delivered or accepted.

A withdrawal takes back what it names, and where that is the head, everything; a retraction takes everything. What a
person took back counts once the member has said anything of it: its adapter hides the data before it says so. A notice
that there is news (restricted) gives nothing and takes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from deploy.tracing_acts import TAKEN_BACK, Act
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
class AskedBack:
    """What a person took back from one member, and what the member has said of that."""

    at: str
    kind: str
    """retracted or withdrawn."""
    parts: tuple[str, ...]
    """The head and sections; nothing: everything."""
    said: tuple[tuple[str, str, str], ...]
    """What it said, by whom (its adapter, or the role of a person there), and when."""


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
    asked_back: tuple[AskedBack, ...] = ()
    """What people took back from it, oldest first."""
    notices: tuple[int, ...] = ()
    """Events of which it was told that there is news, and nothing of it."""


def standings(events: Sequence[Event], acts: Sequence[Act] = ()) -> tuple[Standing, ...]:
    """Every member about which something was decided, by name.

    Args:
        events: in their order.
        acts: what people did, oldest first.
    """
    found: dict[str, Standing] = {}
    left = list(acts)
    for event in events:
        _take_back(found, [act for act in left if act.at < (event.decided_at or "")], acts)
        left = [act for act in left if act.at >= (event.decided_at or "")]
        for group in event.groups:
            for copy in group.members:
                standing = found.get(copy.member) or Standing(copy.member)
                found[copy.member] = _after(standing, event, group, copy)
    _take_back(found, left, acts)
    return tuple(found[member] for member in sorted(found))


def _take_back(found: dict[str, Standing], now: Sequence[Act], acts: Sequence[Act]) -> None:
    """What people took back, from the standings of those from whom they did."""
    for act in now:
        if act.kind not in TAKEN_BACK or not act.member or not (act.delivery_id or act.deadline):
            continue
        standing = found.get(act.member) or Standing(act.member)
        asked_by = _asked_by(act, acts)
        said = tuple(
            (one.kind, f"by a person ({one.by_role})" if one.by_role else "by its adapter", one.at)
            for one in acts
            if one.delivery_id in asked_by and one.member == act.member and one.kind in _ANSWERS
        )
        parts = () if act.kind == "retracted" else act.sections
        standing = replace(standing, asked_back=(*standing.asked_back, AskedBack(act.at, act.kind, parts, said)))
        if said:
            standing = _less(standing, parts or ("head",))
        if said and not parts:
            standing = replace(standing, pending=())
        found[act.member] = standing


def _asked_by(act: Act, acts: Sequence[Act]) -> set[str]:
    """The deliveries that asked for it: the one that it names, or that of which the origin heard later."""
    if act.delivery_id:
        return {act.delivery_id}
    late = (one for one in acts if one.kind == "unanswered" and one.member == act.member and one.at >= act.at)
    return {one.delivery_id for one in late if one.delivery_id and one.reason == TAKEN_BACK[act.kind]}


_ANSWERS: Final = ("delivered", "erased", "restricted")


def _after(standing: Standing, event: Event, group: Group, copy: Copy) -> Standing:
    """The standing after one more event."""
    sequence = event.sequence or 0
    if group.head != "granted" and not copy.delivery_id:
        return standing
    if group.action == "restricted":
        return replace(standing, notices=(*standing.notices, sequence))
    since = copy.has_since()
    # It may be the same event, sent again.
    standing = replace(standing, pending=tuple(one for one in standing.pending if one.event_id != event.event_id))
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
