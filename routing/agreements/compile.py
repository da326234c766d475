"""A bundle compiled: its rules taken apart, and every member that receives one bit.

What hangs neither on the origin nor on the day. ``rulebook`` numbers the rules of one origin that are in force on one
day, ``evaluate`` finds those that an event matches, and ``fold`` makes decisions of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from routing.agreements.bundle import Bundle
from routing.agreements.chapter import Chapter, add_nearness
from routing.agreements.compiled_rule import Nearness, compile_rule
from routing.agreements.tables import Regions


class Compiled:
    """All rules of a bundle, whoever they are from."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.members = bundle.receivers
        self._member_bit = {name: 1 << number for number, name in enumerate(self.members)}
        self._sets_of_members: dict[tuple[str, ...], int] = {}
        self._near: dict[Nearness, Regions] = {}
        self.chapters: dict[str, list[Chapter]] = {}
        """Of each origin the agreements that it is a party to, sorted by id."""
        for agreement in sorted(bundle.agreements, key=lambda agreement: agreement.id):
            rules = [
                compile_rule(agreement, rule, self._bits_of(rule.recipients), bundle.area_by_member)
                for rule in sorted(agreement.rules, key=lambda rule: rule.id)
            ]
            chapter = Chapter(agreement, rules)
            for origin in agreement.origins:
                self.chapters.setdefault(origin, []).append(chapter)

    def _bits_of(self, members: tuple[str, ...]) -> int:
        if (found := self._sets_of_members.get(members)) is None:
            found = self._sets_of_members[members] = self.named(members)
        return found

    def named(self, members: Iterable[str]) -> int:
        """Members as bits; those that do not receive are passed over."""
        found = 0
        for name in members:
            found |= self._member_bit.get(name, 0)
        return found

    def recipients_near(self, nearness: Nearness) -> Regions:
        """A table of recipients that are near: here a block is a member."""
        if (table := self._near.get(nearness)) is None:
            table = self._near[nearness] = Regions((1 << len(self.members)) - 1)
            for name, bit in self._member_bit.items():
                add_nearness(table.slot(0), bit, nearness, self.bundle.area_by_member.get(name))
        return table
