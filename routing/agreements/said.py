"""What matching rules say of every part at once, as one number: what rules say together is or-ing theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from routing.agreements.compiled_rule import PART_BIT, PARTS
from routing.agreements.decision import HEAD, State
from routing.agreements.masks import bits, remember
from routing.agreements.rulebook import Rulebook

HEAD_BIT: Final = PART_BIT[HEAD]
_WIDTH: Final = len(PARTS)
_ALL: Final = (1 << _WIDTH) - 1
# Where in the number the parts stand that are granted, that may be granted, and so on.
_POSSIBLE, _FORBIDDEN, _WITHHELD, _ASKED, _INVITED = (_WIDTH * place for place in range(1, 6))


class Matched(NamedTuple):
    """Rules that match for somebody, as masks of rules."""

    rules: int
    in_doubt: int
    """Of those, the ones that turned on an unknown."""
    possible: int
    """The share rules that do not match and yet may hold."""


class Verdict(NamedTuple):
    """Who goes before whom, as bits of parts: the first of these that covers a part has it."""

    forbidden: int
    withheld: int
    referred: int
    granted: int


def state_of(found: Verdict, part: int) -> State:
    """The first step that holds, of a part given as a bit."""
    if found.forbidden & part:
        return "forbidden"
    if found.withheld & part:
        return "withheld"
    if found.referred & part:
        return "referred"
    return "granted" if found.granted & part else "withheld"


class Said:
    """What some rules say that match. Compared by identity: where the same is said again, it is the same object."""

    __slots__ = ("_numbers", "matched", "number")

    def __init__(self, matched: Matched, number: int) -> None:
        self.matched = matched
        self.number = number
        """See `verdict`."""
        self._numbers: tuple[int, ...] | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the rules that match, rising."""
        if self._numbers is None:
            self._numbers = tuple(bits(self.matched.rules))
        return self._numbers


def verdict(number: int) -> Verdict:
    """What becomes of each part, by all that was said of it."""
    return Verdict(number >> _FORBIDDEN & _ALL, number >> _WITHHELD & _ALL, _referred(number) & _ALL, number & _ALL)


def flowing(number: int) -> int:
    """The parts that are granted, the head among them; none without the head."""
    own = number & ~(number >> _FORBIDDEN | number >> _WITHHELD | _referred(number)) & _ALL
    return own if own & HEAD_BIT else 0


def _referred(number: int) -> int:
    """Whoever is to be asked is asked about what is grantable, or whatever the rule covers: ``invite: true``."""
    return number >> _INVITED | number >> _ASKED & (number | number >> _POSSIBLE)


def together(said: Iterable[Said]) -> Matched:
    """All the rules that were heard."""
    rules = in_doubt = possible = 0
    for each in said:
        rules |= each.matched.rules
        in_doubt |= each.matched.in_doubt
        possible |= each.matched.possible
    return Matched(rules, in_doubt, possible)


def say(rulebook: Rulebook, matched: Matched, *, in_earnest: bool) -> Said:
    """What rules say that match; ``in_earnest``: the mode is ``actual``."""
    rules, kindred = rulebook.rules, rulebook.kindred
    shares = matched.rules & kindred.shares
    protections = matched.rules ^ shares
    number = 0
    for each in bits(shares):
        number |= rules[each].parts
    if protections:
        refers = protections & (kindred.refers | rulebook.doubtful_forbids & matched.in_doubt)
        for each in bits(protections & ~refers & ~kindred.limits):
            number |= rules[each].parts << _FORBIDDEN
        for each in bits(refers):
            number |= rules[each].parts << (_INVITED if rules[each].invites else _ASKED)
        for each in bits(refers & rulebook.stopped if in_earnest else refers):
            number |= rules[each].parts << _WITHHELD
    for each in bits(matched.possible):
        number |= rules[each].parts << _POSSIBLE
    return Said(matched, number)


class Audience:
    """The rules of an origin that name the same recipients."""

    def __init__(self, rulebook: Rulebook, recipients: int, rules: int) -> None:
        self.recipients = recipients
        self.rules = rules
        self._rulebook = rulebook
        self._first = (rules & -rules).bit_length() - 1
        self._remembered: dict[tuple[int, int, int, bool], Said] = {}

    def said(self, matched: Matched, *, in_earnest: bool) -> Said:
        """What those of them say that match."""
        mine, first = self.rules, self._first
        rules, in_doubt, possible = matched.rules & mine, matched.in_doubt & mine, matched.possible & mine
        key = (rules >> first, in_doubt >> first, possible >> first, in_earnest)
        if (found := self._remembered.get(key)) is not None:
            return found
        said = say(self._rulebook, Matched(rules, in_doubt, possible), in_earnest=in_earnest)
        return remember(self._remembered, key, said)
