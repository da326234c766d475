"""For each value of an attribute, which blocks of conditions it satisfies and which it leaves open: as bit masks.

A block (a ``when``, or one block of an ``unless``) is one bit. What an attribute says of all blocks is a `Pair`;
and-ing the pairs of all attributes is evaluating every rule. Each table is a row of the language's table of
conditions, as ``conditions`` has it a condition at a time; the two are held to each other by tests (``tables``).

A block may name an attribute twice, and ``{all: [a, b]}`` is ``a`` and ``b``: each such use has a slot of its own, and
the pairs of slots are and-ed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar

Kinds = tuple[str, ...]
"""The kinds of location that a condition names; none means the usual ones."""

REMEMBERED_MOST: Final = 8_192
"""Values of one attribute; then all are forgotten and worked out again."""
LONGEST: Final = 2_000
"""Characters of a value that is remembered: nobody can fill the memory of others."""


KeyT = TypeVar("KeyT")
FoundT = TypeVar("FoundT")


class Pair(NamedTuple):
    """What one attribute says of every block."""

    true: int
    """The blocks that it does not keep from being true."""
    open: int
    """The blocks that it does not make false: those, and the ones it leaves unknown."""


class Hits(NamedTuple):
    """What one attribute says of the blocks that name it."""

    true: int
    unknown: int
    """May overlap with ``true``, which goes before."""


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits that are set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


class Slot:
    """One use of an attribute by each block that names it."""

    def __init__(self) -> None:
        self.all_naming = 0
        """The blocks that name it."""
        self.naming: dict[Kinds, int] = {}
        """The blocks that name it; of attributes of places, by the kinds that they look at."""
        self.at: dict[Kinds, dict[str, int]] = {}
        """The blocks that list a value."""
        self.beneath: dict[str, int] = {}
        """The blocks that list a value strictly beneath a code."""
        self.adrift: dict[Kinds, int] = {}
        """The blocks that look at a region that does not exist: whether a place lies in it is never known."""
        self._unmeasured: dict[tuple[Kinds, frozenset[str]], int] = {}

    def add(self, block: int, values: Sequence[str], above: Sequence[str] = (), kinds: Kinds = ()) -> None:
        """Note that a block (as a mask) lists values, any of which will do, and which codes lie strictly above them."""
        self.all_naming |= block
        self.naming[kinds] = self.naming.get(kinds, 0) | block
        at = self.at.setdefault(kinds, {})
        for value in values:
            at[value] = at.get(value, 0) | block
        for code in above:
            self.beneath[code] = self.beneath.get(code, 0) | block

    def set_adrift(self, block: int, kinds: Kinds) -> None:
        """Note that a block looks at a region that does not exist."""
        self.adrift[kinds] = self.adrift.get(kinds, 0) | block

    def take(self, other: Slot, first: int) -> None:
        """Add the blocks of another, numbered from ``first``."""
        self.all_naming |= other.all_naming << first
        _shift_into(self.naming, other.naming, first)
        _shift_into(self.beneath, other.beneath, first)
        _shift_into(self.adrift, other.adrift, first)
        for kinds, at in other.at.items():
            _shift_into(self.at.setdefault(kinds, {}), at, first)

    def unmeasured(self, kinds: Kinds, measured: frozenset[str]) -> int:
        """Of regions: the blocks that list one that places were not measured against."""
        key = (kinds, measured)
        if (found := self._unmeasured.get(key)) is None:
            found = 0
            for region, blocks in self.at[kinds].items():
                found |= 0 if region in measured else blocks
            remember(self._unmeasured, key, found)
        return found


def _shift_into(mine: dict[KeyT, int], theirs: dict[KeyT, int], first: int) -> None:
    for key, mask in theirs.items():
        mine[key] = mine.get(key, 0) | mask << first


def strictly_above(code: str) -> Iterator[str]:
    """The codes above one: ``transport/rtc/injury`` has two."""
    end = code.find("/")
    while end >= 0:
        yield code[:end]
        end = code.find("/", end + 1)


def remember(memory: dict[KeyT, FoundT], key: KeyT, found: FoundT) -> FoundT:
    """Keep what was found; when there is too much, forget all and begin again."""
    if len(memory) >= REMEMBERED_MOST:
        memory.clear()
    memory[key] = found
    return found


class Table(dict[Any, Pair]):
    """What each value of one attribute says of every block, worked out when the value is first looked up."""

    def __init__(self, full: int) -> None:
        super().__init__()
        self.full = full
        """All blocks."""
        self.slots: list[Slot] = []

    def slot(self, number: int) -> Slot:
        """A slot, made if need be."""
        while len(self.slots) <= number:
            self.slots.append(Slot())
        return self.slots[number]

    def __missing__(self, value: Any) -> Pair:  # noqa: ANN401  each attribute has values of its own
        true = open_ = self.full
        for slot in self.slots:
            hits = self.hits(slot, value)
            free = self.full & ~slot.all_naming
            true &= free | hits.true
            open_ &= free | hits.true | hits.unknown
        found = Pair(true, open_)
        return remember(self, value, found) if self.weight(value) <= LONGEST else found

    def hits(self, slot: Slot, value: Any) -> Hits:  # noqa: ANN401
        """What a value says of the blocks that name the attribute in that slot."""
        raise NotImplementedError

    def weight(self, value: Any) -> int:  # noqa: ANN401
        """About how many characters the value has."""
        return len(value or "") if isinstance(value, str | None) else sum(len(code) + 1 for code in value)
