"""The decision that matching rules make where nothing came before: *Deciding* without state.

The same sentences as ``deliberation``, over bits of parts. Grounds, terms and lines of the case are worked out when
somebody asks for them (``reasons``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from routing.agreements.decision import Decision, State
from routing.agreements.reasons import Reasons
from routing.agreements.rulebook import Rulebook
from routing.agreements.said import HEAD_BIT, Said, flowing, state_of, verdict
from schemas.sections import SECTIONS

_HALF: Final = len(SECTIONS) // 2
_FIRST_HALF, _SECOND_HALF = (
    tuple(tuple(section for place, section in enumerate(half) if mask >> place & 1) for mask in range(1 << len(half)))
    for half in (SECTIONS[:_HALF], SECTIONS[_HALF:])
)
"""The names of the sections of a mask: of the first half of them, and of the second."""


class Folded:
    """What matching rules decide for a recipient with no name, whatever the event's sections."""

    __slots__ = ("_coarse", "_flowing", "_in_earnest", "_in_part", "_number", "_rulebook", "_said", "_whole")

    def __init__(self, rulebook: Rulebook, said: tuple[Said, ...], *, in_earnest: bool) -> None:
        """Take what was said together. ``in_earnest``: the mode is ``actual``."""
        self._rulebook, self._said, self._in_earnest = rulebook, said, in_earnest
        self._in_part: Decision | None = None
        self._whole: Decision | None = None
        number = 0
        for each in said:
            number |= each.number
        self._number = number
        self._flowing = flowing(number)

    @property
    def head(self) -> State:
        """The state of the head."""
        return "granted" if self._flowing else state_of(verdict(self._number), HEAD_BIT)

    @property
    def covers(self) -> tuple[str, ...]:
        """The granted sections, if the head is granted."""
        sections = self._flowing >> 1
        return _FIRST_HALF[sections & (1 << _HALF) - 1] + _SECOND_HALF[sections >> _HALF]

    def decision(self, sections: frozenset[str], placed: frozenset[str]) -> Decision:
        """The decision about an event that has these sections, of which some state coordinates or addresses.

        *Shared* when every non-empty section is granted and no coordinate or address in them was replaced.
        """
        in_part = self._in_part
        if in_part is None:
            in_part = self._in_part = self._decide()
        if in_part.head != "granted" or not sections.issubset(in_part.covers):
            return in_part
        if self._coarse and not self._coarse.isdisjoint(placed & sections):
            return in_part
        if self._whole is None:
            self._whole = replace(in_part, outcome="shared")
        return self._whole

    def _decide(self) -> Decision:
        reasons = Reasons(self._rulebook, self._said, in_earnest=self._in_earnest)
        found = reasons.decision(self._number, self.covers)
        self._coarse = frozenset(section for section, told in found.locate.items() if told != "exact")
        return found
