"""What is remembered of one incident, as a value.

Most incidents are remembered alike: the same agreements reach the same members. So the parts that recur are kept with
their bytes, and are mostly one object for many incidents; a part is compared by identity.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from routing.agreements.state import (
    Discretion,
    History,
    Holding,
    Override,
    Refusal,
    Release,
    State,
)
from routing.answers.expected import Expected
from routing.casework.case import Case, Line
from routing.state.kept import Kept

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


Numbers = dict[str, int]
"""By member: the number of the last delivery of this incident to it. Not to be changed."""


class Rulings(NamedTuple):
    """What people ruled about an incident, and what they have yet to rule."""

    barred: frozenset[str] = frozenset()
    releases: tuple[Release, ...] = ()
    discretions: tuple[Discretion, ...] = ()
    overrides: tuple[Override, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    lines: tuple[Line, ...] = ()
    """Of the case, open ones: with their deadlines, which so survive whoever minds them."""


class Latest(NamedTuple):
    """Where the incident's latest event stands, so that it can be read again: what it says is not kept here."""

    offset: int = -1
    """On the incident's partition of its origin's topic; -1: not known."""
    event_id: str = ""


class Incident(NamedTuple):
    """One incident as routing remembers it, after an event. Times are milliseconds since 1970."""

    keep_until_ms: int | None
    """From when it may be forgotten, if nothing more happens; None: never of itself."""
    sequence: int
    """The highest that was taken."""
    last_event_ms: int
    """When the last event was decided."""
    closed_ms: int | None
    seen: bytes
    """As `sequence` writes it."""
    numbers: Kept[Numbers]
    holdings: Kept[tuple[Holding, ...]]
    history: Kept[History]
    rulings: Kept[Rulings]
    latest: Latest
    expected: Kept[tuple[Expected, ...]]
    """Answers that members owe, sorted by member, then in the order of asking."""

    def state(self) -> State:
        """As deciding reads it."""
        plain = State(
            history=self.history.value,
            holdings=self.holdings.value,
            closed_at=None if self.closed_ms is None else moment_of(self.closed_ms),
            last_event_at=moment_of(self.last_event_ms),
        )
        return state_of_rulings(plain, self.rulings.value) if any(self.rulings.value) else plain


def state_of_rulings(state: State, rulings: Rulings) -> State:
    """A state with what people ruled."""
    return replace(
        state,
        barred=rulings.barred,
        releases=rulings.releases,
        discretions=rulings.discretions,
        overrides=rulings.overrides,
        refusals=rulings.refusals,
        lines=Case(rulings.lines).open_lines() if rulings.lines else (),
    )


def moment_of(at_ms: int) -> datetime:
    """A time as deciding has it."""
    return _EPOCH + timedelta(milliseconds=at_ms)


def milliseconds_of(at: datetime) -> int:
    """A time as it is kept: milliseconds since 1970, rounded down."""
    return (at - _EPOCH) // _MS
