"""A rule with what deciding many events needs of it, put together once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from routing.agreements.decision import HEAD, ActsAs, Ground, RuleMatch
from routing.agreements.masks import Kinds
from routing.agreements.model import Agreement, Condition, Limit, Refer, Rule, Share
from schemas.sections import SECTIONS

PARTS: Final = (HEAD, *SECTIONS)
PART_BIT: Final = {part: 1 << number for number, part in enumerate(PARTS)}


@dataclass(frozen=True, slots=True)
class Nearness:
    """A ``near`` whose member is the recipient: kinds of place, and the distance in metres."""

    kinds: Kinds
    within_m: int


Personal = Condition | Nearness
"""A condition whose truth hangs on the recipient: ``addressed``, ``holder``, or nearness to the recipient."""


@dataclass(frozen=True, slots=True)
class PersonalBlock:
    """What of a block hangs on the recipient; the rest of it is in the tables."""

    bit: int
    conditions: tuple[Personal, ...]


@dataclass(slots=True, eq=False)
class CompiledRule:
    """A rule with what folding needs of it."""

    agreement: Agreement
    rule: Rule
    recipients: int
    """As bits of members."""
    parts: int
    """What it grants or covers, as bits of `PARTS`; nothing, of a limit."""
    personal: tuple[PersonalBlock, ...] = ()
    """Its ``when`` and the blocks of its ``unless``, where any of them hangs on the recipient."""
    locate: int = 0
    """Of a share rule: how finely, as a position in ``FINEST_FIRST``."""
    _grounds: dict[int, tuple[Ground, ...]] = field(default_factory=dict)
    _told: dict[tuple[bool, ActsAs], RuleMatch] = field(default_factory=dict)

    def grounds(self, flowing: int) -> tuple[Ground, ...]:
        """Of a share rule: itself as the ground of those of these parts that it grants."""
        those = self.parts & flowing
        if (found := self._grounds.get(those)) is None:
            found = self._grounds[those] = tuple(self._ground(part) for part, bit in PART_BIT.items() if those & bit)
        return found

    def _ground(self, part: str) -> Ground:
        rule = self.rule
        if not isinstance(rule, Share):
            msg = f"rule {rule.id} grants nothing"
            raise TypeError(msg)
        return Ground(part, self.agreement.id, rule.id, rule.terms.purpose, rule.terms.legal_basis)

    def told(self, acts_as: ActsAs, *, turned_on_unknown: bool) -> RuleMatch:
        """As a matching rule of a decision."""
        key = (turned_on_unknown, acts_as)
        if (found := self._told.get(key)) is None:
            rule = self.rule
            found = RuleMatch(self.agreement.id, rule.id, rule.outcome, turned_on_unknown, acts_as)
            self._told[key] = found
        return found


def parts_of(rule: Rule) -> int:
    """What a rule grants or covers, as bits of `PARTS`; nothing, of a limit."""
    if isinstance(rule, Limit):
        return 0
    named = {HEAD, *rule.grant} if isinstance(rule, Share) else set(rule.sections)
    if isinstance(rule, Refer) and rule.invite:
        named.add(HEAD)
    return sum(PART_BIT[part] for part in named)
