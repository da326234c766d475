"""Who gets what of an event, for all recipients at once; remembered, so that events decided alike share one answer.

The compiled engine decides (`routing.agreements.engine`), to the letter as the interpreter does. One engine is kept for
each bundle; making one takes up to some seconds where there are thousands of rules, so whoever puts a bundle in force
asks for it first (`prepare`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import Decision
from routing.agreements.engine import Engine, Group
from routing.agreements.state import FIRST_EVENT, State
from routing.wording import Wording, wording

ENGINES_MOST: Final = 3
"""Bundles whose engines are kept: the one in force, the one before it, the one that is being prepared."""


class Decided(NamedTuple):
    """What one recipient gets of one event."""

    recipient: str
    wording: Wording

    @property
    def decision(self) -> Decision:
        """The decision, with no name in it: equal ones are one."""
        return self.wording.decision


class Decisions:
    """What each recipient gets of events that are alike. Compared by identity: what follows from it is remembered."""

    __slots__ = ("each",)

    def __init__(self, each: tuple[Decided, ...]) -> None:
        self.each = each
        """In the order of `agreements.recipients`."""

    def __iter__(self) -> Iterator[Decided]:
        return iter(self.each)


def decide_all(bundle: Bundle, considered: Considered, now: datetime, state: State = FIRST_EVENT) -> Decisions:
    """What each recipient gets of one event, exactly as the interpreter decides it; remembered.

    ``now`` must know its time zone.
    """
    return _engine(bundle).decide(considered, now, state)


def decide_afresh(bundle: Bundle, considered: Considered, now: datetime, state: State = FIRST_EVENT) -> Decisions:
    """The same, of an event that states more than may be remembered of it: nobody can fill the memory of others."""
    return _engine(bundle).decide_afresh(considered, now, state)


def memory_of(bundle: Bundle, origin: str, now: datetime) -> dict[Any, Any]:
    """Where to remember what follows for an origin's events, as long as no rule begins or ends, or is replaced.

    What is decided of an open incident on which nobody ruled hangs on nothing but the event, the incident's history
    and its holdings.
    """
    return _engine(bundle).memory(origin, now)


def prepare(bundle: Bundle, now: datetime) -> None:
    """Make ready to decide under a bundle, on this day. For any thread, before the first event is decided under it."""
    engine = _made(bundle)
    engine.prepare(now)
    _keep(bundle, engine)


_engines: dict[str, Engine[Decisions]] = {}
"""By the bundle's hash, oldest first."""


def _engine(bundle: Bundle) -> Engine[Decisions]:
    engine = _engines.get(bundle.hash)
    return _keep(bundle, _made(bundle)) if engine is None else engine


def _made(bundle: Bundle) -> Engine[Decisions]:
    return Engine(bundle, partial(_decisions, bundle.version))


def _keep(bundle: Bundle, engine: Engine[Decisions]) -> Engine[Decisions]:
    kept = _engines.setdefault(bundle.hash, engine)
    for digest in list(_engines)[:-ENGINES_MOST]:
        _engines.pop(digest, None)
    return kept


def _decisions(policy_version: int, groups: tuple[Group, ...]) -> Decisions:
    """Of groups decided alike: each recipient, in order."""
    found: list[Decided] = []
    for group in groups:
        worded = wording(group.decision, policy_version)
        found += [Decided(recipient, worded) for recipient in group.recipients]
    return _equal_as_one(tuple(sorted(found, key=_recipient)))


def _recipient(decided: Decided) -> str:
    return decided.recipient


@lru_cache(maxsize=4_096)
def _equal_as_one(each: tuple[Decided, ...]) -> Decisions:
    """Events of which the same is decided by other rules are decided alike all the same."""
    return Decisions(each)
