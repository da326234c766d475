"""Rules that can never match, rules whose work others always do, rules that meet: all of them, with an event each."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import z3

from deploy.agreement_tools.analysis.confirming import Confirmed, confirm, plainest
from deploy.agreement_tools.analysis.effects import Effects, RuleFormulas
from deploy.agreement_tools.analysis.pairs import Alike, alike
from deploy.agreement_tools.analysis.space import Formula, Outlines, Space, conditions_of
from routing.agreements.bundle import Bundle
from routing.agreements.deliberation import PARTS
from routing.agreements.model import FINEST_FIRST, STRICTEST_FIRST, Forbid, Limit, Refer, Share
from routing.agreements.state import RuleRef

Kind = Literal["dead", "shadowed", "overlapping"]


@dataclass(frozen=True)
class Finding:
    """Something about a rule, or about two."""

    kind: Kind
    rule: RuleRef
    other: RuleRef | None
    """Of an overlap: the rule it meets."""
    parts: tuple[str, ...]
    """Of an overlap: what both grant, or what the other takes from it."""
    towards: Alike | None
    """Between whom, of an overlap the first such pairs; None: between all of the rule's."""
    example: Confirmed | None
    """An event that shows it; a dead rule has none."""
    does_its_work: tuple[RuleRef, ...] = ()
    """Of a shadowed rule: those that match in the example and leave it nothing to do."""


@dataclass(frozen=True)
class Examination:
    """What was found, and what could not be looked at on that day."""

    findings: tuple[Finding, ...]
    idle: tuple[RuleRef, ...]
    """Rules that are not in force on that day."""


class _Pair:
    """The rules between one kind of pair, and a solver that knows which events there are."""

    def __init__(self, bundle: Bundle, day: date, towards: Alike) -> None:
        self.towards = towards
        origin, recipient = towards.one
        outlines = Outlines(bundle.area_by_member)
        rules = [rule for _, rule in bundle.rules_between(origin, recipient)]
        self.space = Space(origin, recipient, (outlines,), conditions_of(rules))
        self.effects = Effects(self.space, bundle, day, outlines)
        self._solver = self.space.solver()
        self._bundle, self._day = bundle, day

    def example(self, *formulas: Formula) -> Confirmed | None:
        """An event of which all of these hold; None where there is none."""
        model = plainest(self._solver, self.space, z3.And(list(formulas)))
        return model and confirm(self.space, model, {"now": (self._bundle, self.effects)}, self._day)


def examine(bundle: Bundle, day: date, told: Callable[[int, int], None] = lambda _done, _of: None) -> Examination:
    """Everything there is to find on one day.

    Args:
        bundle: a loaded bundle.
        day: on which it is taken to be in force.
        told: called with the number of kinds of pairs done, and of all.
    """
    groups = [towards for towards, (said,) in alike((bundle,), day) if said]
    alive: set[RuleRef] = set()
    works: set[RuleRef] = set()
    in_force: set[RuleRef] = set()
    idle_example: dict[RuleRef, Finding] = {}
    overlaps: dict[tuple[RuleRef, RuleRef], Finding] = {}
    for number, towards in enumerate(groups):
        told(number, len(groups))
        pair = _Pair(bundle, day, towards)
        for each in pair.effects.rules:
            in_force.add(each.ref)
            if each.ref in works:
                continue
            if pair.example(each.matches, _makes_a_difference(pair.effects, each)):
                works.add(each.ref)
                alive.add(each.ref)
            elif example := pair.example(each.matches):
                alive.add(each.ref)
                idle_example.setdefault(each.ref, _shadowed(each, example))
        for overlap in _overlaps(pair, overlaps.keys()):
            overlaps.setdefault((overlap.rule, overlap.other or overlap.rule), overlap)
    told(len(groups), len(groups))
    every = {RuleRef(agreement.id, rule.id) for agreement in bundle.agreements for rule in agreement.rules}
    dead = [Finding("dead", ref, None, (), None, None) for ref in in_force - alive]
    shadowed = [idle_example[ref] for ref in alive - works]
    found = sorted((*dead, *shadowed, *overlaps.values()), key=_order)
    return Examination(tuple(found), tuple(sorted(every - in_force, key=_name)))


def _order(finding: Finding) -> tuple[int, str, str]:
    other = _name(finding.other) if finding.other else ""
    return ("dead", "shadowed", "overlapping").index(finding.kind), _name(finding.rule), other


def _name(ref: RuleRef) -> str:
    return f"{ref.agreement} / {ref.rule}"


