"""Why each rule matched or did not, in words: what ``huecry explain`` shows to the origin, and to nobody else.

The words name codes, areas, districts and days; a ``Considered`` holds nothing more personal than those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from routing.agreements.bundle import Bundle
from routing.agreements.conditions import Truth, View, block_truth, condition_truth, place_district, places
from routing.agreements.considered import Considered
from routing.agreements.force import out_of_force
from routing.agreements.matching import Match, Question, match_rule, mode_allows
from routing.agreements.model import Agreement, Block, Condition, Rule, Share
from routing.agreements.state import FIRST_EVENT, State
from schemas.codes import UNKNOWN


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What became of one rule."""

    agreement: str
    rule: str
    outcome: str
    state: Literal["matched", "not matched", "not in force"]
    turned_on_unknown: bool
    words: str
    """What it matched on, or the first condition that failed or was unknown, or why it is not in force."""
    notes: tuple[str, ...]
    """What else turned it: sets that the origin never states, a forbid in doubt, an agreement that has stopped."""


def explain_rules(
    bundle: Bundle, considered: Considered, recipient: str, now: datetime, state: State = FIRST_EVENT
) -> list[RuleTrace]:
    """One trace for every rule from the event's origin to the recipient, sorted by agreement, then rule."""
    question = Question(bundle, considered, recipient, now, state)
    return [_trace(question, *named) for named in bundle.rules_between(considered.origin, recipient)]


def _trace(question: Question, agreement: Agreement, rule: Rule) -> RuleTrace:
    idle = out_of_force(question.bundle, agreement, rule, question.event.origin, question.today)
    matched = None if idle else match_rule(question, agreement, rule)
    return RuleTrace(
        agreement.id,
        rule.id,
        rule.outcome,
        "not in force" if idle else "matched" if matched else "not matched",
        matched is not None and matched.turned_on_unknown,
        idle or _words(question, rule, matched=matched is not None),
        (*_notes(question, rule), *_notes_on(matched, question)),
    )


def _words(question: Question, rule: Rule, *, matched: bool) -> str:
    if isinstance(rule, Share) and not mode_allows(rule, question.event):
        return f"mode is {question.event.mode}, and a rule that does not name mode shares only when it is actual"
    first = next(_telling(question, rule, matched=matched), None)
    if first is not None:
        return first
    if not rule.when:
        return "it has no `when`: it always holds"
    return " and ".join(describe(condition, _when_view(question, rule)) for condition in rule.when)


def _when_view(question: Question, rule: Rule) -> View:
    return question.present if isinstance(rule, Share) else question.remembered


def _telling(question: Question, rule: Rule, *, matched: bool) -> Iterator[str]:
    """What decided against the rule, else what was unknown, the telling first."""
    view = _when_view(question, rule)
    if not matched:
        yield from _conditions(rule.when, Truth.FALSE, view)
        yield from _blocks(rule, Truth.TRUE, question.present)
    yield from _conditions(rule.when, Truth.UNKNOWN, view)
    yield from _blocks(rule, Truth.UNKNOWN, question.present)


def _conditions(block: Block, truth: Truth, view: View) -> Iterator[str]:
    for condition in block:
        if condition_truth(condition, view) is truth:
            yield describe(condition, view)


def _blocks(rule: Rule, truth: Truth, view: View) -> Iterator[str]:
    for block in rule.unless:
        if block_truth(block, view) is truth:
            words = _conditions(block, truth, view)
            yield f"unless: {' and '.join(words)}"


def describe(condition: Condition, view: View) -> str:
    """One condition against one event: ``grade is scheduled, not emergency or priority``."""
    truth = condition_truth(condition, view)
    negation = "" if truth is Truth.TRUE else "not "
    match condition.attribute:
        case "addressed":
            return f"the event is {negation}addressed to {view.recipient}"
        case "holder":
            return f"{view.recipient} does {negation}hold the incident".replace("does hold", "holds")
        case "area" | "near":
            return _whereabouts(condition, view, truth)
    wanted = (" and " if condition.needs_all else " or ").join(condition.values)
    relation = {
        Truth.TRUE: f"as asked ({wanted})",
        Truth.FALSE: f"not {wanted}",
        Truth.UNKNOWN: f"so whether {wanted} is unknown",
    }
    return f"{_found(condition, view)}, {relation[truth]}"


def _whereabouts(condition: Condition, view: View, truth: Truth) -> str:
    where = " or ".join(condition.values)
    if condition.attribute == "near":
        where = f"within {condition.within_m} m of the area of {where}"
    if truth is Truth.TRUE:
        return f"a place lies in {where}".replace("lies in within", "lies within")
    found = places(view.event, condition.place)
    if truth is Truth.FALSE:
        return f"no place lies in {where}".replace("lies in within", "lies within")
    if not found:
        why = "no place is stated"
    elif any(place.has_coordinates for place in found):
        why = "a place may lie in it with its uncertainty, or has no coordinates"
    else:
        why = "no place has coordinates"
    return f"{why}, so whether one lies in {where} is unknown".replace("lies in within", "lies within")


def _found(condition: Condition, view: View) -> str:
    event = view.event
    match condition.attribute:
        case "district":
            districts = [place_district(place) or "not stated" for place in places(event, condition.place)]
            return f"district is {', '.join(sorted(set(districts)))}" if districts else "no place is stated"
        case "has":
            return f"the sections that are not empty are {_listed(event.sections)}"
        case "category":
            earlier = view.earlier_categories - {event.category or ""}
            also = f" (stated before or beside it: {_listed(earlier)})" if earlier else ""
            return f"category is {event.category or 'not stated'}{also}"
        case "qualifiers" | "flags" | "caveats" | "handling":
            codes: frozenset[str] | None = getattr(event, condition.attribute)
            unstated = codes is None or codes == {UNKNOWN}
            return f"{condition.attribute} {'is not stated' if unstated else 'are ' + _listed(codes or frozenset())}"
        case _:
            return f"{condition.attribute} is {getattr(event, condition.attribute) or 'not stated'}"


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words)) or "none"


def _notes(question: Question, rule: Rule) -> Iterator[str]:
    event = question.event
    read = {condition.attribute for block in (rule.when, *rule.unless) for condition in block}
    for attribute, reason in sorted(question.bundle.never_stated(event.origin).items()):
        if attribute in read and getattr(event, attribute) is None:
            yield f"{attribute} not stated counts as none for {event.origin}: {reason}"


def _notes_on(matched: Match | None, question: Question) -> Iterator[str]:
    if matched is None or not matched.refers:
        return
    if matched.rule.outcome == "forbid":
        yield "a forbid in doubt: it asks a person, as the agreement's `doubt` says"
    if matched.stopped:
        yield "its agreement has ended or is suspended: it withholds, and opens no case"
    elif question.event.mode != "actual":
        yield f"mode is {question.event.mode}: it withholds, and opens no case"
