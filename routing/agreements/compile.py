"""A bundle compiled: every block of conditions one bit, every member that receives one bit.

Nothing is decided here. ``engine`` evaluates all rules for an event by and-ing what its attributes say, ``fold`` makes
decisions of the rules that match. Conditions that hold for one recipient and not for another (``addressed``,
``holder``, ``near: {member: recipient}``) are kept apart, by rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final, get_args

from routing.agreements.bundle import Bundle
from routing.agreements.compiled_rule import CompiledRule, Nearness, Personal, PersonalBlock, parts_of
from routing.agreements.masks import Kinds, Slot, Table, bits
from routing.agreements.model import (
    FINEST_FIRST,
    Agreement,
    Block,
    Condition,
    Forbid,
    Refer,
    Rule,
    SetAttribute,
    Share,
    WordAttribute,
)
from routing.agreements.regions import region
from routing.agreements.tables import Categories, Codes, Districts, Regions, Sections, Words, folded_values
from schemas.codes import codes

_NOTHING: Final[frozenset[str]] = frozenset()
SETS: Final[tuple[str, ...]] = get_args(SetAttribute)
WORDS: Final[tuple[str, ...]] = get_args(WordAttribute)
_TABLES: Final[Mapping[str, type[Table]]] = {
    "category": Categories,
    **dict.fromkeys(SETS, Codes),
    **dict.fromkeys(WORDS, Words),
    "has": Sections,
    "district": Districts,
    "area": Regions,
    "near": Regions,
}


class Compiled:
    """All rules of a bundle, whoever they are from: what does not hang on the origin or the day."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.members = bundle.receivers
        self.member_bit = {name: 1 << number for number, name in enumerate(self.members)}
        self._sets_of_members: dict[tuple[str, ...], int] = {}
        agreements = sorted(bundle.agreements, key=lambda agreement: agreement.id)
        pairs = [(found, rule) for found in agreements for rule in sorted(found.rules, key=lambda rule: rule.id)]
        self.rules = [self._compiled(found, rule) for found, rule in pairs]
        self.all_whens = (1 << len(self.rules)) - 1
        self.rule_of_block: list[int] = []
        """The number of the rule of each block of an ``unless``; their bits follow those of the ``when``."""
        blocks = [rule.when for _, rule in pairs]
        for number, (_, rule) in enumerate(pairs):
            blocks += rule.unless
            self.rule_of_block += [number] * len(rule.unless)
        self.full = (1 << len(blocks)) - 1
        self.tables: dict[str, Table] = {}
        self.near_origin: list[tuple[int, int, Kinds, int]] = []
        """Of each ``near`` the origin: slot, block as a mask, kinds of place, distance in metres."""
        self._personal: dict[int, tuple[Personal, ...]] = {}
        self._near: dict[Nearness, Regions] = {}
        for bit, block in enumerate(blocks):
            self._add(bit, block)
        self._note_personal()
        for name, table in self.tables.items():
            _meet_codes(name, table)

    def _compiled(self, agreement: Agreement, rule: Rule) -> CompiledRule:
        locate = FINEST_FIRST.index(rule.locate) if isinstance(rule, Share) else 0
        return CompiledRule(agreement, rule, self.bits_of(rule.recipients), parts_of(rule), locate=locate)

    def bits_of(self, members: tuple[str, ...]) -> int:
        """Members as bits; those that do not receive are passed over."""
        if (found := self._sets_of_members.get(members)) is None:
            found = self._sets_of_members[members] = self.named(members)
        return found

    def named(self, members: Iterable[str]) -> int:
        """The same, of members that an event or a state names: not remembered."""
        found = 0
        for name in members:
            found |= self.member_bit.get(name, 0)
        return found

    # -- masks of rules

    @cached_property
    def shares(self) -> int:
        """The share rules."""
        return self._those(isinstance(each.rule, Share) for each in self.rules)

    @cached_property
    def doubtful_shares(self) -> int:
        """The share rules that match in doubt too."""
        return self._those(isinstance(each.rule, Share) and each.rule.on_doubt_share for each in self.rules)

    @cached_property
    def actual_shares(self) -> int:
        """The share rules that do not name ``mode``: they match only when it is ``actual``."""
        return self._those(
            isinstance(each.rule, Share) and not any(condition.attribute == "mode" for condition in each.rule.when)
            for each in self.rules
        )

    @cached_property
    def refers(self) -> int:
        """The refer rules."""
        return self._those(isinstance(each.rule, Refer) for each in self.rules)

    @cached_property
    def doubtful_forbids(self) -> int:
        """The forbids that refer when they turn on an unknown."""
        return self._those(isinstance(each.rule, Forbid) and bool(each.agreement.doubt) for each in self.rules)

    @cached_property
    def personal(self) -> int:
        """The rules that hang on the recipient."""
        return self._those(bool(each.personal) for each in self.rules)

    def rules_to(self, member: int) -> int:
        """The rules that name the member of a number."""
        return self._rules_to[member]

    @cached_property
    def rules_by_recipients(self) -> dict[int, int]:
        """The rules that name the same recipients, by these."""
        together: dict[int, int] = {}
        for number, each in enumerate(self.rules):
            together[each.recipients] = together.get(each.recipients, 0) | 1 << number
        return together

    @cached_property
    def _rules_to(self) -> list[int]:
        found = [0] * len(self.members)
        for recipients, rules in self.rules_by_recipients.items():
            for member in bits(recipients):
                found[member] |= rules
        return found

    @cached_property
    def of_agreement(self) -> dict[str, int]:
        """The rules of each agreement."""
        found: dict[str, int] = {}
        for number, each in enumerate(self.rules):
            found[each.agreement.id] = found.get(each.agreement.id, 0) | 1 << number
        return found

    @cached_property
    def agreements_of(self) -> dict[str, list[Agreement]]:
        """The agreements that each origin is a party to."""
        found: dict[str, list[Agreement]] = {}
        for agreement in self.bundle.agreements:
            for origin in agreement.origins:
                found.setdefault(origin, []).append(agreement)
        return found

    @staticmethod
    def _those(wanted: Iterable[bool]) -> int:
        return int("".join("1" if each else "0" for each in wanted)[::-1] or "0", 2)

    # -- blocks

    def _add(self, bit: int, block: Block) -> None:
        used: Counter[str] = Counter()
        personal: list[Personal] = []
        for condition in block:
            if condition.attribute in ("addressed", "holder"):
                personal.append(condition)
            elif condition.attribute == "near" and condition.values[0] == "recipient":
                personal.append(Nearness(condition.place, condition.within_m))
            else:
                each_a_slot = [(value,) for value in condition.values] if condition.needs_all else [condition.values]
                for values in each_a_slot:
                    self._note(1 << bit, condition, values, used[condition.attribute])
                    used[condition.attribute] += 1
        if personal:
            self._personal[bit] = tuple(personal)

    def _note(self, block: int, condition: Condition, values: tuple[str, ...], number: int) -> None:
        attribute, kinds = condition.attribute, condition.place
        table = self.tables.get(attribute)
        if table is None:
            table = self.tables[attribute] = _TABLES[attribute](self.full)
        slot = table.slot(number)
        if attribute == "near":
            if values[0] == "origin":
                self.near_origin.append((number, block, kinds, condition.within_m))
            else:
                add_nearness(slot, block, kinds, self.bundle.area_by_member.get(values[0]), condition.within_m)
        else:
            slot.add(block, folded_values(values) if attribute == "district" else values, kinds)

    def _note_personal(self) -> None:
        """Give the rules that hang on the recipient all their blocks."""
        blocks: dict[int, list[int]] = {}
        for offset, number in enumerate(self.rule_of_block):
            blocks.setdefault(number, []).append(len(self.rules) + offset)
        for number, each in enumerate(self.rules):
            of_unless = blocks.get(number, [])
            if number in self._personal or any(bit in self._personal for bit in of_unless):
                each.personal = tuple(PersonalBlock(bit, self._personal.get(bit, ())) for bit in (number, *of_unless))

    # -- what hangs on the origin, and on where recipients are

    def tables_from(self, origin: str) -> dict[str, Table]:
        """The tables as events of one origin are looked up in them."""
        if not self.near_origin:
            return self.tables
        table = Regions(self.full)
        table.slots = [slot.copy() for slot in self.tables["near"].slots]
        area = self.bundle.area_by_member.get(origin)
        for number, block, kinds, within_m in self.near_origin:
            add_nearness(table.slot(number), block, kinds, area, within_m)
        return self.tables | {"near": table}

    def recipients_near(self, nearness: Nearness) -> Regions:
        """A table of recipients that are near: here a block is a member."""
        if (table := self._near.get(nearness)) is None:
            table = self._near[nearness] = self._recipients_near(nearness)
        return table

    def _recipients_near(self, nearness: Nearness) -> Regions:
        table = Regions((1 << len(self.members)) - 1)
        for name, bit in self.member_bit.items():
            area = self.bundle.area_by_member.get(name)
            add_nearness(table.slot(0), bit, nearness.kinds, area, nearness.within_m)
        return table


def _meet_codes(attribute: str, table: Table) -> None:
    """Look up every code beforehand, so that the first event of a kind waits for nothing but its places."""
    if attribute == "category":
        for code in (None, *codes("category")):
            _ = table[code, _NOTHING]
    elif attribute in SETS:
        for stated in (None, _NOTHING, *(frozenset((code,)) for code in codes(attribute))):
            _ = table[stated]
    elif attribute in WORDS:
        for code in codes(attribute):
            _ = table[code]


def add_nearness(slot: Slot, block: int, kinds: Kinds, area: str | None, within_m: int) -> None:
    """Note that a block looks at an area and a distance around it; a member without one is near nothing known."""
    slot.add(block, [region(area, within_m)] if area else [], kinds)
    if not area:
        slot.adrift[kinds] = slot.adrift.get(kinds, 0) | block
