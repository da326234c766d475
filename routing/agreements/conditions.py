"""When a condition is true, false or unknown: the table of the language, one function a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from routing.agreements.considered import Considered, Place
from routing.agreements.history import stated_code
from routing.agreements.model import Block, Condition
from routing.agreements.regions import region_near
from schemas.codes import UNKNOWN, is_at_or_beneath, is_strictly_above

PLACE_KINDS: Final = ("incident", "current-position", "last-seen", "release-address")
"""The kinds of location that are places unless a condition names others."""


class Truth(IntEnum):
    """The three values, in an order that makes *and* the least and *or* the greatest."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2


@dataclass(frozen=True, slots=True)
class View:
    """An event as one rule's ``when`` or ``unless`` reads it, for one recipient."""

    event: Considered
    """Null sets that the origin never states are empty; for the ``when`` of a protection sets hold their history."""
    recipient: str
    holds: bool = False
    """The recipient already holds the incident."""
    earlier_categories: frozenset[str] = frozenset()
    """For the ``when`` of a protection: every category ever stated."""
    areas: Mapping[str, str] = field(default_factory=dict)
    """The name of each member's area."""


def all_of(truths: Iterable[Truth]) -> Truth:
    """False if any is false; else unknown if any is; else true."""
    return min(truths, default=Truth.TRUE)


def any_of(truths: Iterable[Truth]) -> Truth:
    """True if any is true; else unknown if any is; else false."""
    return max(truths, default=Truth.FALSE)


def block_truth(block: Block, view: View) -> Truth:
    """A block with a false condition is false; else with an unknown one, unknown; else true."""
    return all_of(condition_truth(condition, view) for condition in block)


def unless_truth(blocks: tuple[Block, ...], view: View) -> Truth:
    """``unless`` is true if any block is true; else unknown if any is; else false."""
    return any_of(block_truth(block, view) for block in blocks)


def condition_truth(condition: Condition, view: View) -> Truth:
    """One condition."""
    return _ROWS[condition.attribute](condition, view)


def _category(condition: Condition, view: View) -> Truth:
    """True if the category is a value or beneath it; unknown if not stated, or strictly above a value.

    Every category ever stated may make it true; only the present one may make it unknown.
    """
    if any(is_at_or_beneath(code, value) for code in view.earlier_categories for value in condition.values):
        return Truth.TRUE
    return any_of(_code_against(view.event.category, value) for value in condition.values)


def _code_against(code: str | None, value: str) -> Truth:
    stated = stated_code(code)
    if stated is None or is_strictly_above(stated, value):
        return Truth.UNKNOWN
    return Truth.TRUE if is_at_or_beneath(stated, value) else Truth.FALSE


def _set(condition: Condition, view: View) -> Truth:
    """True if the set has any (all) of the values; unknown if it may have and the rest does not decide."""
    codes: frozenset[str] | None = getattr(view.event, condition.attribute)
    combine = all_of if condition.needs_all else any_of
    return combine(_set_has(codes, value) for value in condition.values)


def _set_has(codes: frozenset[str] | None, value: str) -> Truth:
    """A value also matches codes beneath it; null, ``unknown`` and codes strictly above it leave it unknown."""
    if codes is None:
        return Truth.UNKNOWN
    return any_of(_code_against(code, value) for code in codes)


def _word(condition: Condition, view: View) -> Truth:
    """True if equal to one of the values; unknown if ``unknown``."""
    word: str = getattr(view.event, condition.attribute)
    if word in ("", UNKNOWN, None):
        return Truth.UNKNOWN
    return Truth.TRUE if word in condition.values else Truth.FALSE


def _area(condition: Condition, view: View) -> Truth:
    """True if a place lies wholly in one of the areas."""
    return any_of(_lies_in(region, condition, view.event) for region in condition.values)


def _near(condition: Condition, view: View) -> Truth:
    """True if a place lies wholly within that distance of the member's area; unknown as for ``area``.

    A member that has no area is near to nothing that is known.
    """
    region = region_near(condition, view.areas, view.event.origin, view.recipient)
    return Truth.UNKNOWN if region is None else _lies_in(region, condition, view.event)


def _lies_in(region: str, condition: Condition, event: Considered) -> Truth:
    """Unknown if no place is known to lie in it, and one is partly in, or has no coordinates, or there is none."""
    found = places(event, condition.place)
    return any_of(_place_in(place, region, event) for place in found) if found else Truth.UNKNOWN


def _place_in(place: Place, region: str, event: Considered) -> Truth:
    if not place.has_coordinates or _of_unknown_kind(place) or region not in event.regions:
        return Truth.UNKNOWN
    if region in place.inside:
        return Truth.TRUE
    return Truth.UNKNOWN if region in place.partly else Truth.FALSE


def _district(condition: Condition, view: View) -> Truth:
    """True if a place's district is one of the values; else unknown if a place states none, or there is none."""
    wanted = {folded(value) for value in condition.values}
    districts = [place_district(place) for place in places(view.event, condition.place)]
    if any(district in wanted for district in districts):
        return Truth.TRUE
    return Truth.UNKNOWN if not districts or None in districts else Truth.FALSE


def places(event: Considered, kinds: tuple[str, ...]) -> list[Place]:
    """The locations that count as places: those of the kinds named, or the usual ones; and those of unknown kind."""
    return [place for place in event.places if _of_unknown_kind(place) or place.kind in (kinds or PLACE_KINDS)]


def place_district(place: Place) -> str | None:
    """A location of unknown kind is a place that has no district; ``unknown`` is not one either."""
    district = folded(place.district or "")
    return None if _of_unknown_kind(place) or district in ("", UNKNOWN) else district


def _of_unknown_kind(place: Place) -> bool:
    return place.kind in (None, "", UNKNOWN)


def folded(name: str) -> str:
    """A district's name without regard to case and spacing: control rooms differ in both, and a forbid must hold."""
    return " ".join(name.casefold().split())


def _has(condition: Condition, view: View) -> Truth:
    """True if a listed section (all of them) is not empty; never unknown."""
    needed = all if condition.needs_all else any
    return Truth.TRUE if needed(section in view.event.sections for section in condition.values) else Truth.FALSE


def _holder(_condition: Condition, view: View) -> Truth:
    """True if the recipient already holds the incident; never unknown."""
    return Truth.TRUE if view.holds else Truth.FALSE


def _addressed(_condition: Condition, view: View) -> Truth:
    """True if the event is addressed to the recipient; never unknown."""
    return Truth.TRUE if view.recipient in view.event.addressees else Truth.FALSE


_ROWS: Final[dict[str, Callable[[Condition, View], Truth]]] = {
    "category": _category,
    "qualifiers": _set,
    "flags": _set,
    "caveats": _set,
    "handling": _set,
    "grade": _word,
    "status": _word,
    "kind": _word,
    "mode": _word,
    "marking": _word,
    "area": _area,
    "near": _near,
    "district": _district,
    "has": _has,
    "holder": _holder,
    "addressed": _addressed,
}
