"""One small change to a bundle at a time: what could have been written by a slip, or left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Final, TypeVar

from routing.agreements.bundle import Bundle
from routing.agreements.model import Agreement, Rule

T = TypeVar("T")
MOST_OF_A_LIST: Final = 3
"""Of a long list (members, sections) so many are taken out, and so many put in."""


@dataclass(frozen=True)
class Mutant:
    """A bundle with one small change."""

    bundle: Bundle
    agreement: str
    """Of the agreement that is changed; empty: ``bundle.yaml`` is."""
    rule: str
    """Of the rule; empty: the file's own words are changed."""
    operator: str
    """The kind of change, for counting: ``drop-condition``."""
    change: str
    """In words, with a participle: ``no longer granting vehicles``."""
    days: tuple[date, ...]
    """On which it may decide otherwise."""
    about: str = ""
    """The attribute of the condition that is changed, where one is: what varies it is tried first."""

    @property
    def place(self) -> str:
        """Where the change is: ``WPN-2026-01 / border``."""
        return " / ".join(part for part in (self.agreement, self.rule) if part) or "bundle.yaml"


@dataclass(frozen=True)
class RuleChange:
    """A rule as it would be after a change; None: gone."""

    operator: str
    change: str
    rule: Rule | None
    about: str = ""


def few(among: Iterable[T], seed: str, most: int = MOST_OF_A_LIST) -> list[T]:
    """Some of a long list, always the same ones, in their order."""
    listed = list(among)
    if len(listed) <= most:
        return listed
    chosen = Random(seed).sample(range(len(listed)), most)  # noqa: S311  a choice, no secret
    return [listed[each] for each in sorted(chosen)]


def day_in_force(agreement: Agreement, day: date) -> date:
    """The day itself, or the nearest on which the agreement is in force."""
    last = agreement.ends or date.max
    return min(max(day, agreement.starts), last)


def with_agreement(bundle: Bundle, changed: Agreement) -> Bundle:
    """The bundle with this agreement in the place of the one of its id."""
    agreements = tuple(changed if each.id == changed.id else each for each in bundle.agreements)
    return replace(bundle, agreements=agreements)


def with_rule(agreement: Agreement, old: Rule, new: Rule | None) -> Agreement:
    """The agreement with one rule changed or taken out."""
    return replace(agreement, rules=_replaced(agreement.rules, old, new))


def _replaced(rules: Sequence[Rule], old: Rule, new: Rule | None) -> tuple[Rule, ...]:
    return tuple(found for each in rules if (found := new if each is old else each) is not None)


def mutants_of(bundle: Bundle, day: date) -> Iterator[Mutant]:
    """Every small change, one at a time.

    Args:
        bundle: a loaded bundle.
        day: on which it is taken to be in force; an agreement that is not, on the nearest day on which it is.
    """
    from deploy.agreement_tools.mutants.of_agreements import changed_agreements, changed_bundles  # noqa: PLC0415
    from deploy.agreement_tools.mutants.of_rules import changed_rules  # noqa: PLC0415

    for agreement in bundle.agreements:
        days = (day_in_force(agreement, day),)
        for rule in agreement.rules:
            for found in changed_rules(bundle, agreement, rule):
                changed = with_agreement(bundle, with_rule(agreement, rule, found.rule))
                yield Mutant(changed, agreement.id, rule.id, found.operator, found.change, days, found.about)
        for operator, change, new, of_change in changed_agreements(bundle, agreement):
            changed = with_agreement(bundle, new)
            yield Mutant(changed, agreement.id, "", operator, change, of_change or days)
    for operator, change, changed in changed_bundles(bundle):
        yield Mutant(changed, "", "", operator, change, (day,))
