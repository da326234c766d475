"""An agreement's rules numbered from nought, and what their blocks of conditions ask: for any origin to take over.

The bit of a rule is that of its ``when``; the blocks of all ``unless`` are numbered by themselves. A rulebook puts
chapters one after another by shifting their bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from routing.agreements.compiled_rule import CompiledBlock, CompiledRule, Nearness, Use
from routing.agreements.masks import Slot
from routing.agreements.model import Agreement, Forbid, Limit, Refer, Share
from routing.agreements.regions import region


class Kindred(NamedTuple):
    """Rules of one kind, each kind as a mask of rules."""

    shares: int = 0
    certain_shares: int = 0
    """The share rules that do not match in doubt."""
    actual_shares: int = 0
    """The share rules that do not name ``mode``: they match only when it is ``actual``."""
    refers: int = 0
    doubtful_forbids: int = 0
    """The forbids of a file that says who rules on doubt."""
    limits: int = 0
    personal: int = 0
    """The rules that hang on the recipient."""

    def joined(self, later: Kindred, first: int) -> Kindred:
        """These, and the later ones numbered from ``first``."""
        return Kindred(*(mine | theirs << first for mine, theirs in zip(self, later, strict=True)))


class Blocks:
    """What blocks ask of attributes: by attribute and use, which blocks list which values."""

    def __init__(self, blocks: Iterable[CompiledBlock]) -> None:
        self.slots: dict[tuple[str, int], Slot] = {}
        self.near_origin: list[tuple[int, int, Nearness]] = []
        """Of each ``near`` the origin: slot, block as a mask, kinds of place and distance."""
        for number, block in enumerate(blocks):
            for use in block.uses:
                self._note(1 << number, use)

    def _note(self, block: int, use: Use) -> None:
        if use.within_m is not None:
            self.near_origin.append((use.slot, block, Nearness(use.kinds, use.within_m)))
            return
        slot = self.slots.setdefault((use.attribute, use.slot), Slot())
        slot.add(block, use.values, use.above, use.kinds)
        if use.attribute == "near" and not use.values:
            slot.set_adrift(block, use.kinds)


class Chapter:
    """The rules of an agreement, sorted by id."""

    def __init__(self, agreement: Agreement, rules: list[CompiledRule]) -> None:
        self.agreement = agreement
        self.rules = rules
        self.rule_of_block = [number for number, each in enumerate(rules) for _ in each.unless]
        """The number of the rule of each block of an ``unless``."""
        self.whens = Blocks(each.when for each in rules)
        self.unlesses = Blocks(block for each in rules for block in each.unless)
        self.signed_on = {each.member: each.signed_on for each in reversed(agreement.signatures)}
        kindred = Kindred()
        for number, each in enumerate(rules):
            kindred = kindred.joined(_kind(each), number)
        self.kindred = kindred

    @cached_property
    def of_protections(self) -> Chapter:
        """The rules that do not share, by themselves."""
        return Chapter(self.agreement, [each for each in self.rules if not isinstance(each.rule, Share)])


def _kind(each: CompiledRule) -> Kindred:
    """Of one rule."""
    rule, shares = each.rule, isinstance(each.rule, Share)
    return Kindred(
        shares=shares,
        certain_shares=isinstance(rule, Share) and not rule.on_doubt_share,
        actual_shares=shares and not each.names_mode,
        refers=isinstance(rule, Refer),
        doubtful_forbids=isinstance(rule, Forbid) and bool(each.agreement.doubt),
        limits=isinstance(rule, Limit),
        personal=each.is_personal,
    )


def add_nearness(slot: Slot, block: int, nearness: Nearness, area: str | None) -> None:
    """Note that a block looks at an area and a distance around it; a member without one is near nothing known."""
    slot.add(block, (region(area, nearness.within_m),) if area else (), (), nearness.kinds)
    if not area:
        slot.set_adrift(block, nearness.kinds)
