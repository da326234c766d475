"""Which rules match: the sentences between the conditions and the steps of deciding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from routing.agreements.bundle import Bundle
from routing.agreements.conditions import Truth, View, block_truth, unless_truth
from routing.agreements.considered import Considered
from routing.agreements.force import ended, london_day, out_of_force, suspended
from routing.agreements.history import ever_stated, with_history
from routing.agreements.model import Agreement, Forbid, Refer, Rule, Share, Step
from routing.agreements.state import Holding, RuleRef, State


@dataclass(frozen=True)
class Question:
    """What does this recipient get of this event, now?"""

    bundle: Bundle
    event: Considered
    recipient: str
    now: datetime
    state: State

    @cached_property
    def today(self) -> date:
        """The day in Europe/London."""
        return london_day(self.now)

    @cached_property
    def holding(self) -> Holding | None:
        """What the recipient already holds of the incident."""
        return self.state.holding(self.recipient)

    @cached_property
    def present(self) -> View:
        """The present event, as share rules and every ``unless`` read it."""
        event = with_never_states(self.bundle, self.event)
        return View(event, self.recipient, self.holding is not None, areas=self.bundle.area_by_member)

    @cached_property
    def remembered(self) -> View:
        """The event with its history, as the ``when`` of refer, forbid and limit rules reads it."""
        event, history = self.present.event, self.state.history
        return replace(self.present, event=with_history(history, event), earlier_categories=ever_stated(history, event))


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matches."""

    agreement: Agreement
    rule: Rule
    turned_on_unknown: bool
    """Its ``when`` or ``unless`` was unknown."""
    stopped: bool
    """Its agreement has ended or is suspended."""

    @property
    def ref(self) -> RuleRef:
        """Its name."""
        return RuleRef(self.agreement.id, self.rule.id)

    @property
    def refers(self) -> bool:
        """It is a refer rule, or a forbid acting as one."""
        return isinstance(self.rule, Refer) or self._forbid_in_doubt

    @property
    def forbids(self) -> bool:
        """It is a forbid, and does not act as a refer rule."""
        return isinstance(self.rule, Forbid) and not self._forbid_in_doubt

    @property
    def _forbid_in_doubt(self) -> bool:
        """A forbid that turns on an unknown acts as a refer rule if its file has ``doubt`` and is in force."""
        doubtful = isinstance(self.rule, Forbid) and self.turned_on_unknown
        return doubtful and bool(self.agreement.doubt) and not self.stopped

    @property
    def path(self) -> tuple[Step, ...]:
        """Who is asked, of one that refers."""
        return self.rule.path if isinstance(self.rule, Refer) else self.agreement.doubt

    @property
    def silent(self) -> bool:
        """A holder is not told either that there is no news."""
        return isinstance(self.rule, Refer | Forbid) and self.rule.silent

    @property
    def invites(self) -> bool:
        """It asks whether to share at all."""
        return isinstance(self.rule, Refer) and self.rule.invite

    @property
    def parts(self) -> tuple[str, ...]:
        """Of a refer or forbid rule: the parts it names; an invitation covers the head too."""
        named = self.rule.sections if isinstance(self.rule, Refer | Forbid) else ()
        return ("head", *named) if self.invites and "head" not in named else named

    def covers(self, part: str) -> bool:
        """Whether it is among its `parts`."""
        return part in self.parts

    def grants(self, part: str) -> bool:
        """Of a share rule: the head, and the sections it names."""
        return isinstance(self.rule, Share) and (part == "head" or part in self.rule.grant)


def matching_rules(question: Question) -> list[Match]:
    """Every matching rule of every agreement that has started, from the event's origin to the recipient."""
    found = (match_rule(question, agreement, rule) for agreement, rule in _rules(question))
    return [match for match in found if match is not None]


def possible_shares(question: Question) -> list[tuple[Agreement, Share]]:
    """The share rules in force whose ``when`` is not false and whose ``unless`` is not true."""
    return [
        (agreement, rule)
        for agreement, rule in _rules(question)
        if isinstance(rule, Share) and mode_allows(rule, question.event) and _may_hold(*truths(question, rule))
    ]


def _rules(question: Question) -> list[tuple[Agreement, Rule]]:
    bundle, origin = question.bundle, question.event.origin
    return [
        (agreement, rule)
        for agreement, rule in bundle.rules_between(origin, question.recipient)
        if out_of_force(bundle, agreement, rule, origin, question.today) is None
    ]


def match_rule(question: Question, agreement: Agreement, rule: Rule) -> Match | None:
    """Doubt goes against sharing: a share needs certainty, a protection only that it may hold."""
    when, unless = truths(question, rule)
    matched = _shares(rule, when, unless, question.event) if isinstance(rule, Share) else _may_hold(when, unless)
    if not matched:
        return None
    stopped = ended(agreement, question.today) or suspended(question.bundle, agreement)
    return Match(agreement, rule, Truth.UNKNOWN in (when, unless), stopped is not None)


def truths(question: Question, rule: Rule) -> tuple[Truth, Truth]:
    """Of a rule's ``when`` and ``unless``. Only the ``when`` of refer, forbid and limit rules reads history."""
    view = question.present if isinstance(rule, Share) else question.remembered
    return block_truth(rule.when, view), unless_truth(rule.unless, question.present)


def _shares(rule: Share, when: Truth, unless: Truth, event: Considered) -> bool:
    """A share rule matches if ``when`` is true and ``unless`` is false; ``on_doubt: share`` lets unknown pass."""
    if not mode_allows(rule, event):
        return False
    if rule.on_doubt_share:
        return _may_hold(when, unless)
    return when is Truth.TRUE and unless is Truth.FALSE


def _may_hold(when: Truth, unless: Truth) -> bool:
    """A refer, forbid or limit rule matches if ``when`` is true or unknown, and ``unless`` is false or unknown."""
    return when is not Truth.FALSE and unless is not Truth.TRUE


def mode_allows(rule: Share, event: Considered) -> bool:
    """A share rule that does not name ``mode`` in ``when`` matches only when the mode is ``actual``."""
    return event.mode == "actual" or any(condition.attribute == "mode" for condition in rule.when)


def with_never_states(bundle: Bundle, event: Considered) -> Considered:
    """A null set that the origin has declared it never states counts as empty."""
    never = [name for name in bundle.never_stated(event.origin) if getattr(event, name) is None]
    emptied: dict[str, Any] = dict.fromkeys(never, frozenset())
    return replace(event, **emptied) if never else event
