"""The decision that matching rules make where nothing came before: *Deciding* without state.

The same sentences as ``deliberation``, over bits of parts. Who gets what is worked out at once; grounds, terms and
lines of the case when somebody asks for them (``reasons``).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from routing.agreements.compiled_rule import PART_BIT
from routing.agreements.decision import Decision, State
from routing.agreements.masks import REMEMBERED_MOST
from routing.agreements.reasons import Reasons
from routing.agreements.rulebook import Rulebook
from routing.agreements.said import HEAD_BIT, Said, state_of, together, verdict
from schemas.sections import SECTIONS


@lru_cache(maxsize=REMEMBERED_MOST)
def _covers(flowing: int) -> tuple[str, ...]:
    return tuple(section for section in SECTIONS if flowing & PART_BIT[section])


class Folded:
    """What matching rules decide for a recipient with no name, whatever the event's sections."""

    __slots__ = ("_coarse", "_in_earnest", "_in_part", "_rulebook", "_said", "_whole", "verdict")

    def __init__(self, rulebook: Rulebook, said: tuple[Said, ...], *, in_earnest: bool) -> None:
        """Work out who gets what. ``in_earnest``: the mode is ``actual``."""
        self._rulebook, self._said, self._in_earnest = rulebook, said, in_earnest
        self._in_part: Decision | None = None
        number = 0
        for each in said:
            number |= each.number
        self.verdict = verdict(number)

    @property
    def head(self) -> State:
        """The state of the head."""
        return state_of(self.verdict, HEAD_BIT)

    @property
    def covers(self) -> tuple[str, ...]:
        """The granted sections, if the head is granted."""
        return _covers(self.verdict.flowing)

    def decision(self, sections: frozenset[str], placed: frozenset[str]) -> Decision:
        """The decision about an event that has these sections, of which some state coordinates or addresses.

        *Shared* when every non-empty section is granted and no coordinate or address in them was replaced.
        """
        in_part = self._in_part
        if in_part is None:
            in_part = self._in_part = self._decide()
        if self._whole is None or not sections.issubset(in_part.covers):
            return in_part
        return in_part if self._coarse and not self._coarse.isdisjoint(placed & sections) else self._whole

    def _decide(self) -> Decision:
        reasons = Reasons(self._rulebook, together(self._said), in_earnest=self._in_earnest)
        found = reasons.decision(self.verdict, self.covers)
        self._whole: Decision | None = replace(found, outcome="shared") if found.head == "granted" else None
        self._coarse = frozenset(section for section, told in found.locate.items() if told != "exact")
        return found
