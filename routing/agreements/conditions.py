"""When a condition is true, false or unknown: the table of the language, one function a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final

from routing.agreements.considered import Considered, Place
from routing.agreements.model import Block, Condition
from schemas.codes import UNKNOWN, is_at_or_beneath, is_strictly_above, stated_part

PLACE_KINDS: Final = ("incident", "current-position", "last-seen", "release-address")
"""The kinds of location that are places unless a condition names others."""


class Truth(IntEnum):
    """The three values, in an order that makes *and* the least and *or* the greatest."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2


def all_of(truths: Iterable[Truth]) -> Truth:
    """False if any is false; else unknown if any is; else true."""
    return min(truths, default=Truth.TRUE)


def any_of(truths: Iterable[Truth]) -> Truth:
    """True if any is true; else unknown if any is; else false."""
    return max(truths, default=Truth.FALSE)


def block_truth(block: Block, event: Considered, recipient: str) -> Truth:
    """A block with a false condition is false; else with an unknown one, unknown; else true."""
    return all_of(condition_truth(condition, event, recipient) for condition in block)


def unless_truth(blocks: tuple[Block, ...], event: Considered, recipient: str) -> Truth:
    """``unless`` is true if any block is true; else unknown if any is; else false."""
    return any_of(block_truth(block, event, recipient) for block in blocks)


def condition_truth(condition: Condition, event: Considered, recipient: str) -> Truth:
    """One condition; null sets that the origin never states must have been made empty before."""
    return _ROWS[condition.attribute](condition, event, recipient)


def _category(condition: Condition, event: Considered, _recipient: str) -> Truth:
    """True if the category is a value or beneath it; unknown if not stated, or strictly above a value."""
    return any_of(_code_against(event.category, value) for value in condition.values)


def _code_against(code: str | None, value: str) -> Truth:
    stated = stated_code(code)
    if stated is None or is_strictly_above(stated, value):
        return Truth.UNKNOWN
    return Truth.TRUE if is_at_or_beneath(stated, value) else Truth.FALSE


def stated_code(code: str | None) -> str | None:
    """A last level ``unknown`` is dropped before comparing; ``unknown`` alone, or nothing, is not stated."""
    while code != (code := stated_part(code or None)):
        pass
    return code


def _set(condition: Condition, event: Considered, _recipient: str) -> Truth:
    """True if the set has any (all) of the values; unknown if it may have and the rest does not decide."""
    codes: frozenset[str] | None = getattr(event, condition.attribute)
    combine = all_of if condition.needs_all else any_of
    return combine(_set_has(codes, value) for value in condition.values)


def _set_has(codes: frozenset[str] | None, value: str) -> Truth:
    """A value also matches codes beneath it; null, ``unknown`` and codes strictly above it leave it unknown."""
    if codes is None:
        return Truth.UNKNOWN
    return any_of(_code_against(code, value) for code in codes)


def _word(condition: Condition, event: Considered, _recipient: str) -> Truth:
    """True if equal to one of the values; unknown if ``unknown``."""
    word: str = getattr(event, condition.attribute)
    if word in ("", UNKNOWN, None):
        return Truth.UNKNOWN
    return Truth.TRUE if word in condition.values else Truth.FALSE


def _district(condition: Condition, event: Considered, _recipient: str) -> Truth:
    """True if a place's district is one of the values; else unknown if a place states none, or there is none."""
    wanted = {folded(value) for value in condition.values}
    districts = [place_district(place) for place in places(event, condition.place)]
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
    return place.kind in (None, UNKNOWN)


def folded(name: str) -> str:
    """A district's name without regard to case and spacing: control rooms differ in both, and a forbid must hold."""
    return " ".join(name.casefold().split())


def _has(condition: Condition, event: Considered, _recipient: str) -> Truth:
    """True if a listed section (all of them) is not empty; never unknown."""
    needed = all if condition.needs_all else any
    return Truth.TRUE if needed(section in event.sections for section in condition.values) else Truth.FALSE


def _addressed(_condition: Condition, event: Considered, recipient: str) -> Truth:
    """True if the event is addressed to the recipient; never unknown."""
    return Truth.TRUE if recipient in event.addressees else Truth.FALSE


_ROWS: Final[dict[str, Callable[[Condition, Considered, str], Truth]]] = {
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
    "district": _district,
    "has": _has,
    "addressed": _addressed,
}
