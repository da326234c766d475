"""For each value of an attribute, which blocks of conditions it satisfies and which it leaves open: as bit masks.

A block (a ``when``, or one block of an ``unless``) is one bit. What an attribute says of all blocks is a `Pair`;
and-ing the pairs of all attributes is evaluating every rule. Each table here is a row of the language's table of
conditions, as ``conditions`` has it a condition at a time; the two are held to each other by tests.

A block may name an attribute twice, and ``{all: [a, b]}`` is ``a`` and ``b``: each such use has a slot of its own, and
the pairs of slots are and-ed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from routing.agreements.conditions import PLACE_KINDS, folded, place_district
from routing.agreements.considered import Place
from routing.agreements.history import stated_code
from schemas.codes import UNKNOWN

Kinds = tuple[str, ...]
"""The kinds of location that a condition names; none means the usual ones."""

REMEMBERED_MOST: Final = 8_192
"""Values of one attribute; then all are forgotten and worked out again."""
_LONGEST: Final = 2_000
"""Characters of a value that is remembered: nobody can fill the memory of others."""


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
        self.regions: dict[Kinds, frozenset[str]] = {}
        """The same values."""
        self.beneath: dict[str, int] = {}
        """The blocks that list a value strictly beneath a code."""
        self.adrift: dict[Kinds, int] = {}
        """The blocks that look at a region that does not exist: whether a place lies in it is never known."""

    def add(self, block: int, values: Sequence[str], kinds: Kinds = ()) -> None:
        """Note that a block (as a mask) lists values, any of which will do."""
        self.all_naming |= block
        self.naming[kinds] = self.naming.get(kinds, 0) | block
        at = self.at.setdefault(kinds, {})
        self.regions[kinds] = self.regions.get(kinds, frozenset()).union(values)
        for value in values:
            at[value] = at.get(value, 0) | block
            for above in _strictly_above(value):
                self.beneath[above] = self.beneath.get(above, 0) | block

    def copy(self) -> Slot:
        """One that can be added to."""
        other = Slot()
        other.all_naming = self.all_naming
        other.naming, other.beneath, other.adrift = dict(self.naming), dict(self.beneath), dict(self.adrift)
        other.regions = dict(self.regions)
        other.at = {kinds: dict(at) for kinds, at in self.at.items()}
        return other


KeyT = TypeVar("KeyT")
FoundT = TypeVar("FoundT")


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
        return remember(self, value, found) if self.weight(value) <= _LONGEST else found

    def hits(self, slot: Slot, value: Any) -> Hits:  # noqa: ANN401
        """What a value says of the blocks that name the attribute in that slot."""
        raise NotImplementedError

    def weight(self, value: Any) -> int:  # noqa: ANN401
        """About how many characters the value has."""
        return len(value or "") if isinstance(value, str | None) else sum(len(code) + 1 for code in value)


class Codes(Table):
    """A set of codes, or None where it is not stated."""

    def hits(self, slot: Slot, value: frozenset[str] | None) -> Hits:
        """True if the set has the value; unknown if it may have."""
        return _code_hits(slot, value)


class Categories(Table):
    """The present category, or None, and every category that counts besides: those ever stated, for a protection."""

    def hits(self, slot: Slot, value: tuple[str | None, frozenset[str]]) -> Hits:
        """Every category ever stated may make it true; only the present one may make it unknown."""
        present, earlier = value
        now = _code_hits(slot, (present,) if present else None)
        return Hits(now.true | _code_hits(slot, earlier).true, now.unknown) if earlier else now

    def weight(self, value: tuple[str | None, frozenset[str]]) -> int:
        """About how many characters the value has."""
        return len(value[0] or "") + super().weight(value[1])


class Words(Table):
    """Grade, status, kind, mode, marking."""

    def hits(self, slot: Slot, value: str | None) -> Hits:
        """True if equal to one of the values; unknown if ``unknown``."""
        if value in ("", UNKNOWN, None):
            return Hits(0, slot.naming.get((), 0))
        return Hits(slot.at.get((), {}).get(value, 0), 0)


class Sections(Table):
    """Which sections are not empty."""

    def hits(self, slot: Slot, value: frozenset[str]) -> Hits:
        """Never unknown."""
        at = slot.at.get((), {})
        true = 0
        for section in value:
            true |= at.get(section, 0)
        return Hits(true, 0)


class Districts(Table):
    """The districts of places."""

    def hits(self, slot: Slot, value: tuple[Place, ...]) -> Hits:
        """True if a place's district is one of the values; else unknown if a place states none, or there is none."""
        true = unknown = 0
        for kinds, naming in slot.naming.items():
            found = [place_district(place) for place in _of_kinds(value, kinds)]
            if not found or None in found:
                unknown |= naming
            at = slot.at[kinds]
            for district in found:
                true |= at.get(district or "", 0)
        return Hits(true, unknown)

    def weight(self, value: tuple[Place, ...]) -> int:
        """About how many characters the value has."""
        return _weight_of_places(value)


