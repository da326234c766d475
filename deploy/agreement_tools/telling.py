"""Answers for a person to read: the outcome first, then part by part, then a tree of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from rich.markup import escape
from rich.tree import Tree

from deploy.agreement_tools.asking import Answer
from deploy.desk.moments import span
from routing.agreements import Bundle, Decision
from routing.agreements.decision import HEAD
from routing.agreements.explain import RuleTrace
from routing.agreements.force import LONDON

_SIGNS: Final = {"matched": "[green]✓[/]", "not matched": "[dim]✗[/]", "not in force": "[dim]·[/]"}
_ORDER: Final = tuple(_SIGNS)


def answer_as_tree(bundle: Bundle, answer: Answer) -> Tree:
    """One answer as a tree."""
    decision, event = answer.decision, answer.event
    local = answer.at.astimezone(LONDON)
    tree = Tree(
        f"[bold]{escape(event.event_id or event.place)}[/] from {event.considered.origin} to "
        f"[bold]{decision.recipient}[/]: [bold]{decision.outcome.replace('-', ' ')}[/]"
    )
    tree.add(f"at {local:%Y-%m-%d %H:%M:%S %Z}, under policy version {bundle.version} ({bundle.hash[:12]})")
    for line in _terms(decision):
        tree.add(escape(line))
    parts = tree.add("part by part")
    for line in _parts(decision, event.considered.sections):
        parts.add(escape(line))
    rules = tree.add(
        f"every rule from {event.considered.origin} to {decision.recipient}" if answer.rules else "no rule"
    )
    for trace in sorted(answer.rules, key=lambda trace: _ORDER.index(trace.state)):
        _add_rule(rules, trace)
    return tree


def _terms(decision: Decision) -> Iterator[str]:
    if decision.action != "none":
        yield f"sent as: {decision.action}" + (f", of {', '.join(decision.withdraws)}" if decision.withdraws else "")
    if decision.head == "granted":
        kept = "" if decision.retain_days is None else f"kept {decision.retain_days} days from closing; "
        review = "; an agreement is past its review day" if decision.under_review else ""
        yield f"{kept}passing on: {decision.onward}{review}"
    for referral in decision.referrals:
        steps = ", then ".join(f"{step.role} within {span(timedelta(seconds=step.within_s))}" for step in referral.path)
        why = f" ({referral.why})" if referral.why else ""
        yield f"asks {steps} about {', '.join(referral.parts)}: {referral.agreement} / {referral.rule}{why}"
    if decision.without_news:
        yield "it holds the incident and learns nothing of this event: the origin is told"


def _parts(decision: Decision, full: Iterable[str]) -> Iterator[str]:
    """The head and every section that the event fills or the member is granted; the rest is empty and not granted."""
    stated = set(full)
    grounds: dict[str, list[str]] = {}
    for ground in decision.grounds:
        grounds.setdefault(ground.section, []).append(f"{ground.agreement} / {ground.rule}")
    yield _part(HEAD, decision.head, grounds, "")
    for section, state in decision.sections.items():
        if section in stated or section in decision.covers:
            empty = "" if section in stated else " (empty: it learns that there is none)"
            placed = decision.locate.get(section, "exact")
            yield _part(section, state, grounds, ("" if placed == "exact" else f", places to {placed}") + empty)


def _part(part: str, state: str, grounds: dict[str, list[str]], more: str) -> str:
    by = f" by {', '.join(grounds[part])}" if part in grounds else ""
    return f"{part:15}{state}{by}{more}"


def _add_rule(rules: Tree, trace: RuleTrace) -> None:
    doubt = " [yellow](turned on something unknown)[/]" if trace.turned_on_unknown else ""
    state = f" [dim]{trace.state}[/]" if trace.state == "not in force" else ""
    branch = rules.add(
        f"{_SIGNS[trace.state]} {trace.outcome} {escape(trace.agreement)} / {escape(trace.rule)}{state}{doubt}"
    )
    for words in (trace.words, *trace.notes):
        branch.add(escape(words))
