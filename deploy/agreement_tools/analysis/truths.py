"""When a condition is true, and when unknown, of the events of a space: the table of the language as formulas."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import z3

from deploy.agreement_tools.analysis.space import Formula, Outlines, PlaceSlot, Space
from routing.agreements.conditions import PLACE_KINDS, folded
from routing.agreements.model import Block, Condition
from schemas.codes import UNKNOWN, is_at_or_beneath, is_strictly_above

FALSE: Final = z3.BoolVal(val=False)
TRUE: Final = z3.BoolVal(val=True)


@dataclass(frozen=True)
class Truths:
    """Two formulas that never hold together; false is neither."""

    true: Formula
    unknown: Formula

    @property
    def false(self) -> Formula:
        """Neither true nor unknown."""
        return z3.And(z3.Not(self.true), z3.Not(self.unknown))

    @property
    def possible(self) -> Formula:
        """True or unknown."""
        return z3.Or(self.true, self.unknown)


PlaceTruth = Callable[[PlaceSlot], Truths]
"""What a condition says of one place."""


def all_of(truths: Iterable[Truths]) -> Truths:
    """False if any is false; else unknown if any is; else true."""
    found = list(truths)
    true = z3.And([each.true for each in found])
    return Truths(true, z3.And(z3.Not(true), *(each.possible for each in found)))


def any_of(truths: Iterable[Truths]) -> Truths:
    """True if any is true; else unknown if any is; else false."""
    found = list(truths)
    true = z3.Or([each.true for each in found])
    return Truths(true, z3.And(z3.Not(true), z3.Or([each.unknown for each in found])))


class Reader:
    """Reads conditions as one bundle does: its never-states, its members' areas, with or without history."""

    def __init__(self, space: Space, never: Collection[str], outlines: Outlines, *, remembers: bool) -> None:
        """``remembers``: for the ``when`` of a protection."""
        self._space = space
        self._never = never
        self._outlines = outlines
        self.remembers = remembers

    def block(self, block: Block) -> Truths:
        """All its conditions."""
        return all_of(map(self.condition, block))

    def blocks(self, blocks: Sequence[Block]) -> Truths:
        """Any of the blocks of an ``unless``."""
        return any_of(map(self.block, blocks))

    def condition(self, condition: Condition) -> Truths:  # noqa: PLR0911  one return for each row of the table
        """One line of a block."""
        match condition.attribute:
            case "category":
                return self._category(condition)
            case "qualifiers" | "flags" | "caveats" | "handling":
                combine = all_of if condition.needs_all else any_of
                return combine(self._set_has(condition.attribute, value) for value in condition.values)
            case "area":
                return any_of(self._lies_in(region, condition) for region in self._regions(condition))
            case "near":
                near = [self._lies_in(region, condition) for region in self._regions(condition)]
                return any_of(near) if near else Truths(FALSE, TRUE)
            case "district":
                return self._district(condition)
            case "has":
                needed = z3.And if condition.needs_all else z3.Or
                return Truths(needed([self._space.filled[section] for section in condition.values]), FALSE)
            case "holder":
                return Truths(self._space.holds, FALSE)
            case "addressed":
                return Truths(self._space.addressed, FALSE)
            case _:
                word = self._space.words[condition.attribute]
                return Truths(word.is_one_of(condition.values), word.options[UNKNOWN])

    def _category(self, condition: Condition) -> Truths:
        space = self._space
        true = z3.Or([space.category.is_one_of(space.category_at(value, "T")) for value in condition.values])
        if self.remembers:
            true = z3.Or(true, *(space.ever[value] for value in condition.values))
        unknown = z3.Or([space.category.is_one_of(space.category_at(value, "U")) for value in condition.values])
        return Truths(true, z3.And(z3.Not(true), unknown))

    def _set_has(self, name: str, value: str) -> Truths:
        codes = self._space.sets[name]
        stated = dict(codes.now)
        if self.remembers:
            stated |= {code: z3.Or(codes.now[code], earlier) for code, earlier in codes.earlier.items()}
        null = FALSE if name in self._never else codes.null
        true = z3.Or([has for code, has in stated.items() if code != UNKNOWN and is_at_or_beneath(code, value)])
        above = [has for code, has in stated.items() if code == UNKNOWN or is_strictly_above(code, value)]
        return Truths(true, z3.And(z3.Not(true), z3.Or(null, *above)))

    def _regions(self, condition: Condition) -> list[str]:
        return self._outlines.regions(condition, self._space.origin, self._space.recipient)

    def _lies_in(self, region: str, condition: Condition) -> Truths:
        def of(place: PlaceSlot) -> Truths:
            known = z3.And(place.has_coordinates, z3.Not(place.kind.options[UNKNOWN]))
            return Truths(
                z3.And(known, place.inside[region]), z3.Or(z3.Not(known), z3.And(known, place.partly[region]))
            )

        return self._over_places(condition, of)

    def _district(self, condition: Condition) -> Truths:
        wanted = [folded(value) for value in condition.values]

        def of(place: PlaceSlot) -> Truths:
            strange = place.kind.options[UNKNOWN]
            true = z3.And(z3.Not(strange), place.district.is_one_of(wanted))
            return Truths(true, z3.Or(strange, place.district.options[None]))

        return self._over_places(condition, of)

    def _over_places(self, condition: Condition, of: PlaceTruth) -> Truths:
        """True of a place that counts; else unknown of one, or none counts."""
        counting = [(self._counts(place, condition), of(place)) for place in self._space.places]
        true = z3.Or([z3.And(counts, truths.true) for counts, truths in counting])
        unknown = z3.Or([z3.And(counts, truths.unknown) for counts, truths in counting])
        none = z3.Not(z3.Or([counts for counts, _ in counting]))
        return Truths(true, z3.And(z3.Not(true), z3.Or(unknown, none)))

    def _counts(self, place: PlaceSlot, condition: Condition) -> Formula:
        kinds = (*(condition.place or PLACE_KINDS), UNKNOWN)
        return z3.And(place.present, place.kind.is_one_of(kinds))
