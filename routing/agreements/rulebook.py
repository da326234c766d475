"""The rules of one origin that are in force on one day, numbered: every rule one bit, and every block of conditions.

The bit of a rule is that of its ``when``; those of the blocks of all ``unless`` follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from typing import Final, get_args

from routing.agreements.compile import Compiled, add_nearness
from routing.agreements.compiled_rule import CompiledRule, Nearness, Use
from routing.agreements.force import ended, out_of_force, past_review, suspended
from routing.agreements.masks import Table, bits
from routing.agreements.model import Agreement, Forbid, Limit, Refer, SetAttribute, Share, WordAttribute
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
        for agreement, rules in compiled.agreements.get(origin, ()):
            self._take(agreement, rules, today)
        self.all_rules = (1 << len(self.rules)) - 1
        self.rule_of_block = [number for number, each in enumerate(self.rules) for _ in each.unless]
        """The number of the rule of each block of an ``unless``."""
        self.all_blocks = (1 << len(self.rules) + len(self.rule_of_block)) - 1
        self.tables: dict[str, Table] = {}
        self._fill_tables()

    def _take(self, agreement: Agreement, rules: list[CompiledRule], today: date) -> None:
        """Those in force: the same for all share rules of an agreement, and for all its others."""
        bundle, first = self.compiled.bundle, len(self.rules)
        shares = next((each.rule for each in rules if isinstance(each.rule, Share)), None)
        sharing = shares is not None and out_of_force(bundle, agreement, shares, self.origin, today) is None
        if out_of_force(bundle, agreement, _ANY_PROTECTION, self.origin, today) is None:
            self.rules += rules if sharing else [each for each in rules if not isinstance(each.rule, Share)]
        taken = (1 << len(self.rules)) - (1 << first)
        self.stopped |= taken if ended(agreement, today) or suspended(bundle, agreement) else 0
        self.past_review |= taken if past_review(agreement, today) else 0

    # -- tables

    def _fill_tables(self) -> None:
        block = 1
        for each in self.rules:
            for use in each.when.uses:
                self._note(block, use)
            block <<= 1
        for each in self.rules:
            for unless in each.unless:
                for use in unless.uses:
                    self._note(block, use)
                block <<= 1
        for name, table in self.tables.items():
            _meet_codes(name, table)

    def _note(self, block: int, use: Use) -> None:
        table = self.tables.get(use.attribute)
        if table is None:
            table = self.tables[use.attribute] = _TABLES[use.attribute](self.all_blocks)
        slot = table.slot(use.slot)
        if use.attribute != "near" or (use.values and use.within_m is None):
            slot.add(block, use.values, use.above, use.kinds)
        else:
            area = self.compiled.bundle.area_by_member.get(self.origin) if use.within_m is not None else None
            add_nearness(slot, block, Nearness(use.kinds, use.within_m or 0), area)

    # -- masks of rules

    @cached_property
    def shares(self) -> int:
        """The share rules."""
        return _those(isinstance(each.rule, Share) for each in self.rules)

    @cached_property
    def certain_shares(self) -> int:
        """The share rules that do not match in doubt."""
        return _those(isinstance(each.rule, Share) and not each.rule.on_doubt_share for each in self.rules)

    @cached_property
    def actual_shares(self) -> int:
        """The share rules that do not name ``mode``: they match only when it is ``actual``."""
        return _those(isinstance(each.rule, Share) and not each.names_mode for each in self.rules)

    @cached_property
    def refers(self) -> int:
        """The refer rules."""
        return _those(isinstance(each.rule, Refer) for each in self.rules)

    @cached_property
    def doubtful_forbids(self) -> int:
        """The forbids that refer when they turn on an unknown: their file has ``doubt`` and is in force."""
        doubtful = _those(isinstance(each.rule, Forbid) and bool(each.agreement.doubt) for each in self.rules)
        return doubtful & ~self.stopped

    @cached_property
    def limits(self) -> int:
        """The limits."""
        return _those(isinstance(each.rule, Limit) for each in self.rules)

    @cached_property
    def personal(self) -> int:
        """The rules that hang on the recipient."""
        return _those(each.is_personal for each in self.rules)

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


_ANY_PROTECTION: Final = Forbid(id="", recipients=(), sections=())


def _those(wanted: Iterable[bool]) -> int:
    return int("".join(["1" if each else "0" for each in wanted])[::-1] or "0", 2)


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
