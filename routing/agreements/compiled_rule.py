"""A rule with what deciding many events needs of it, put together once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from routing.agreements.conditions import folded
from routing.agreements.decision import HEAD, ActsAs, Ground, RuleMatch
from routing.agreements.masks import Kinds, strictly_above
from routing.agreements.model import FINEST_FIRST, Agreement, Block, Condition, Limit, Refer, Rule, Share
from routing.agreements.regions import region
from schemas.sections import SECTIONS

PARTS: Final = (HEAD, *SECTIONS)
PART_BIT: Final = {part: 1 << number for number, part in enumerate(PARTS)}
_OF_CODES: Final = frozenset(("category", "qualifiers", "flags", "caveats", "handling"))


class Use(NamedTuple):
    """What a condition asks of an attribute. ``{all: [a, b]}`` is two uses."""

    attribute: str
    slot: int
    """Which use of this attribute in its block."""
    kinds: Kinds
    values: tuple[str, ...]
    """Any of which will do."""
    above: tuple[str, ...]
    """The codes strictly above any of them."""
    within_m: int | None = None
    """Of a ``near`` the origin, which names no region yet: the distance in metres."""


class Nearness(NamedTuple):
    """A ``near`` whose member is the recipient: kinds of place, and the distance in metres."""

    kinds: Kinds
    within_m: int


Personal = Condition | Nearness
"""A condition whose truth hangs on the recipient: ``addressed``, ``holder``, or nearness to the recipient."""


class CompiledBlock(NamedTuple):
    """A ``when``, or one block of an ``unless``."""

    uses: tuple[Use, ...]
    personal: tuple[Personal, ...]


@dataclass(slots=True, eq=False)
class CompiledRule:
    """A rule with what deciding needs of it."""

    agreement: Agreement
    rule: Rule
    recipients: int
    """As bits of members."""
    when: CompiledBlock
    unless: tuple[CompiledBlock, ...]
    parts: int
    """What it grants or covers, as bits of `PARTS`; nothing, of a limit."""
    locate: int
    """Of a share rule: how finely, as a position in ``FINEST_FIRST``."""
    _grounds: dict[int, tuple[Ground, ...]] = field(default_factory=dict)
    _told: dict[tuple[bool, ActsAs], RuleMatch] = field(default_factory=dict)

    @property
    def invites(self) -> bool:
        """It asks whether to share at all."""
        return isinstance(self.rule, Refer) and self.rule.invite

    @property
    def is_personal(self) -> bool:
        """It hangs on the recipient."""
        return bool(self.when.personal) or any(block.personal for block in self.unless)

    @property
    def names_mode(self) -> bool:
        """Its ``when`` names the mode."""
        return any(use.attribute == "mode" for use in self.when.uses)

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


def compile_rule(agreement: Agreement, rule: Rule, recipients: int, areas: Mapping[str, str]) -> CompiledRule:
    """One rule.

    Args:
        agreement: that it stands in.
        rule: the rule.
        recipients: its recipients as bits of members.
        areas: the name of each member's area.
    """
    return CompiledRule(
        agreement,
        rule,
        recipients,
        _compile_block(rule.when, areas),
        tuple(_compile_block(block, areas) for block in rule.unless),
        _parts(rule),
        FINEST_FIRST.index(rule.locate) if isinstance(rule, Share) else 0,
    )


def _compile_block(block: Block, areas: Mapping[str, str]) -> CompiledBlock:
    used: Counter[str] = Counter()
    uses: list[Use] = []
    personal: list[Personal] = []
    for condition in block:
        if condition.attribute in ("addressed", "holder"):
            personal.append(condition)
        elif condition.attribute == "near" and condition.values[0] == "recipient":
            personal.append(Nearness(condition.place, condition.within_m))
        else:
            for use in _uses(condition, areas):
                uses.append(use._replace(slot=used[use.attribute]))
                used[use.attribute] += 1
    return CompiledBlock(tuple(uses), tuple(personal))


def _uses(condition: Condition, areas: Mapping[str, str]) -> Iterator[Use]:
    attribute, kinds, values = condition.attribute, condition.place, condition.values
    if attribute == "near":
        area = areas.get(values[0])
        named = (region(area, condition.within_m),) if area else ()
        yield Use(attribute, 0, kinds, named, (), condition.within_m if values[0] == "origin" else None)
        return
    if attribute == "district":
        values = tuple(folded(value) for value in values)
    for together in ((value,) for value in values) if condition.needs_all else (values,):
        above = (up for value in together for up in strictly_above(value)) if attribute in _OF_CODES else ()
        yield Use(attribute, 0, kinds, together, tuple(above))


def _parts(rule: Rule) -> int:
    if isinstance(rule, Limit):
        return 0
    named = {HEAD, *rule.grant} if isinstance(rule, Share) else set(rule.sections)
    if isinstance(rule, Refer) and rule.invite:
        named.add(HEAD)
    return sum(PART_BIT[part] for part in named)
