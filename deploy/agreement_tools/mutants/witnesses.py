"""Events at the edges of each rule, made from a bundle alone: they know nothing of the changes they are to notice.

For each rule and each kind of pair between which it holds, solving finds **bases**: events of which the rule alone
makes a part what it is, or what flows what it is; and for each of its conditions (and each block of its ``unless``)
events at which that alone keeps the rule from matching, false or unknown. Around each base, every attribute that any
condition between the two members names is **varied** by itself, through all that it can be: every code of its list,
none, not stated. And each base is put to every other member, from every other origin, for other pairs, and on the days
at which an agreement of the bundle begins, ends or is due for review.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from typing import Final

import z3

from deploy.agreement_tools.analysis.effects import Effects, RuleFormulas
from deploy.agreement_tools.analysis.pairs import Alike, alike
from deploy.agreement_tools.analysis.space import Formula, Outlines, Space, conditions_of, holds
from deploy.agreement_tools.analysis.truths import TRUE
from deploy.agreement_tools.analysis.witness import witness
from deploy.agreement_tools.mutants.changes import day_in_force, few
from deploy.agreement_tools.mutants.of_conditions import districts_of
from deploy.agreement_tools.mutants.outcomes import Outcome, Seen, differing, retentions_of
from deploy.agreement_tools.mutants.telling_apart import Question
from deploy.agreement_tools.mutants.variations import varied
from routing.agreements.bundle import Bundle
from routing.agreements.deliberation import PARTS
from routing.agreements.interpret import recipients
from routing.agreements.model import Condition, Forbid, Refer, Share
from routing.agreements.regions import regions_of
from routing.agreements.state import RuleRef

_DAY: Final = timedelta(days=1)
MOST_FAR_PAIRS: Final = 60
"""So many pairs of another origin and another recipient is a base put to; in an exchange of ten members, all."""
Varied = str
"""What a witness varies of its base: an attribute, or ``pair`` for who asks and when; empty: it is the base."""
PAIR: Final[Varied] = "pair"


class _Rules:
    """What holds between one kind of pair on one day."""

    def __init__(self, bundle: Bundle, day: date, towards: Alike) -> None:
        self.day, self.recipient = day, towards.one[1]
        outlines = Outlines(bundle.area_by_member)
        rules = [rule for _, rule in bundle.rules_between(*towards.one)]
        self.space = Space(*towards.one, (outlines,), conditions_of(rules))
        self.effects = Effects(self.space, bundle, day, outlines)
        self._solver = self.space.solver()
        self._regions = regions_of(bundle)
        self.districts = districts_of(bundle)
        self._retentions = retentions_of(self.effects.rules)

    @property
    def attributes(self) -> frozenset[str]:
        """What any condition names; the mode, which every share rule reads; and whether the recipient holds it."""
        return frozenset({"mode", "holder", *(condition.attribute for condition in self.space.conditions)})

    def question(self, model: z3.ModelRef) -> Question:
        """The event of a solution."""
        event, state = witness(self.space, model)
        return Question(replace(event, regions=self._regions), state, self.recipient, self.day)

    def solution(self, *formulas: Formula, alone: list[Formula]) -> z3.ModelRef | None:
        """An event of which these hold: best a plain one, of which nothing else holds besides."""
        for preferred in ([*alone, *self.space.plain], alone, [*self.space.plain], []):
            if self._solver.check([*formulas, *preferred]) == z3.sat:
                return self._solver.model()
        return None

    @cached_property
    def now(self) -> Seen:
        """What is to be seen of each event."""
        return Outcome(self.effects, self.effects.rules, self.day).seen(self._retentions)

    def seen_with(self, each: RuleFormulas, instead: RuleFormulas | None) -> Seen:
        """What would be to be seen if a rule were another, or were not."""
        rules = [other for other in self.effects.rules if other is not each]
        return Outcome(self.effects, [*rules, instead] if instead else rules, self.day).seen(self._retentions)


def witnesses(bundle: Bundle, day: date, agreement: str | None = None) -> dict[RuleRef, dict[Question, Varied]]:
    """Of each rule that can be in force (of one agreement, where named), its bases, then what is varied around them."""
    found: dict[RuleRef, dict[Question, Varied]] = {}
    for rules in _kinds(bundle, day, agreement):
        for each in (each for each in rules.effects.rules if agreement in (None, each.agreement.id)):
            bases = list(dict.fromkeys(_bases(rules, each)))
            of_rule = found.setdefault(each.ref, {})
            of_rule |= dict.fromkeys(bases, "")
            for base in bases:
                for question, varied_of_it in (*_elsewhere(bundle, base), *_around(rules, base)):
                    of_rule.setdefault(question, varied_of_it)
    return found


def _kinds(bundle: Bundle, day: date, agreement: str | None) -> Iterator[_Rules]:
    """Every kind of pair (that one agreement concerns), on the day, and on the nearest on which each is in force."""
    done: set[tuple[object, ...]] = set()
    for in_force in sorted({day_in_force(agreement, day) for agreement in bundle.agreements}):
        for towards, said in alike((bundle,), in_force):
            concerned = {each.id for each, _ in bundle.rules_between(*towards.one)}
            if said[0] and said not in done and (agreement is None or agreement in concerned):
                done.add(said)
                yield _Rules(bundle, in_force, towards)


def _around(rules: _Rules, base: Question) -> Iterator[tuple[Question, Varied]]:
    for attribute in sorted(rules.attributes):
        for event, state in varied(base.event, base.state, base.recipient, attribute, rules.districts):
            yield replace(base, event=event, state=state), attribute


def _elsewhere(bundle: Bundle, base: Question) -> Iterator[tuple[Question, Varied]]:
    """The same event for every other member, from every other origin, for other pairs, and on other days."""
    origins = [member.id for member in bundle.members if member.publishes]
    pairs = [(origin, recipient) for origin in origins for recipient in recipients(bundle, origin)]
    near = [pair for pair in pairs if pair[0] == base.event.origin or pair[1] == base.recipient]
    far = [pair for pair in pairs if pair[0] != base.event.origin and pair[1] != base.recipient]
    for origin, recipient in [*near, *few(far, base.recipient, MOST_FAR_PAIRS)]:
        addressees = frozenset({recipient}) if base.event.addressees else base.event.addressees
        held = tuple(replace(each, member=recipient) for each in base.state.holdings)
        event = replace(base.event, origin=origin, addressees=addressees)
        yield replace(base, event=event, state=replace(base.state, holdings=held), recipient=recipient), PAIR
    for day in _turning_days(bundle):
        yield replace(base, day=day), PAIR


def _turning_days(bundle: Bundle) -> list[date]:
    found: set[date] = set()
    for each in bundle.agreements:
        found |= {each.starts - _DAY, each.starts}
        found |= {day for last in (each.ends, each.review) if last for day in (last, last + _DAY)}
    return sorted(found)


def _bases(rules: _Rules, each: RuleFormulas) -> Iterator[Question]:
    others = [z3.Not(other.matches) for other in rules.effects.rules if other is not each and _alike(other, each)]
    without = rules.seen_with(each, None)
    yield from _parts_decided(rules, each, without, others)
    if (model := rules.solution(each.matches, differing(rules.now, without), alone=others)) is not None:
        yield rules.question(model)
    if (model := rules.solution(each.matches, alone=others)) is not None:
        yield rules.question(model)
    matching = replace(each, matches=TRUE, possible=TRUE, **_acting(each))
    missed = differing(rules.now, rules.seen_with(each, matching))
    for narrowly in _near_misses(rules, each):
        if (model := rules.solution(narrowly, missed, alone=others)) is not None:
            yield rules.question(model)


def _alike(other: RuleFormulas, each: RuleFormulas) -> bool:
    """Rules that could do the same work: another that shares, or another that protects."""
    return isinstance(other.rule, Share) == isinstance(each.rule, Share)


def _acting(each: RuleFormulas) -> dict[str, Formula]:
    if isinstance(each.rule, Refer):
        return {"refers": TRUE}
    return {"forbids": TRUE} if isinstance(each.rule, Forbid) else {}


def _parts_decided(rules: _Rules, each: RuleFormulas, without: Seen, alone: list[Formula]) -> Iterator[Question]:
    """Events that show every part whose state the rule can decide."""
    of_part = {
        part: z3.Or(
            [
                z3.Xor(rules.now[key], without[key])
                for key in (("state", part, state) for state in ("granted", "referred", "forbidden"))
            ]
        )
        for part in PARTS
        if each.grants(part) or each.covers(part)
    }
    while of_part:
        part, decided = next(iter(of_part.items()))
        model = rules.solution(each.matches, decided, alone=alone)
        if model is None:
            del of_part[part]
            continue
        yield rules.question(model)
        of_part = {part: decided for part, decided in of_part.items() if not holds(model, decided)}


def _near_misses(rules: _Rules, each: RuleFormulas) -> Iterator[Formula]:
    """All but one thing would let the rule match: a condition false or unknown, a block of ``unless`` not false."""
    effects = rules.effects
    reader = effects.present if isinstance(each.rule, Share) else effects.remembered
    when = each.rule.when
    for number, condition in enumerate(when):
        rest = _true(reader.condition(other).true for other in (*when[:number], *when[number + 1 :]))
        truths = reader.condition(condition)
        yield from (z3.And(rest, each.unless.false, wrong) for wrong in (truths.false, truths.unknown))
    for number, block in enumerate(each.rule.unless):
        others = effects.present.blocks((*each.rule.unless[:number], *each.rule.unless[number + 1 :])).false
        truths = effects.present.block(block)
        yield from (z3.And(each.when.true, others, wrong) for wrong in (truths.true, truths.unknown))
        yield from (z3.And(each.when.true, each.unless.false, miss) for miss in _nearly(effects, block))


def _nearly(effects: Effects, block: tuple[Condition, ...]) -> Iterator[Formula]:
    """All conditions of a block but one."""
    for number, condition in enumerate(block):
        rest = (*block[:number], *block[number + 1 :])
        if rest:
            yield z3.And(effects.present.block(rest).true, effects.present.condition(condition).false)


def _true(formulas: Iterator[Formula]) -> Formula:
    return z3.And(list(formulas))
