"""Why each rule matched or did not, in words: what ``huecry explain`` shows to the origin, and to nobody else.

The words name codes, districts and days; a ``Considered`` holds nothing more personal than those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from routing.agreements.bundle import Bundle
from routing.agreements.conditions import Truth, block_truth, condition_truth, place_district, places
from routing.agreements.considered import Considered
from routing.agreements.interpret import london_day, match_rule, mode_allows, out_of_force, with_never_states
from routing.agreements.model import Block, Condition, Rule, Share


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
    """The sets it reads that the origin never states, with the reason declared."""


def explain_rules(bundle: Bundle, considered: Considered, recipient: str, now: datetime) -> list[RuleTrace]:
    """One trace for every rule from the event's origin to the recipient, sorted by agreement, then rule."""
    event = with_never_states(bundle, considered)
    traces = []
    for agreement, rule in bundle.rules_between(considered.origin, recipient):
        idle = out_of_force(bundle, agreement, rule, considered.origin, london_day(now))
        matched = None if idle else match_rule(agreement, rule, event, recipient)
        traces.append(
            RuleTrace(
                agreement.id,
                rule.id,
                rule.outcome,
                "not in force" if idle else "matched" if matched else "not matched",
                matched is not None and matched.turned_on_unknown,
                idle or _words(rule, event, recipient, matched=matched is not None),
                _notes(bundle, considered, rule),
            )
        )
    return traces


def _words(rule: Rule, event: Considered, recipient: str, *, matched: bool) -> str:
    if isinstance(rule, Share) and not mode_allows(rule, event):
        return f"mode is {event.mode}, and a rule that does not name mode shares only when it is actual"
    first = next(_telling(rule, event, recipient, matched=matched), None)
    if first is not None:
        return first
    if not rule.when:
        return "it has no `when`: it always holds"
    return " and ".join(describe(condition, event, recipient) for condition in rule.when)


def _telling(rule: Rule, event: Considered, recipient: str, *, matched: bool) -> Iterator[str]:
    """What decided against the rule, else what was unknown, the telling first."""
    if not matched:
        yield from _conditions(rule.when, Truth.FALSE, event, recipient)
        yield from _blocks(rule, Truth.TRUE, event, recipient)
    yield from _conditions(rule.when, Truth.UNKNOWN, event, recipient)
    yield from _blocks(rule, Truth.UNKNOWN, event, recipient)


def _conditions(block: Block, truth: Truth, event: Considered, recipient: str) -> Iterator[str]:
    for condition in block:
        if condition_truth(condition, event, recipient) is truth:
            yield describe(condition, event, recipient)


def _blocks(rule: Rule, truth: Truth, event: Considered, recipient: str) -> Iterator[str]:
    for block in rule.unless:
        if block_truth(block, event, recipient) is truth:
            words = _conditions(block, truth, event, recipient)
            yield f"unless: {' and '.join(words)}"


def describe(condition: Condition, event: Considered, recipient: str) -> str:
    """One condition against one event: ``grade is scheduled, not emergency or priority``."""
    truth = condition_truth(condition, event, recipient)
    if condition.attribute == "addressed":
        return f"the event is {'' if truth is Truth.TRUE else 'not '}addressed to {recipient}"
    wanted = (" and " if condition.needs_all else " or ").join(condition.values)
    relation = {
        Truth.TRUE: f"as asked ({wanted})",
        Truth.FALSE: f"not {wanted}",
        Truth.UNKNOWN: f"so whether {wanted} is unknown",
    }
    return f"{_found(condition, event)}, {relation[truth]}"


def _found(condition: Condition, event: Considered) -> str:
    match condition.attribute:
        case "district":
            districts = [place_district(place) or "not stated" for place in places(event, condition.place)]
            return f"district is {', '.join(sorted(set(districts)))}" if districts else "no place is stated"
        case "has":
            return f"the sections that are not empty are {_listed(event.sections)}"
        case "qualifiers" | "flags" | "caveats" | "handling":
            codes: frozenset[str] | None = getattr(event, condition.attribute)
            return (
                f"{condition.attribute} is not stated"
                if codes is None
                else f"{condition.attribute} are {_listed(codes)}"
            )
        case _:
            return f"{condition.attribute} is {getattr(event, condition.attribute) or 'not stated'}"


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words)) or "none"


def _notes(bundle: Bundle, considered: Considered, rule: Rule) -> tuple[str, ...]:
    read = {condition.attribute for block in (rule.when, *rule.unless) for condition in block}
    return tuple(
        f"{attribute} not stated counts as none for {considered.origin}: {reason}"
        for attribute, reason in sorted(bundle.never_stated(considered.origin).items())
        if attribute in read and getattr(considered, attribute) is None
    )
