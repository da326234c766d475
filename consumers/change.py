"""What becomes of one incident, on its way into a receiver's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

Row = dict[str, Any]
"""A row of the incident table, by column."""
Numbers = Mapping[str, int | None]
"""Section → number of the delivery that last stated or withdrew it; None: not known."""

HEAD: Final = "head"


@dataclass(frozen=True, slots=True)
class Section:
    """What one section is now; `items` None: withdrawn."""

    items: Sequence[Mapping[str, Any]] | None
    stated_at: datetime
    event_id: str
    delivery_id: str
    number: int | None = None


@dataclass(slots=True)
class Change:
    """What becomes of one incident: its row as it will be, and the sections that change."""

    row: Row
    known: bool
    """Whether the receiver held anything of it before."""
    sections: dict[str, Section] = field(default_factory=dict)
    clears: bool = False
    """All that the receiver held before goes, and `sections` follow."""
    sealed_by: str | None = None
    """The latest retraction: what was held before is sealed before it goes."""
    sealed: list[tuple[str, str, Any]] = field(default_factory=list)
    """Of this fold's own content, taken back within it: retraction, section or head, items."""
    gone: dict[str, str | None] = field(default_factory=dict)
    """Single sections that were held before and go; sealed by that retraction, or just removed."""
    _numbers: dict[str, int | None] | None = None

    def clear(self, sealed_by: str | None = None) -> None:
        """Everything goes; what was sealed before stays sealed."""
        self.sections.clear()
        self.gone.clear()
        self.clears = True
        self.sealed_by = sealed_by or self.sealed_by
        self._numbers = {}

    def drop(self, section: str, sealed_by: str | None) -> None:
        """A section that was held goes, unless it is stated again."""
        self.gone[section] = sealed_by
        if self._numbers is not None:
            self._numbers.pop(section, None)

    def numbers(self, held: Callable[[], Numbers]) -> dict[str, int | None]:
        """The sections as they stand now, and the number that each was stated with; `held` is asked once at most."""
        if self._numbers is None:
            self._numbers = dict(held()) if self.known else {}
        return self._numbers | {name: section.number for name, section in self.sections.items()}
