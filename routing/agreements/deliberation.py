"""The steps of *Deciding*, one small method per sentence: of the head and each section, the first step that holds.

Written to be read beside the language, and not for speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, Literal

from routing.agreements.decision import HEAD, State
from routing.agreements.following import followed, of_correction
from routing.agreements.matching import Match, Question, matching_rules, possible_shares
from routing.agreements.model import Limit, Share
from routing.agreements.rulings import discharging, granting, lifting, refusals
from routing.agreements.state import CaseLine, Override, Release
from routing.agreements.terms import Grant, of_held, of_ruling, of_share
from schemas.sections import SECTIONS

PARTS: Final = (HEAD, *SECTIONS)
HeldUp = Literal["withheld", "referred"] | None


class Deliberation:
    """One question, and what the rules, the rulings and what is held say to it, part by part."""

    def __init__(self, question: Question, matches: list[Match] | None = None) -> None:
        """Ask.

        Args:
            question: who, what and when.
            matches: the matching rules, where they are known already.
        """
        self.question = question
        self.matches = matching_rules(question) if matches is None else matches
        self.limits = [match.rule for match in self.matches if isinstance(match.rule, Limit)]

    # -- the steps, for the head and each section separately: the first that holds

    def own_state(self, part: str) -> State:
        """Of the head or a section by itself."""
        if self.is_barred or self.forbidding(part):
            return "forbidden"
        if self.of_correction(part):
            return "granted"
        return self.held_up(part) or ("granted" if self.granted(part) else "withheld")

    def held_up(self, part: str) -> HeldUp:
        """Steps 2 and 3: by a refusal or lapse, by a refer rule, by an open line."""
        if refusals(self.question, part) or self.withholding(part):
            return "withheld"
        return "referred" if self.open_lines(part) or self.referring(part) else None

    @property
    def is_barred(self) -> bool:
        """1. *P* is barred from the incident by a retraction."""
        return self.question.recipient in self.question.state.barred

    def forbidding(self, part: str) -> list[Match]:
        """1. A matching forbid covers it and is not lifted."""
        return [
            match for match in self.matches if match.forbids and match.covers(part) and not self.lifting(match, part)
        ]

    def withholding(self, part: str) -> list[Match]:
        """2. A matching refer rule covers it and the mode is not ``actual``, or its agreement ended or is suspended."""
        in_earnest = self.question.event.mode == "actual"
        return [
            match for match in self.matches if match.refers and match.covers(part) if match.stopped or not in_earnest
        ]

    def open_lines(self, part: str) -> list[CaseLine]:
        """3. It stands on an open line of the case for *P*.

        While a line is open its sections stay referred, even if a later event no longer matches.
        """
        lines = self.question.state.lines
        return [line for line in lines if line.recipient == self.question.recipient and part in line.parts]

    def referring(self, part: str) -> list[Match]:
        """3. A matching refer rule (or a forbid acting as one) that no release has discharged covers it.

        And it is grantable, or the rule says ``invite: true``.
        """
        return [
            match
            for match in self.matches
            if match.refers and match.covers(part) and not self.discharging(match, part)
            if match.invites or self.grantable(part)
        ]

    def grantable(self, part: str) -> bool:
        """*Grantable*: step 4 holds, or a share rule may grant it.

        That is one whose ``when`` is not false and whose ``unless`` is not true.
        """
        possible = any(part == HEAD or part in rule.grant for rule in self._possible_shares)
        return possible or bool(self.granted(part))

    def granted(self, part: str) -> list[Grant]:
        """4. A matching share rule grants it, or a live ruling names it, or by following.

        The head: any matching share rule, and any section granted by a ruling grants it. These are also the
        grounds: every matching share rule, or the ruling; a followed grant only if none of these grants it now.
        """
        ruled = [of_ruling(self.question, ruling) for ruling in granting(self.question, part)]
        now = [*self.granted_by_rules(part), *ruled]
        if part == HEAD and not now:
            now = self._granted_by_a_section
        return now or [of_held(self.question, part, held) for held in followed(self.question, part)]

    def granted_by_rules(self, part: str) -> list[Grant]:
        """4. A matching share rule grants it."""
        return [of_share(self.question, match, rule) for match, rule in self._shares if match.grants(part)]

    @cached_property
    def _granted_by_a_section(self) -> list[Grant]:
        """Any section granted by a ruling grants the head."""
        ruled = {
            ruling.id: of_ruling(self.question, ruling)
            for section in SECTIONS
            if self.own[section] == "granted"
            for ruling in granting(self.question, section)
        }
        return list(ruled.values())

    def of_correction(self, part: str) -> list[Grant]:
        """Of a ``corrected`` event, every section *P* holds is granted until its retain_until.

        Whatever refer rules, cases, refusals or ``follow`` say.
        """
        return [of_held(self.question, part, held) for held in of_correction(self.question, part)]

    def flowing(self, part: str) -> list[Grant]:
        """The grants under which a granted part flows: of a correction that a case holds up, those it had before."""
        granted = [] if self.held_up(part) else self.granted(part)
        return granted or self.of_correction(part)

    def discharging(self, referring: Match, part: str) -> Sequence[Release]:
        """The releases that discharge a refer rule for a part."""
        return discharging(self.question, referring, part)

    def lifting(self, forbidding: Match, part: str) -> Sequence[Override]:
        """The overrides that lift a forbid for a part."""
        return lifting(self.question, forbidding, part)

    # -- the parts together

    @cached_property
    def own(self) -> dict[str, State]:
        """Of each section by itself."""
        return {section: self.own_state(section) for section in SECTIONS}

    @cached_property
    def states(self) -> dict[str, State]:
        """If the head is not granted, nothing flows, and every section that is not forbidden takes the head's state."""
        head = self.own_state(HEAD)
        sections = {part: own if head == "granted" or own == "forbidden" else head for part, own in self.own.items()}
        return {HEAD: head, **sections}

    @cached_property
    def _shares(self) -> list[tuple[Match, Share]]:
        return [(match, match.rule) for match in self.matches if isinstance(match.rule, Share)]

    @cached_property
    def _possible_shares(self) -> list[Share]:
        return [rule for _, rule in possible_shares(self.question)]
