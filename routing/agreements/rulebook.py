"""The rules of one origin that are in force on one day, numbered: every rule one bit, and every block of conditions.

The bit of a rule is that of its ``when``; those of the blocks of all ``unless`` follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Final, get_args

from routing.agreements.chapter import Blocks, Chapter, Kindred, add_nearness
from routing.agreements.compile import Compiled
from routing.agreements.compiled_rule import CompiledRule
from routing.agreements.force import ended, past_review, suspended
from routing.agreements.masks import Slot, Table, bits
from routing.agreements.model import SetAttribute, WordAttribute
from routing.agreements.tables import Categories, Codes, Districts, Regions, Sections, Words
from schemas.codes import codes

SETS: Final[tuple[str, ...]] = get_args(SetAttribute)
WORDS: Final[tuple[str, ...]] = get_args(WordAttribute)
_NOTHING: Final[frozenset[str]] = frozenset()
_TABLES: Final[dict[str, type[Table]]] = {
    "category": Categories,
    **dict.fromkeys(SETS, Codes),
    **dict.fromkeys(WORDS, Words),
    "has": Sections,
    "district": Districts,
    "area": Regions,
    "near": Regions,
}


class Rulebook:
    """Rules by number, what each attribute says of their blocks, and which of them do what."""

    def __init__(self, compiled: Compiled, origin: str, today: date) -> None:
        self.compiled = compiled
        self.origin = origin
        self.recipients = ((1 << len(compiled.members)) - 1) & ~compiled.named((origin,))
        """Whom events of this origin are decided for, as bits of members."""
        self.rules: list[CompiledRule] = []
        """Sorted by agreement, then rule."""
        self.stopped = self.past_review = 0
        """Those whose agreement has ended or is suspended; those whose agreement is past its review."""
        self.rule_of_block: list[int] = []
        """The number of the rule of each block of an ``unless``."""
        self.kindred = Kindred()
        chapters = [taken for each in compiled.chapters.get(origin, ()) if (taken := self._in_force(each, today))]
        places = [self._take(each, today) for each in chapters]
        self.all_rules = (1 << len(self.rules)) - 1
        self.all_blocks = (1 << len(self.rules) + len(self.rule_of_block)) - 1
        self.tables: dict[str, Table] = {}
        for chapter, (rule, block) in zip(chapters, places, strict=True):
            self._take_blocks(chapter.whens, rule)
            self._take_blocks(chapter.unlesses, len(self.rules) + block)
        for name, table in self.tables.items():
            _meet_codes(name, table)

    def _in_force(self, chapter: Chapter, today: date) -> Chapter | None:
        """As ``force.out_of_force`` has it: the same for all share rules of an agreement, and for all its others."""
        agreement = chapter.agreement
        if today < agreement.starts:
            return None
        signed_on = chapter.signed_on.get(self.origin)
        stopped = ended(agreement, today) or suspended(self.compiled.bundle, agreement)
        return chapter if signed_on and signed_on <= today and not stopped else chapter.of_protections

    def _take(self, chapter: Chapter, today: date) -> tuple[int, int]:
        """Its rules after those taken before; where its first rule and its first block of an ``unless`` stand."""
        agreement, rule, block = chapter.agreement, len(self.rules), len(self.rule_of_block)
        self.rules += chapter.rules
        self.rule_of_block += [rule + number for number in chapter.rule_of_block]
        self.kindred = self.kindred.joined(chapter.kindred, rule)
        taken = (1 << len(self.rules)) - (1 << rule)
        self.stopped |= taken if ended(agreement, today) or suspended(self.compiled.bundle, agreement) else 0
        self.past_review |= taken if past_review(agreement, today) else 0
        return rule, block

    def _take_blocks(self, blocks: Blocks, first: int) -> None:
        for (attribute, number), slot in blocks.slots.items():
            self._slot(attribute, number).take(slot, first)
        for number, block, nearness in blocks.near_origin:
            area = self.compiled.bundle.area_by_member.get(self.origin)
            add_nearness(self._slot("near", number), block << first, nearness, area)

    def _slot(self, attribute: str, number: int) -> Slot:
        table = self.tables.get(attribute)
        if table is None:
            table = self.tables[attribute] = _TABLES[attribute](self.all_blocks)
        return table.slot(number)

    @cached_property
    def doubtful_forbids(self) -> int:
        """The forbids that refer when they turn on an unknown: their file has ``doubt`` and is in force."""
        return self.kindred.doubtful_forbids & ~self.stopped

    @cached_property
    def by_recipients(self) -> dict[int, int]:
        """The rules that name the same recipients, by these."""
        together: dict[int, int] = {}
        for number, each in enumerate(self.rules):
            named = each.recipients & self.recipients
            together[named] = together.get(named, 0) | 1 << number
        return together

    def rules_to(self, member: int) -> int:
        """The rules that name the member of a number."""
        return self._rules_to[member]

    @cached_property
    def _rules_to(self) -> list[int]:
        found = [0] * len(self.compiled.members)
        for recipients, rules in self.by_recipients.items():
            for member in bits(recipients):
                found[member] |= rules
        return found

    def numbered(self, rules: int) -> Iterator[tuple[int, CompiledRule]]:
        """The rules of a mask, each with its number."""
        return ((number, self.rules[number]) for number in bits(rules))


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
