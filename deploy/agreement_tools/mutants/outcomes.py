"""Everything that can be seen of a decision, as formulas: not only which parts are granted, also on what terms."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final, TypeVar

import z3

from deploy.agreement_tools.analysis.effects import HEAD, Effects, PartState, RuleFormulas
from deploy.agreement_tools.analysis.space import Formula
from deploy.agreement_tools.analysis.truths import FALSE
from routing.agreements.deliberation import PARTS
from routing.agreements.force import ended, past_review
from routing.agreements.model import FINEST_FIRST, STRICTEST_FIRST, Forbid, Limit, Locate, Onward, Refer, Share

W = TypeVar("W", Locate, Onward)
Seen = Mapping[Hashable, Formula]
"""What can be seen, each by a key that means the same under every bundle."""
_GRADES: Final[tuple[Locate, ...]] = FINEST_FIRST[:-1]


def differing(one: Seen, other: Seen) -> Formula:
    """When anything is to be seen under one that is not under the other."""
    keys = dict.fromkeys((*one, *other))
    pairs = [(one.get(key, FALSE), other.get(key, FALSE)) for key in keys]
    return z3.Or([z3.Xor(first, second) for first, second in pairs if not first.eq(second)])


@dataclass(frozen=True)
class Outcome:
    """What some rules make of the events of a space."""

    effects: Effects
    rules: Sequence[RuleFormulas]
    day: date

    @cached_property
    def states(self) -> dict[str, dict[PartState, Formula]]:
        """Of the head and each section."""
        return self.effects.states_of(self.rules)

    def seen(self, retentions: Iterable[int]) -> dict[Hashable, Formula]:
        """All that can be seen; ``retentions``: the days that any bundle compared says."""
        found: dict[Hashable, Formula] = {
            ("state", part, state): self.states[part][state]
            for part in PARTS
            for state in ("granted", "referred", "forbidden")
        }
        for (part, each), ground in self._grounds.items():
            if isinstance(each.rule, Share):
                terms = each.rule.terms
                found["ground", part, each.agreement.id, each.rule.id, terms.purpose, terms.legal_basis] = ground
        found["review"] = z3.Or([self._flows(each) for each in self._shares if past_review(each.agreement, self.day)])
        found |= {("onward", word): self._onward(word) for word in STRICTEST_FIRST[1:]}
        found |= {("retain", days): self._kept(days) for days in retentions}
        found |= {("locate", part, finest): self._as_fine(part, finest) for part in PARTS[1:] for finest in _GRADES}
        found["restricted"], found["without news"] = self._restricted, self._without_news
        return found | self._lines()

    @property
    def _shares(self) -> list[RuleFormulas]:
        return [each for each in self.rules if isinstance(each.rule, Share)]

    @property
    def _limits(self) -> list[tuple[RuleFormulas, Limit]]:
        return [(each, each.rule) for each in self.rules if isinstance(each.rule, Limit)]

    @cached_property
    def _grounds(self) -> dict[tuple[str, RuleFormulas], Formula]:
        """When a rule is a ground of a part; of the head, only if no section is covered."""
        granted = {part: self.states[part]["granted"] for part in PARTS}
        alone = z3.And(granted[HEAD], z3.Not(z3.Or([granted[part] for part in PARTS[1:]])))
        flows = granted | {HEAD: alone}
        return {
            (part, each): z3.And(flows[part], each.matches)
            for each in self._shares
            for part in PARTS
            if each.grants(part)
        }

    def _flows(self, each: RuleFormulas) -> Formula:
        """When a share rule is a ground of anything."""
        return z3.Or([ground for (_, of), ground in self._grounds.items() if of is each])

    def _onward(self, word: Onward) -> Formula:
        """When onward use is at least so free."""
        least = STRICTEST_FIRST.index(word)
        stricter = [self._flows(each) for each in self._shares if STRICTEST_FIRST.index(each.agreement.onward) < least]
        stricter += [
            each.matches for each, limit in self._limits if limit.onward and STRICTEST_FIRST.index(limit.onward) < least
        ]
        return z3.And(self.states[HEAD]["granted"], z3.Not(z3.Or(stricter)))

    def _kept(self, days: int) -> Formula:
        """When it is kept at least so long: for some purpose no ground says less, and no limit does."""
        by_purpose: dict[str, list[tuple[int, Formula]]] = {}
        for each in self._shares:
            if isinstance(each.rule, Share):
                terms = each.rule.terms
                by_purpose.setdefault(terms.purpose, []).append((terms.retain_days, self._flows(each)))
        long_enough = [
            z3.And(
                z3.Or([flows for _, flows in of_purpose]),
                z3.Not(z3.Or([flows for kept, flows in of_purpose if kept < days])),
            )
            for of_purpose in by_purpose.values()
        ]
        capped = [each.matches for each, limit in self._limits if (limit.retain_days or days) < days]
        return z3.And(z3.Or(long_enough), z3.Not(z3.Or(capped)))

    def _as_fine(self, part: str, finest: Locate) -> Formula:
        """When a section tells places at least so finely."""
        grade = FINEST_FIRST.index(finest)
        fine = [
            ground
            for (of_part, each), ground in self._grounds.items()
            if of_part == part and isinstance(each.rule, Share) and FINEST_FIRST.index(each.rule.locate) <= grade
        ]
        coarser = [each.matches for each, limit in self._limits if FINEST_FIRST.index(limit.locate) > grade]
        return z3.And(z3.Or(fine), z3.Not(z3.Or(coarser)))

    @property
    def _restricted(self) -> Formula:
        """When a holder hears that there is news, and nothing of it."""
        head, effects = self.states[HEAD], self.effects
        over = z3.Or([each.refers for each in self._on_head if ended(each.agreement, self.day)])
        case = [each for each in self._on_head if _is_silent(each)]
        asked = effects.possible_of(self.rules, HEAD)
        silent = z3.If(
            head["forbidden"],
            z3.Or([each.forbids for each in case]),
            z3.Or([z3.And(each.refers, z3.Or(effects.withholds(each), _invites(each), asked)) for each in case]),
        )
        stopped = z3.Or(head["forbidden"], head["referred"], z3.And(head["withheld"], over))
        return z3.And(effects.space.holds, z3.Not(effects.corrected), stopped, z3.Not(silent))

    @property
    def _without_news(self) -> Formula:
        """When a holder learns nothing, for another reason than that nobody grants it."""
        head, effects = self.states[HEAD], self.effects
        held_up = z3.Or([effects.withholds(each) for each in self._on_head])
        withdrawn = z3.And(effects.corrected, head["forbidden"])
        stopped = z3.Or(head["forbidden"], head["referred"], z3.And(head["withheld"], held_up))
        return z3.And(effects.space.holds, z3.Not(withdrawn), stopped)

    @property
    def _on_head(self) -> list[RuleFormulas]:
        return [each for each in self.rules if each.covers(HEAD)]

    def _lines(self) -> dict[Hashable, Formula]:
        """When a case has a line for a rule, about a part."""
        own = self.effects.own_states_of(self.rules)
        opens = z3.Or(self.states[HEAD]["granted"], self.states[HEAD]["referred"])
        found: dict[Hashable, Formula] = {}
        for each in self.rules:
            rule: Any = each.rule
            if not isinstance(rule, Refer | Forbid):
                continue
            path = rule.path if isinstance(rule, Refer) else each.agreement.doubt
            for part in (part for part in PARTS if each.covers(part)):
                asked = z3.Or(_invites(each), self.effects.possible_of(self.rules, part))
                key = ("line", each.agreement.id, rule.id, path, rule.why, part)
                found[key] = z3.And(opens, own[part]["referred"], each.refers, asked)
        return found


def _invites(each: RuleFormulas) -> Formula:
    return z3.BoolVal(isinstance(each.rule, Refer) and each.rule.invite)


def _is_silent(each: RuleFormulas) -> bool:
    return isinstance(each.rule, Refer | Forbid) and each.rule.silent


def retentions_of(rules: Iterable[RuleFormulas]) -> set[int]:
    """Every retention that some rules say."""
    found: set[int] = set()
    for each in rules:
        if isinstance(each.rule, Share):
            found.add(each.rule.terms.retain_days)
        elif isinstance(each.rule, Limit) and each.rule.retain_days is not None:
            found.add(each.rule.retain_days)
    return found
