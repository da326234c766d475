"""A deliberation that has looked everything up beforehand: the same steps, for whoever decides by the thousand.

The steps themselves are the interpreter's (``deliberation``), and each method here answers what its namesake there
answers. Matching rules are sorted once by the parts they speak of, what nobody ruled is not searched for, and what is
asked of a part more than once is worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence

from routing.agreements.decision import HEAD, State
from routing.agreements.deliberation import PARTS, Deliberation, HeldUp
from routing.agreements.following import followed
from routing.agreements.matching import Match, Question
from routing.agreements.model import Share
from routing.agreements.state import CaseLine, Override, Release
from routing.agreements.terms import Grant, of_held, of_share


class Heard:
    """Rules that match on one day, by what they do to which part."""

    def __init__(self, matches: list[Match], possible: list[Share]) -> None:
        """Sort. The arguments are those of `Deliberation`."""
        self.matches, self.possible = matches, possible
        self.forbids = by_part([match for match in matches if match.forbids])
        self.refers = by_part([match for match in matches if match.refers])
        self.grantable = {part for part in PARTS if any(part == HEAD or part in rule.grant for rule in possible)}
        self._shares = [(match, match.rule) for match in matches if isinstance(match.rule, Share)]
        self.parts = {part for part in PARTS if self.forbids[part] or self.refers[part]}
        """Those of which any of these rules says something."""
        for _, rule in self._shares:
            self.parts.update((HEAD, *rule.grant))
        self._grants: dict[str, list[Grant]] = {}

    def granting(self, question: Question, part: str) -> list[Grant]:
        """By share rules: the same on this day, whoever asks."""
        if (found := self._grants.get(part)) is None:
            found = [of_share(question, match, rule) for match, rule in self._shares if match.grants(part)]
            self._grants[part] = found
        return found


class Indexed(Deliberation):
    """`Deliberation`, quick. What its methods return is not to be changed: it may be asked for again."""

    def __init__(self, question: Question, heard: Heard) -> None:
        """Ask, where it is known which rules match."""
        super().__init__(question, heard.matches, heard.possible)
        state = question.state
        self._heard = heard
        self._is_granted_by_people = bool(state.releases or state.discretions or state.overrides)
        self._holds = {held.part for held in question.holding.parts} if question.holding else set()
        self._lines = [line for line in state.lines if line.recipient == question.recipient]
        is_plain = not (self._is_granted_by_people or state.refusals or self.is_barred)
        self._spoken_of = heard.parts.union(self._holds, *(line.parts for line in self._lines)) if is_plain else PARTS
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
            found = self._granted[part] = self._granted_now(part)
        return found

    def _granted_now(self, part: str) -> list[Grant]:
        if self._is_granted_by_people:
            return super().granted(part)
        now = self._heard.granting(self.question, part)
        if now or part not in self._holds:
            return now
        return [of_held(self.question, part, held) for held in followed(self.question, part)]

    def of_correction(self, part: str) -> list[Grant]:
        """Its grants of before, of a ``corrected`` event."""
        return super().of_correction(part) if part in self._holds else []

    def discharging(self, referring: Match, part: str) -> Sequence[Release]:
        """The releases that discharge a refer rule for it."""
        return super().discharging(referring, part) if self.question.state.releases else ()

    def lifting(self, forbidding: Match, part: str) -> Sequence[Override]:
        """The overrides that lift a forbid for it."""
        return super().lifting(forbidding, part) if self.question.state.overrides else ()


def by_part(matches: list[Match]) -> dict[str, list[Match]]:
    """Refer or forbid rules, by each part they cover."""
    found: dict[str, list[Match]] = {part: [] for part in PARTS}
    for match in matches:
        for part in match.parts:
            found[part].append(match)
    return found
