"""What an attribute of an event says of blocks of conditions: a class for each row of the language's table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from routing.agreements.conditions import PLACE_KINDS, place_district
from routing.agreements.considered import Place
from routing.agreements.history import stated_code
from routing.agreements.masks import LONGEST, REMEMBERED_MOST, Hits, Kinds, Slot, Table, strictly_above
from schemas.codes import UNKNOWN


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
            if placed:
                unknown |= slot.unmeasured(kinds, measured)
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
        stated, above = _stated(code)
        if stated is None:
            unknown = naming
            continue
        true |= at.get(stated, 0)
        for up in above:
            true |= at.get(up, 0)
        unknown |= slot.beneath.get(stated, 0)
    return Hits(true, unknown)


@lru_cache(maxsize=REMEMBERED_MOST)
def _stated(code: str) -> tuple[str | None, tuple[str, ...]]:
    """What a code states, and the codes strictly above that."""
    stated = stated_code(code)
    return stated, tuple(strictly_above(stated)) if stated else ()


def is_light(places: tuple[Place, ...]) -> bool:
    """Whether places are few and short enough to be remembered by."""
    return _weight_of_places(places) <= LONGEST


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