def _shadowed(each: RuleFormulas, example: Confirmed) -> Finding:
    others = [RuleRef(match.agreement, match.rule) for match in example.decisions["now"].rules]
    return Finding("shadowed", each.ref, None, (), None, example, tuple(ref for ref in others if ref != each.ref))


def _makes_a_difference(effects: Effects, each: RuleFormulas) -> Formula:
    """When leaving the rule out would change what becomes of any part, or how finely a section tells places."""
    rule = each.rule
    if isinstance(rule, Limit):
        return _caps(effects, each, rule)
    if isinstance(rule, Refer):
        # Each refer rule has a line of its own, which its own path must release.
        return z3.Or(
            [
                z3.And(each.refers, effects.states[part]["referred"], _asks(effects, each, part))
                for part in PARTS
                if each.covers(part)
            ]
            + [_changes(effects, each)]
        )
    return z3.Or(_changes(effects, each), _finer(effects, each)) if isinstance(rule, Share) else _changes(effects, each)


def _asks(effects: Effects, each: RuleFormulas, part: str) -> Formula:
    if isinstance(each.rule, Refer) and each.rule.invite:
        return z3.BoolVal(val=True)
    return z3.Or([other.possible for other in effects.rules if other.grants(part)])


def _changes(effects: Effects, each: RuleFormulas) -> Formula:
    """The state of any part; a forbid that can be lifted does not do the work of one that cannot."""
    others = [other for other in effects.rules if other is not each and not _weaker(other, each)]
    with_it, without = effects.states_of([*others, each]), effects.states_of(others)
    return z3.Or([z3.Not(with_it[part][state] == without[part][state]) for part in PARTS for state in with_it[part]])


def _weaker(other: RuleFormulas, each: RuleFormulas) -> bool:
    if not isinstance(other.rule, Forbid) or not isinstance(each.rule, Forbid):
        return False
    return not set(other.rule.override) <= set(each.rule.override)


def _finer(effects: Effects, each: RuleFormulas) -> Formula:
    """A section that no other matching rule grants as finely."""
    fineness = FINEST_FIRST.index(each.rule.locate) if isinstance(each.rule, Share | Limit) else 0
    found = []
    for part in PARTS[1:]:
        if each.grants(part):
            as_fine = [
                other.matches
                for other in effects.rules
                if other is not each and other.grants(part) and FINEST_FIRST.index(_locate(other)) <= fineness
            ]
            found.append(z3.And(effects.states[part]["granted"], z3.Not(z3.Or(as_fine))))
    return z3.And(each.matches, z3.Or(found))


def _locate(each: RuleFormulas) -> Literal["exact", "100m", "1km", "10km"]:
    return each.rule.locate if isinstance(each.rule, Share | Limit) else "exact"


def _caps(effects: Effects, each: RuleFormulas, rule: Limit) -> Formula:
    """Something flows, and no other matching limit caps as strictly what this one caps."""
    others = [(other, other.rule) for other in effects.rules if isinstance(other.rule, Limit) and other is not each]
    found = []
    if rule.locate != "exact":
        found.append([o.matches for o, r in others if FINEST_FIRST.index(r.locate) >= FINEST_FIRST.index(rule.locate)])
    if rule.retain_days is not None:
        found.append([o.matches for o, r in others if r.retain_days is not None and r.retain_days <= rule.retain_days])
    if rule.onward is not None:
        strictness = STRICTEST_FIRST.index(rule.onward)
        found.append([o.matches for o, r in others if r.onward and STRICTEST_FIRST.index(r.onward) <= strictness])
    alone = z3.Or([z3.Not(z3.Or(as_strict)) for as_strict in found])
    return z3.And(effects.states[PARTS[0]]["granted"], alone)


def _overlaps(pair: _Pair, known: Container[tuple[RuleRef, RuleRef]]) -> Iterator[Finding]:
    """Two rules that meet: both grant a part, or one keeps back what the other grants."""
    rules = pair.effects.rules
    for number, one in enumerate(rules):
        for other in rules[number + 1 :]:
            first, second = (one, other) if isinstance(one.rule, Share) else (other, one)
            if not isinstance(first.rule, Share) or isinstance(second.rule, Limit):
                continue
            parts = tuple(
                part for part in PARTS[1:] if first.grants(part) and (second.grants(part) or second.covers(part))
            )
            if parts and (first.ref, second.ref) not in known:
                example = pair.example(first.matches, second.matches)
                if example:
                    yield Finding("overlapping", first.ref, second.ref, parts, pair.towards, example)
