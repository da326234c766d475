"""An answer that a member owes, as a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

ExpectedKind = Literal["retract", "withdraw", "correct", "transfer", "assistance"]
REQUESTS: Final[frozenset[str]] = frozenset({"transfer", "assistance"})
"""What is accepted or rejected; the rest is confirmed."""
_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one member is to answer, until when, and how often the origin is told that it has not."""

    member: str
    kind: ExpectedKind
    delivery_id: str
    """The delivery that asked."""
    event_id: str = ""
    """Its event; empty: a notice that names none."""
    asked_at: datetime
    limits_s: tuple[int, ...]
    """Seconds, each from when the one before it was over."""
    step: int = 0
    """Which limit runs, from 0; as many as there are: none does any more."""
    deadline: datetime | None
    """When that limit is over; None: none runs."""
    sections: frozenset[str] = _NONE
    """Of a withdraw: what was taken back."""
    reason: str = ""
    ask: str = ""
    ruling_id: str = ""
    by_adapter: bool = False
    """The member's adapter has confirmed, and a person has yet to."""

    @property
    def is_overdue(self) -> bool:
        """Whether a limit has passed."""
        return self.step > 0

    def confirmed_by_adapter(self) -> Expected:
        """Once the member's adapter has confirmed."""
        return replace(self, by_adapter=True)

    @property
    def is_unsent(self) -> bool:
        """What asks could not be sent yet: there is nobody who could answer."""
        return not self.delivery_id

    @property
    def is_unsent_correction(self) -> bool:
        """Its member could not be sent the incident as corrected yet; whether it owes an answer is found when it is."""
        return self.is_unsent and self.kind == "correct"

    @property
    def has_limits_left(self) -> bool:
        """Whether the origin has yet to be told that a limit passed; after the last, what is unsent is only retried."""
        return self.step < len(self.limits_s)

    def later(self, now: datetime) -> Expected:
        """Once the limit that runs has passed: the next one runs from now, or none does.

        What is unsent then is tried again as often as the last limit passes.
        """
        step = min(self.step + 1, len(self.limits_s))
        limit_s = self.limits_s[step] if step < len(self.limits_s) else self.limits_s[-1] if self.is_unsent else None
        return replace(self, step=step, deadline=None if limit_s is None else now + timedelta(seconds=limit_s))


def first_deadline(asked_at: datetime, limits_s: tuple[int, ...]) -> datetime | None:
    """When the first limit of an answer is over; None where there is no limit."""
    return asked_at + timedelta(seconds=limits_s[0]) if limits_s else None
