"""A deliberation that has looked everything up beforehand: the same steps, for whoever decides by the thousand.

The steps themselves are the interpreter's (``deliberation``), and each method here answers what its namesake there
answers. Matching rules are sorted once by the parts they speak of, what nobody ruled is not searched for, and what is
asked of a part more than once is worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence

from routing.agreements.decision import HEAD, State
from routing.agreements.deliberation import PARTS, Deliberation, HeldUp
from routing.agreements.matching import Match, Question
from routing.agreements.model import Share
from routing.agreements.state import CaseLine, Override, Release, is_ruled
from routing.agreements.terms import Grant


class Heard:
    """Rules that match on one day, by what they do to which part."""

    def __init__(self, matches: list[Match], possible: list[Share]) -> None:
        """Sort the matching rules; ``possible``: the share rules that may hold besides."""
        self.matches = matches
        self.forbids = _by_part([match for match in matches if match.forbids])
        self.refers = _by_part([match for match in matches if match.refers])
        self.grantable = {part for part in PARTS if any(part == HEAD or part in rule.grant for rule in possible)}
        granted = {part for match in matches for part in PARTS if match.grants(part)}
        self.parts = granted.union(part for part in PARTS if self.forbids[part] or self.refers[part])
        """Those of which any of these rules says something."""
        self.grants: dict[str, list[Grant]] = {}
        """Of share rules, by part: the same on this day, whoever asks; worked out when somebody does."""


class Indexed(Deliberation):
    """`Deliberation`, quick. What its methods return is not to be changed: it may be asked for again."""

    def __init__(self, question: Question, heard: Heard) -> None:
        """Ask, where it is known which rules match."""
        super().__init__(question, heard.matches)
        state = question.state
        self._heard = heard
        self._holds = {held.part for held in question.holding.parts} if question.holding else set()
        self._lines = [line for line in state.lines if line.recipient == question.recipient]
        spoken_of = heard.parts.union(self._holds, *(line.parts for line in self._lines))
        self._spoken_of = PARTS if is_ruled(state) else spoken_of
        self._granted: dict[str, list[Grant]] = {}
        self._held_up: dict[str, HeldUp] = {}

    def own_state(self, part: str) -> State:
        """Of the head or a section by itself: withheld, where nothing and nobody speaks of it."""
        return super().own_state(part) if part in self._spoken_of else "withheld"

    def held_up(self, part: str) -> HeldUp:
        """Steps 2 and 3."""
        if part not in self._held_up:
            self._held_up[part] = super().held_up(part)
        return self._held_up[part]

    def forbidding(self, part: str) -> list[Match]:
        """1. The forbids that cover it and are not lifted."""
        return [match for match in self._heard.forbids[part] if not self.lifting(match, part)]

    def withholding(self, part: str) -> list[Match]:
        """2. The refer rules that withhold it."""
        in_earnest = self.question.event.mode == "actual"
        return [match for match in self._heard.refers[part] if match.stopped or not in_earnest]

    def open_lines(self, part: str) -> list[CaseLine]:
        """3. The open lines it stands on."""
        return [line for line in self._lines if part in line.parts]

    def referring(self, part: str) -> list[Match]:
        """3. The refer rules that hold it up."""
        undischarged = [match for match in self._heard.refers[part] if not self.discharging(match, part)]
        return [match for match in undischarged if match.invites or self.grantable(part)]

    def grantable(self, part: str) -> bool:
        """Whether it is granted, or may be."""
        return part in self._heard.grantable or bool(self.granted(part))

    def granted(self, part: str) -> list[Grant]:
        """4. Its grants."""
        if (found := self._granted.get(part)) is None:
            found = self._granted[part] = super().granted(part)
        return found

    def granted_by_rules(self, part: str) -> list[Grant]:
        """4. Its grants by share rules."""
        if (found := self._heard.grants.get(part)) is None:
            found = self._heard.grants[part] = super().granted_by_rules(part)
        return found

    def of_correction(self, part: str) -> list[Grant]:
        """Its grants of before, of a ``corrected`` event."""
        return super().of_correction(part) if part in self._holds else []

    def discharging(self, referring: Match, part: str) -> Sequence[Release]:
        """The releases that discharge a refer rule for it."""
        return super().discharging(referring, part) if self.question.state.releases else ()

    def lifting(self, forbidding: Match, part: str) -> Sequence[Override]:
        """The overrides that lift a forbid for it."""
        return super().lifting(forbidding, part) if self.question.state.overrides else ()


def _by_part(matches: list[Match]) -> dict[str, list[Match]]:
    """Refer or forbid rules, by each part they cover."""
    found: dict[str, list[Match]] = {part: [] for part in PARTS}
    for match in matches:
        for part in match.parts:
            found[part].append(match)
    return found
