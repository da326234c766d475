"""What a new bundle changes, exactly: for each recipient and part, the events for which its state is another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import permutations
from typing import Final, Literal, get_args

import z3

from deploy.agreement_tools.analysis.confirming import Confirmed, confirm, plainest
from deploy.agreement_tools.analysis.effects import Effects, PartState
from deploy.agreement_tools.analysis.pairs import Alike, alike
from deploy.agreement_tools.analysis.space import Formula, Outlines, Space, conditions_of
from deploy.agreement_tools.analysis.statements import Statement, Vocabulary
from routing.agreements.bundle import Bundle
from routing.agreements.deliberation import PARTS

STATES: Final[tuple[PartState, ...]] = get_args(PartState)
Change = Literal["gained", "lost", "now referred", "no longer referred", "now forbidden", "no longer forbidden"]


@dataclass(frozen=True)
class Region:
    """Events alike: what makes them so, and one of them."""

    where: tuple[Statement, ...]
    """All hold, and of every event of which they do the part changes so."""
    example: Confirmed


@dataclass(frozen=True)
class Difference:
    """One change of some parts between some pairs of members."""

    towards: Alike
    before: PartState
    after: PartState
    parts: tuple[str, ...]
    """``head`` first, then in wire order; they change for the same events."""
    regions: tuple[Region, ...]
    """Together all events for which these parts change so."""


def differences(
    old: Bundle, new: Bundle, day: date, told: Callable[[int, int], None] = lambda _done, _of: None
) -> Iterator[Difference]:
    """Every difference, pair by pair; the regions together are all events that are decided otherwise.

    What is not looked at: on what terms a part is granted (grounds, retention, onward use, how finely places are told).

    Args:
        old: the bundle in force.
        new: the one that may replace it.
        day: on which both are taken to be in force.
        told: called with the number of kinds of pairs done, and of all.
    """
    renamed = _renamed(old, new)
    groups = [(towards, said) for towards, said in alike((old, new), day) if said[0] != said[1]]
    for number, (towards, _) in enumerate(groups):
        told(number, len(groups))
        yield from _between(old, new, day, towards, renamed)
    told(len(groups), len(groups))


def _renamed(old: Bundle, new: Bundle) -> dict[str, str]:
    """Areas of one name and two outlines: nothing is known of how they lie to each other."""
    before = {area.name: area.geometry for area in old.areas}
    return {
        area.name: f"{area.name} (as newly drawn)"
        for area in new.areas
        if before.get(area.name, area.geometry) != area.geometry
    }


def _between(old: Bundle, new: Bundle, day: date, towards: Alike, renamed: dict[str, str]) -> Iterator[Difference]:
    origin, recipient = towards.one
    outlines = (Outlines(old.area_by_member), Outlines(new.area_by_member, renamed))
    rules = [rule for bundle in (old, new) for _, rule in bundle.rules_between(origin, recipient)]
    space = Space(origin, recipient, outlines, conditions_of(rules))
    before, after = (Effects(space, bundle, day, drawn) for bundle, drawn in zip((old, new), outlines, strict=True))
    vocabulary = Vocabulary((before, after))
    solver = space.solver()
    for was, becomes in permutations(STATES, 2):
        alike: dict[tuple[tuple[Statement, ...], ...], list[str]] = {}
        examples: dict[tuple[Statement, ...], z3.ModelRef] = {}
        for part in PARTS:
            changed = z3.And(before.states[part][was], after.states[part][becomes])
            found = _needed(solver, dict(_regions(solver, space, changed, vocabulary)))
            examples = found | examples
            if found:
                alike.setdefault(tuple(sorted(found, key=str)), []).append(part)
        for wheres, parts in alike.items():
            under = {"old": (old, before), "new": (new, after)}
            regions = (Region(where, confirm(space, examples[where], under, day)) for where in wheres)
            yield Difference(towards, was, becomes, tuple(parts), tuple(regions))


def _regions(
    solver: z3.Solver, space: Space, changed: Formula, vocabulary: Vocabulary
) -> Iterator[tuple[tuple[Statement, ...], z3.ModelRef]]:
    """Regions until they cover every event of which a formula holds, each with one of its events."""
    solver.push()
    solver.add(changed)
    try:
        while solver.check() == z3.sat:
            where = tuple(vocabulary.widest(solver.model(), changed))
            yield where, plainest(solver, space, _inside(where)) or solver.model()
            solver.add(z3.Not(_inside(where)))
    finally:
        solver.pop()


def _needed(
    solver: z3.Solver, found: dict[tuple[Statement, ...], z3.ModelRef]
) -> dict[tuple[Statement, ...], z3.ModelRef]:
    """Without the regions that the others cover together."""
    for where in list(found):
        others = z3.Or([_inside(other) for other in found if other != where])
        if len(found) > 1 and solver.check([_inside(where), z3.Not(others)]) == z3.unsat:
            del found[where]
    return found


def _inside(where: tuple[Statement, ...]) -> Formula:
    return z3.And([each.formula for each in where])
