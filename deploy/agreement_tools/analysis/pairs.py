"""The pairs of origin and recipient of a bundle, those that are alike put together: each kind is examined once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from routing.agreements.bundle import Bundle
from routing.agreements.force import ended, out_of_force, suspended
from routing.agreements.interpret import recipients
from routing.agreements.model import Agreement, Rule


@dataclass(frozen=True, slots=True)
class Alike:
    """Pairs between which the same rules hold and say the same."""

    pairs: tuple[tuple[str, str], ...]
    """At least one; sorted."""

    @property
    def one(self) -> tuple[str, str]:
        """The pair that stands for all of them."""
        return self.pairs[0]

    def in_words(self) -> str:
        """``west-yorkshire → lancashire, cumbria``; every origin with its recipients."""
        recipients_of: dict[str, list[str]] = {}
        for origin, recipient in self.pairs:
            recipients_of.setdefault(origin, []).append(recipient)
        origins_of: dict[tuple[str, ...], list[str]] = {}
        for origin, towards in recipients_of.items():
            origins_of.setdefault(tuple(towards), []).append(origin)
        return "; ".join(f"{', '.join(origins)} → {', '.join(towards)}" for towards, origins in origins_of.items())


def alike(bundles: tuple[Bundle, ...], day: date) -> Iterator[tuple[Alike, tuple[Any, ...]]]:
    """Every pair of any of the bundles, grouped; with each group what each bundle says between them.

    Two groups differ in a rule in force, in what an origin never states, in an area that a rule looks at, or in whether
    an agreement has stopped.
    """
    pairs = {(member.id, to) for bundle in bundles for member in bundle.members for to in recipients(bundle, member.id)}
    groups: dict[tuple[Any, ...], list[tuple[str, str]]] = {}
    for pair in sorted(pairs):
        groups.setdefault(tuple(said_between(bundle, *pair, day) for bundle in bundles), []).append(pair)
    for said, members in groups.items():
        yield Alike(tuple(members)), said


def said_between(bundle: Bundle, origin: str, recipient: str, day: date) -> tuple[Any, ...]:
    """All that what happens between two members turns on, in a form that can be compared."""
    rules = []
    for agreement, rule in bundle.rules_between(origin, recipient):
        if out_of_force(bundle, agreement, rule, origin, day) is None:
            stopped = bool(ended(agreement, day) or suspended(bundle, agreement))
            rules.append((_bare(agreement), replace(rule, recipients=()), stopped))
    if not rules:
        return ()
    return (tuple(rules), frozenset(bundle.never_stated(origin)), _areas(bundle, rules, origin, recipient))


def _bare(agreement: Agreement) -> tuple[Any, ...]:
    return (agreement.id, agreement.onward, agreement.follow_hours, agreement.doubt)


def _areas(bundle: Bundle, rules: list[Any], origin: str, recipient: str) -> tuple[Any, ...]:
    """The areas that the rules look at, each with its outline."""
    outline: Mapping[str, str] = {area.name: area.geometry for area in bundle.areas}
    found: list[tuple[str, str | None]] = []
    for _, rule, _ in rules:
        for condition in _conditions(rule):
            if condition.attribute == "area":
                found += [(name, outline.get(name)) for name in condition.values]
            elif condition.attribute == "near":
                named = {"origin": origin, "recipient": recipient}.get(condition.values[0], condition.values[0])
                area = bundle.area_by_member.get(named)
                found.append((area or "", outline.get(area or "")))
    return tuple(dict.fromkeys(found))


def _conditions(rule: Rule) -> Iterator[Any]:
    for block in (rule.when, *rule.unless):
        yield from block