class Regions(Table):
    """The regions in which places lie: areas, and areas with a distance around them."""

    def hits(self, slot: Slot, value: tuple[tuple[Place, ...], frozenset[str]]) -> Hits:
        """True if a place lies wholly in one; else unknown if one is partly in, has no coordinates, or there is none.

        Args:
            slot: of this table.
            value: the places, and the regions that they were measured against.
        """
        places, measured = value
        true = unknown = 0
        for kinds, naming in slot.naming.items():
            found = _of_kinds(places, kinds)
            placed = [place for place in found if place.has_coordinates and not _of_unknown_kind(place)]
            if not found or len(placed) < len(found):
                unknown |= naming
            unknown |= slot.adrift.get(kinds, 0)
            at = slot.at[kinds]
            if placed and (unmeasured := slot.regions[kinds] - measured):
                unknown |= _united(at, unmeasured)
            for place in placed:
                true |= _united(at, place.inside & measured)
                unknown |= _united(at, place.partly & measured)
        return Hits(true, unknown)

    def weight(self, value: tuple[tuple[Place, ...], frozenset[str]]) -> int:
        """About how many characters the value has."""
        return _weight_of_places(value[0])


def _code_hits(slot: Slot, codes: Iterable[str] | None) -> Hits:
    """A value also matches codes beneath it; null, ``unknown`` and codes strictly above it leave it unknown."""
    naming = slot.naming.get((), 0)
    if codes is None:
        return Hits(0, naming)
    at = slot.at.get((), {})
    true = unknown = 0
    for code in codes:
        stated = stated_code(code)
        if stated is None:
            unknown = naming
            continue
        true |= at.get(stated, 0)
        for above in _strictly_above(stated):
            true |= at.get(above, 0)
        unknown |= slot.beneath.get(stated, 0)
    return Hits(true, unknown)


def _strictly_above(code: str) -> Iterator[str]:
    """The codes above one: ``transport/rtc/injury`` has two."""
    end = code.find("/")
    while end >= 0:
        yield code[:end]
        end = code.find("/", end + 1)


def is_light(places: tuple[Place, ...]) -> bool:
    """Whether places are few and short enough to be remembered by."""
    return _weight_of_places(places) <= _LONGEST


def _weight_of_places(places: tuple[Place, ...]) -> int:
    return sum(len(place.kind or "") + len(place.district or "") + 16 for place in places)


def _united(masks: dict[str, int], names: Iterable[str]) -> int:
    found = 0
    for name in names:
        found |= masks.get(name, 0)
    return found


def _of_kinds(places: tuple[Place, ...], kinds: Kinds) -> list[Place]:
    """The locations that count as places: those of the kinds named, or the usual ones; and those of unknown kind."""
    return [place for place in places if _of_unknown_kind(place) or place.kind in (kinds or PLACE_KINDS)]


def _of_unknown_kind(place: Place) -> bool:
    return place.kind in (None, "", UNKNOWN)


def folded_values(values: Iterable[str]) -> list[str]:
    """Districts as they are compared."""
    return [folded(value) for value in values]
