"""When each rule matches, and what becomes of each part, as formulas over a space: the steps of *Deciding*.

Without what belongs to single incidents: bars, rulings, open cases and following.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, Literal

import z3

from deploy.agreement_tools.analysis.space import OTHER, Formula, Outlines, Space
from deploy.agreement_tools.analysis.truths import FALSE, Reader, Truths
from routing.agreements.bundle import Bundle
from routing.agreements.deliberation import PARTS
from routing.agreements.force import ended, out_of_force, suspended
from routing.agreements.model import Agreement, Forbid, Refer, Rule, Share
from routing.agreements.state import RuleRef
from schemas.codes import codes

HEAD: Final = PARTS[0]
PartState = Literal["granted", "forbidden", "withheld", "referred"]


@dataclass(frozen=True)
class RuleFormulas:
    """A rule in force between an origin and a recipient."""

    agreement: Agreement
    rule: Rule
    when: Truths
    unless: Truths
    matches: Formula
    possible: Formula
    """Of a share rule: ``when`` is not false and ``unless`` is not true."""
    refers: Formula
    """It is a refer rule, or a forbid acting as one."""
    forbids: Formula
    stopped: bool

    @property
    def ref(self) -> RuleRef:
        """The agreement's id and the rule's."""
        return RuleRef(self.agreement.id, self.rule.id)

    @property
    def name(self) -> str:
        """``WPN-2026-01 / border``."""
        return f"{self.agreement.id} / {self.rule.id}"

    def covers(self, part: str) -> bool:
        """Of a refer or forbid rule."""
        named = isinstance(self.rule, Refer | Forbid) and part in self.rule.sections
        return named or (isinstance(self.rule, Refer) and self.rule.invite and part == HEAD)

    def grants(self, part: str) -> bool:
        """Of a share rule."""
        return isinstance(self.rule, Share) and (part == HEAD or part in self.rule.grant)


class Effects:
    """What one bundle makes of the events of a space, on one day."""

    def __init__(self, space: Space, bundle: Bundle, day: date, outlines: Outlines) -> None:
        self.space = space
        never = bundle.never_stated(space.origin)
        self.present = Reader(space, never, outlines, remembers=False)
        self.remembered = Reader(space, never, outlines, remembers=True)
        self._in_earnest = space.words["mode"].options["actual"]
        self.rules = [
            self._rule(bundle, day, agreement, rule)
            for agreement, rule in bundle.rules_between(space.origin, space.recipient)
            if out_of_force(bundle, agreement, rule, space.origin, day) is None
        ]

    def _rule(self, bundle: Bundle, day: date, agreement: Agreement, rule: Rule) -> RuleFormulas:
        is_share = isinstance(rule, Share)
        when = (self.present if is_share else self.remembered).block(rule.when)
        unless = self.present.blocks(rule.unless)
        may_hold = z3.And(when.possible, z3.Not(unless.true))
        stopped = bool(ended(agreement, day) or suspended(bundle, agreement))
        matches, refers, forbids = may_hold, FALSE, FALSE
        if isinstance(rule, Share):
            mode = z3.Or(self._in_earnest, z3.BoolVal(any(each.attribute == "mode" for each in rule.when)))
            certain = may_hold if rule.on_doubt_share else z3.And(when.true, unless.false)
            may_hold, matches = z3.And(mode, may_hold), z3.And(mode, certain)
        elif isinstance(rule, Refer):
            refers = matches
        elif isinstance(rule, Forbid):
            doubtful = z3.And(z3.Or(when.unknown, unless.unknown), z3.BoolVal(bool(agreement.doubt) and not stopped))
            refers, forbids = z3.And(matches, doubtful), z3.And(matches, z3.Not(doubtful))
        return RuleFormulas(agreement, rule, when, unless, matches, may_hold, refers, forbids, stopped)

    @cached_property
    def states(self) -> dict[str, dict[PartState, Formula]]:
        """Of the head and each section: exactly one of the four holds of every event."""
        return self.states_of(self.rules)

    def states_of(self, rules: Iterable[RuleFormulas]) -> dict[str, dict[PartState, Formula]]:
        """As if these were all the rules."""
        own = self.own_states_of(rules)
        head = own[HEAD]
        found: dict[str, dict[PartState, Formula]] = {HEAD: head}
        for part in PARTS[1:]:
            states = {state: z3.And(head["granted"], own[part][state]) for state in own[part]}
            states["forbidden"] = own[part]["forbidden"]
            for state in ("withheld", "referred", "forbidden"):
                mine = z3.And(z3.Not(own[part]["forbidden"]), head[state])
                states[state] = z3.Or(states[state], mine)
            found[part] = states
        return found

    def own_states_of(self, rules: Iterable[RuleFormulas]) -> dict[str, dict[PartState, Formula]]:
        """Of the head and each section by itself, before a head that is not granted takes them all with it."""
        given = list(rules)
        return {part: self._own(given, part) for part in PARTS}

    def _own(self, rules: list[RuleFormulas], part: str) -> dict[PartState, Formula]:
        forbidden = z3.Or([each.forbids for each in rules if each.covers(part)])
        referring = [each for each in rules if each.covers(part)]
        held_up = z3.Or([self.withholds(each) for each in referring])
        granted = z3.Or([each.matches for each in rules if each.grants(part)])
        possible = self.possible_of(rules, part)
        invited = z3.Or([each.refers for each in referring if isinstance(each.rule, Refer) and each.rule.invite])
        asked = z3.Or(invited, z3.And(possible, z3.Or([each.refers for each in referring])))
        states: dict[PartState, Formula] = {"forbidden": forbidden}
        open_to = z3.And(z3.Not(forbidden), z3.Not(held_up))
        states["referred"] = z3.And(open_to, asked)
        states["granted"] = z3.And(open_to, z3.Not(asked), granted)
        states["withheld"] = z3.And(z3.Not(forbidden), z3.Not(states["referred"]), z3.Not(states["granted"]))
        return states

    def withholds(self, each: RuleFormulas) -> Formula:
        """When a rule that refers withholds instead: the mode is not ``actual``, or its agreement has stopped."""
        return z3.And(each.refers, z3.Or(z3.Not(self._in_earnest), z3.BoolVal(each.stopped)))

    @staticmethod
    def possible_of(rules: Iterable[RuleFormulas], part: str) -> Formula:
        """When a share rule grants a part whose ``when`` is not false and whose ``unless`` is not true."""
        return z3.Or([each.possible for each in rules if each.grants(part)])

    @property
    def corrected(self) -> Formula:
        """When the event's kind is ``corrected``; of the kinds that no condition names, the first stands for all."""
        kind = self.space.words["kind"]
        unnamed = next((code for code in codes("kind") if code not in kind.options), None)
        return kind.is_one_of(["corrected", *([OTHER] if unnamed == "corrected" else [])])
