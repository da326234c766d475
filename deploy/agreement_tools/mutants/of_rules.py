"""Changes of a rule: gone, of another outcome, granting or covering more or less, towards more or fewer members."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from deploy.agreement_tools.mutants.changes import RuleChange, few
from deploy.agreement_tools.mutants.of_conditions import changed_conditions
from routing.agreements.bundle import Bundle
from routing.agreements.model import (
    FINEST_FIRST,
    STRICTEST_FIRST,
    Agreement,
    Forbid,
    Limit,
    Refer,
    Rule,
    Share,
    Step,
    Terms,
)
from schemas.sections import SECTIONS

T = TypeVar("T")
HEAD: Final = "head"
_ALL: Final = (HEAD, *SECTIONS)
_ON_DOUBT: Final = ({"emergency-response", "public-safety"}, {"locations", "hazards", "casualties"})
_A_QUARTER_S: Final = 900


def changed_rules(bundle: Bundle, agreement: Agreement, rule: Rule) -> Iterator[RuleChange]:
    """Every change of one rule."""
    yield RuleChange("drop-rule", "leaving out the rule", None)
    yield from _of_another_outcome(bundle, agreement, rule)
    for found in changed_conditions(bundle, rule):
        changed = replace(rule, when=found.when, unless=found.unless)
        yield RuleChange(found.operator, found.change, changed, found.about)
    yield from _towards_others(bundle, agreement, rule)
    if isinstance(rule, Share):
        yield from _of_share(agreement, rule)
    elif isinstance(rule, Limit):
        yield from _of_limit(rule)
    else:
        yield from _covering(agreement, rule)
        change = "without `silent: true`" if rule.silent else "with `silent: true`"
        yield RuleChange("silent", change, replace(rule, silent=not rule.silent), "holder")
    if isinstance(rule, Refer):
        yield from _of_refer(rule)


def _of_another_outcome(bundle: Bundle, agreement: Agreement, rule: Rule) -> Iterator[RuleChange]:
    """Share for forbid, refer for share, and so on, where such a rule could stand in the file."""
    if isinstance(rule, Limit):
        return
    sections = rule.grant if isinstance(rule, Share) else rule.sections
    if not isinstance(rule, Forbid):
        covered = sections or (HEAD,)
        forbid = Forbid(id=rule.id, recipients=rule.recipients, sections=covered, when=rule.when, unless=rule.unless)
        yield RuleChange("outcome", "forbidding instead", forbid)
    if not isinstance(rule, Share) and (terms := _terms(agreement)):
        grant = tuple(section for section in sections if section in agreement.ceiling)
        share = Share(
            id=rule.id, recipients=rule.recipients, grant=grant, terms=terms, when=rule.when, unless=rule.unless
        )
        yield RuleChange("outcome", "sharing instead", share)
    if not isinstance(rule, Refer) and bundle.roles:
        path = (Step(bundle.roles[0].role, _A_QUARTER_S),)
        refer = Refer(
            id=rule.id,
            recipients=rule.recipients,
            sections=sections or (HEAD,),
            path=path,
            when=rule.when,
            unless=rule.unless,
        )
        yield RuleChange("outcome", f"asking {path[0].role} first instead", refer)


def _terms(agreement: Agreement) -> Terms | None:
    """Those of another share rule of the file."""
    return next((rule.terms for rule in agreement.rules if isinstance(rule, Share)), None)


def _towards_others(bundle: Bundle, agreement: Agreement, rule: Rule) -> Iterator[RuleChange]:
    now, seed = rule.recipients, f"{agreement.id}/{rule.id}"
    if len(now) > 1:
        for member in few(now, seed):
            rest = tuple(each for each in now if each != member)
            yield RuleChange("drop-recipient", f"no longer towards {member}", replace(rule, recipients=rest))
    others = [member for member in bundle.receivers if member not in now and {member} != set(agreement.origins)]
    for member in few(others, seed):
        more = tuple(sorted((*now, member)))
        yield RuleChange("add-recipient", f"towards {member} too", replace(rule, recipients=more))


def _of_share(agreement: Agreement, rule: Share) -> Iterator[RuleChange]:
    for section in rule.grant:
        rest = tuple(each for each in rule.grant if each != section)
        yield RuleChange("drop-section", f"no longer granting {section}", replace(rule, grant=rest))
    for section in (each for each in agreement.ceiling if each not in rule.grant):
        more = tuple(each for each in SECTIONS if each in (*rule.grant, section))
        yield RuleChange("add-section", f"granting {section} too", replace(rule, grant=more))
    for locate in beside(FINEST_FIRST, rule.locate):
        change = f"telling places at {locate} instead of {rule.locate}"
        yield RuleChange("locate", change, replace(rule, locate=locate))
    purposes, sections = _ON_DOUBT
    if rule.on_doubt_share:
        yield RuleChange("on-doubt", "without `on_doubt: share`", replace(rule, on_doubt_share=False))
    elif rule.terms.purpose in purposes and sections.issuperset(rule.grant):
        yield RuleChange("on-doubt", "with `on_doubt: share`", replace(rule, on_doubt_share=True))
    for days in _another_retention(rule.terms.retain_days):
        change = f"keeping it {days} days instead of {rule.terms.retain_days}"
        yield RuleChange("retain", change, replace(rule, terms=replace(rule.terms, retain_days=days)))


def _another_retention(days: int) -> list[int]:
    return [each for each in (days - 1, days + 1) if each > 0]


def beside(ordered: Sequence[T], value: T) -> list[T]:
    """The steps before and after."""
    place = ordered.index(value)
    return [*ordered[max(place - 1, 0) : place], *ordered[place + 1 : place + 2]]


def _of_limit(rule: Limit) -> Iterator[RuleChange]:
    for locate in beside(FINEST_FIRST, rule.locate) if rule.locate != "exact" else ():
        change = f"capping places at {locate} instead of {rule.locate}"
        yield RuleChange("locate", change, replace(rule, locate=locate))
    if rule.retain_days is not None:
        yield RuleChange("retain", "no longer capping how long it is kept", replace(rule, retain_days=None))
        for days in _another_retention(rule.retain_days):
            change = f"capping at {days} days instead of {rule.retain_days}"
            yield RuleChange("retain", change, replace(rule, retain_days=days))
    if rule.onward is not None:
        yield RuleChange("onward", "no longer capping onward use", replace(rule, onward=None))
        for onward in beside(STRICTEST_FIRST, rule.onward):
            change = f"capping onward use at {onward} instead of {rule.onward}"
            yield RuleChange("onward", change, replace(rule, onward=onward))


def _covering(agreement: Agreement, rule: Refer | Forbid) -> Iterator[RuleChange]:
    seed = f"{agreement.id}/{rule.id}"
    now = rule.sections
    if len(now) > 1:
        dropped = [HEAD, *few(now[1:], seed)] if now[0] == HEAD else few(now, seed)
        for part in dropped:
            rest = tuple(each for each in now if each != part)
            yield RuleChange("drop-section", f"no longer covering {part}", replace(rule, sections=rest))
    others = [part for part in _ALL if part not in now]
    for part in dict.fromkeys([*others[:1], *few(others, seed)]):
        more = tuple(each for each in _ALL if each in (*now, part))
        yield RuleChange("add-section", f"covering {part} too", replace(rule, sections=more))


def _of_refer(rule: Refer) -> Iterator[RuleChange]:
    change = "without `invite: true`" if rule.invite else "with `invite: true`"
    yield RuleChange("invite", change, replace(rule, invite=not rule.invite))
    for number, step in enumerate(rule.path):
        rest = (*rule.path[:number], *rule.path[number + 1 :])
        if rest:
            yield RuleChange("path", f"without {step.role} in its path", replace(rule, path=rest))
        longer = (*rule.path[:number], replace(step, within_s=step.within_s * 2), *rule.path[number + 1 :])
        yield RuleChange("path", f"giving {step.role} twice as long", replace(rule, path=longer))
    if len(rule.path) > 1:
        yield RuleChange("path", "asking in the reverse order", replace(rule, path=rule.path[::-1]))
