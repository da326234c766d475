"""Picture after picture: what was counted in the last minute, and since when something is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from deploy.status.fault import Fault
from deploy.status.faults import faults
from deploy.status.figures import MemberFigures, figures
from deploy.status.flow import Flow
from deploy.status.picture import Picture, Process, named

WINDOW_S: Final = 60.0
"""How far back the counts go, once so much has been seen."""
SETTLED_S: Final = 10.0
"""What was decided so long ago must have arrived."""

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """How an exchange is, as one can show it."""

    at: float
    """Seconds since the epoch."""
    window_s: float
    """Seconds that recent counts cover; 0: there was one look only, and nothing is known of them."""
    faults: tuple[Fault, ...]
    """Gravest first; each with the time since when, if known."""
    members: tuple[MemberFigures, ...]
    processes: tuple[Process, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    """Member → its name, as far as known."""
    watched_since: float | None = None
    """What is wrong since then may have been so before."""

    @property
    def is_flowing(self) -> bool:
        """Whether nothing that should flow stands still."""
        return not any(fault.is_grave for fault in self.faults)

    @property
    def is_answered(self) -> bool:
        """Whether any process answered."""
        return any(process.is_up for process in self.processes)


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen so far. Immutable: each look makes the next."""

    pictures: tuple[Picture, ...] = ()
    """Those of the window, oldest first."""
    began_at: float | None = None
    first_seen: Mapping[_Key, float] = field(default_factory=dict)
    last_moved: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(published or delivered, member) → when that last happened, as far as seen."""

    def look(self, picture: Picture, names: Mapping[str, str]) -> tuple[Watch, Report]:
        """Take in one more picture; what to remember, and how things are.

        Args:
            picture: a later one than any before.
            names: member → its name, for those that are to be shown whoever speaks of them.
        """
        previous = self.pictures[-1] if self.pictures else None
        picture = named(picture, previous)
        kept = tuple(one for one in self.pictures if picture.at - one.at <= WINDOW_S)
        flow = Flow(kept[0] if kept else None, picture)
        members = self._moved(Flow(previous, picture), figures(flow, names))
        found = faults(flow, _settled(kept, picture.at), members)
        began_at = picture.at if self.began_at is None else self.began_at
        first_seen = {fault.key: self.first_seen.get(fault.key, picture.at) for fault in found}
        remembered = Watch((*kept, picture), began_at, first_seen, _last(members))
        dated = tuple(replace(fault, since=fault.since or first_seen[fault.key]) for fault in found)
        return remembered, Report(picture.at, flow.window_s, dated, members, picture.processes, names, began_at)

    def _moved(self, step: Flow, members: Sequence[MemberFigures]) -> tuple[MemberFigures, ...]:
        at = step.now.at
        return tuple(
            replace(
                one,
                last_published_at=_latest(
                    one.last_published_at,
                    at if _published(step, one.member) else None,
                    self.last_moved.get(("published", one.member)),
                ),
                last_delivered_at=_latest(one.last_delivered_at, self.last_moved.get(("delivered", one.member))),
            )
            for one in members
        )


def _published(step: Flow, member: str) -> int:
    return step.count("produce", "produced_events_total", origin=member, outcome="acknowledged")


def _latest(*times: float | None) -> float | None:
    """A process that is gone no longer tells when it last did something: what was seen is remembered."""
    return max((at for at in times if at is not None), default=None)


def _last(members: Sequence[MemberFigures]) -> dict[tuple[str, str], float]:
    last = {("published", one.member): one.last_published_at for one in members}
    last |= {("delivered", one.member): one.last_delivered_at for one in members}
    return {key: at for key, at in last.items() if at is not None}


def _settled(kept: Sequence[Picture], at: float) -> Picture | None:
    """The newest picture old enough that what was decided by then must have arrived; not the oldest of all."""
    return next((one for one in reversed(kept[1:]) if at - one.at >= SETTLED_S), None)
