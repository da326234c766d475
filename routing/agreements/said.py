"""What matching rules say of every part at once, as one number: what rules say together is or-ing theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from routing.agreements.compile import Compiled
from routing.agreements.compiled_rule import PART_BIT, PARTS
from routing.agreements.decision import HEAD, State
from routing.agreements.masks import bits, remember
from routing.agreements.model import Limit, Refer, Share

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


class Day(NamedTuple):
    """What the day does to rules, as masks of rules."""

    live: int
    """They apply."""
    stopped: int
    """Their agreement has ended or is suspended."""
    past_review: int


class Verdict(NamedTuple):
    """Who goes before whom, as bits of parts: the first of these that covers a part has it."""

    forbidden: int
    withheld: int
    referred: int
    granted: int

    @property
    def flowing(self) -> int:
        """The parts that are granted, the head among them; none without the head."""
        own = self.granted & ~(self.forbidden | self.withheld | self.referred)
        return own if own & HEAD_BIT else 0


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

    __slots__ = ("matched", "number")

    def __init__(self, matched: Matched, number: int) -> None:
        self.matched = matched
        self.number = number
        """See `verdict`."""


def verdict(number: int) -> Verdict:
    """What becomes of each part, by all that was said of it.

    Whoever is to be asked is asked about what is grantable, or whatever the rule covers if it says ``invite: true``.
    """
    granted, grantable = number & _ALL, (number | number >> _POSSIBLE) & _ALL
    referred = number >> _INVITED & _ALL | number >> _ASKED & grantable
    return Verdict(number >> _FORBIDDEN & _ALL, number >> _WITHHELD & _ALL, referred, granted)


def together(said: Iterable[Said]) -> Matched:
    """All the rules that were heard."""
    rules = in_doubt = possible = 0
    for each in said:
        rules |= each.matched.rules
        in_doubt |= each.matched.in_doubt
        possible |= each.matched.possible
    return Matched(rules, in_doubt, possible)


class Saying:
    """Says it for rules of one origin on one day."""

    def __init__(self, compiled: Compiled, day: Day) -> None:
        self._compiled = compiled
        self._day = day
        self.referring_in_doubt = compiled.doubtful_forbids & ~day.stopped
        """Forbids that refer if they turn on an unknown."""

    def say(self, matched: Matched, *, in_earnest: bool) -> Said:
        """What rules say that match; ``in_earnest``: the mode is ``actual``."""
        number = 0
        for each in bits(matched.rules):
            in_doubt = bool(matched.in_doubt >> each & 1)
            number |= self._by(each, in_doubt=in_doubt, in_earnest=in_earnest)
        for each in bits(matched.possible):
            number |= self._compiled.rules[each].parts << _POSSIBLE
        return Said(matched, number)

    def _by(self, number: int, *, in_doubt: bool, in_earnest: bool) -> int:
        each = self._compiled.rules[number]
        if isinstance(each.rule, Share):
            return each.parts
        if isinstance(each.rule, Limit):
            return 0
        if not (isinstance(each.rule, Refer) or (in_doubt and self.referring_in_doubt >> number & 1)):
            return each.parts << _FORBIDDEN
        invites = isinstance(each.rule, Refer) and each.rule.invite
        asks = each.parts << (_INVITED if invites else _ASKED)
        withholds = not in_earnest or self._day.stopped >> number & 1
        return asks | each.parts << _WITHHELD if withholds else asks


class Audience:
    """The rules of an origin that name the same recipients."""

    def __init__(self, recipients: int, rules: int) -> None:
        self.recipients = recipients
        self.rules = rules
        self._first = (rules & -rules).bit_length() - 1
        self._remembered: dict[tuple[int, int, int, bool], Said] = {}

    def said(self, matched: Matched, saying: Saying, *, in_earnest: bool) -> Said:
        """What those of them say that match."""
        mine, first = self.rules, self._first
        rules, in_doubt, possible = matched.rules & mine, matched.in_doubt & mine, matched.possible & mine
        key = (rules >> first, in_doubt >> first, possible >> first, in_earnest)
        if (found := self._remembered.get(key)) is not None:
            return found
        said = saying.say(Matched(rules, in_doubt, possible), in_earnest=in_earnest)
        return remember(self._remembered, key, said)
