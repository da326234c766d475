"""The steps of an incident's life, as plain data. Times are text in UTC, as the ledger has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

_HAS_IT: Final = ("delivered", "accepted")


@dataclass(frozen=True, slots=True)
class News:
    """One thing that the force was told of an event, or of one member's copy of it."""

    kind: str
    member: str | None
    at: str
    """When it was so at the member, by the member's clock; where that is not told, when the router said so."""
    told_at: str
    """When the router said so."""
    step_ms: int | None
    """Since the step before: the decision, or earlier news. None: there was none."""
    reason: str
    detail: str
    remedy: str
    reference: str | None
    """The member's own."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What became of one event on its way to one member."""

    member: str
    delivery_id: str | None
    """None: nothing was sent."""
    undeliverable: str | None
    """Why what was granted could not be sent."""
    news: tuple[News, ...]

    def has_since(self) -> str | None:
        """Since when the member has it, as it says; None: it has not said so."""
        return next((news.at for news in self.news if news.kind in _HAS_IT), None)


@dataclass(frozen=True, slots=True)
class Group:
    """Members for whom one event was decided alike."""

    outcome: str
    head: str
    given: tuple[str, ...]
    """Sections granted that hold something."""
    given_empty: tuple[str, ...]
    """Sections granted that are empty: the members learn that there is none."""
    held_back: dict[str, str]
    """Section that holds something and is not granted → its state."""
    grounds: tuple[dict[str, Any], ...]
    rules: tuple[dict[str, Any], ...]
    retain_days: int | None
    onward: str
    under_review: bool
    action: str
    """What they were sent: share, correct, restricted, withdraw, none."""
    taken_back: tuple[str, ...]
    """The head or sections that a withdrawal takes back."""
    members: tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One event. What only a decision says is None where the ledger has none."""

    event_id: str
    """Empty where it could not be read."""
    sequence: int | None = None
    decided_at: str | None = None
    since_previous_ms: int | None = None
    """From the decision about the event before."""
    kind: str | None = None
    mode: str | None = None
    category: str | None = None
    grade: str | None = None
    status: str | None = None
    policy_version: int | None = None
    policy_hash: str | None = None
    ruling_id: str | None = None
    """The ruling by which this event was decided again; None: it was decided when it came."""
    groups: tuple[Group, ...] = field(default=())
    news: tuple[News, ...] = field(default=())
    """What was told of the event, and not of a member's copy."""

    def moments(self) -> Iterator[str]:
        """Every time that it has."""
        if self.decided_at is not None:
            yield self.decided_at
        for news in (*self.news, *(news for group in self.groups for copy in group.members for news in copy.news)):
            yield news.at
