"""A third opinion on permit and forbid, from a policy engine that others wrote: Cedar.

Cedar knows two values of truth, and skips a policy whose condition errors: so events here state everything, and rules
are of the two kinds that both languages have. The rest of the language is ours alone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import cedarpy
import pytest

from routing.agreements import Bundle, Considered, decide, recipients
from routing.agreements.engine import Engine
from routing.agreements.model import Agreement, Block, Condition, Forbid, Rule, Share
from schemas.sections import SECTIONS
from tests.routing.agreements.generated import CODES, NOON, SETS, Maker

PARTS = ("head", *SECTIONS)
WORDS = ("grade", "status", "kind", "marking")
BUNDLES = 40


class Plain(Maker):
    """Makes what Cedar can say, and events that leave nothing open."""

    def condition(self) -> Condition:
        attribute: Any = self.one(("category", *SETS, *WORDS, "has", "addressed"))
        if attribute == "addressed":
            return Condition(attribute)
        if attribute == "has":
            return Condition(attribute, self.few(SECTIONS, 2), needs_all=self.chance(0.4))
        return Condition(attribute, self.few(CODES[attribute]), needs_all=attribute in SETS and self.chance(0.4))

    def rule(self, name: str, *, standing: bool) -> Rule:
        while not isinstance(rule := super().rule(name, standing=False), Share | Forbid):
            pass
        return replace(rule, on_doubt_share=False) if isinstance(rule, Share) else rule

    def agreement(self, name: str) -> Agreement:
        made = super().agreement(name)
        return replace(
            made,
            starts=NOON.date(),
            ends=None,
            doubt=(),
            signatures=tuple(
                replace(made.signatures[0], member=member, signed_on=NOON.date()) for member in made.origins
            ),
        )

    def bundle(self) -> Bundle:
        return replace(super().bundle(), never_states=(), suspended=())

    def event(self, bundle: Bundle, **changes: Any) -> Considered:
        stated = {name: frozenset(self.some(self.leaves(name), 2)) for name in SETS}
        words = {name: self.one(CODES[name]) for name in WORDS}
        made = super().event(bundle, **stated, **words, category=self.one(self.leaves("category")), mode="actual")
        return replace(made, opening_category=None, closing_category=None, **changes)

    @staticmethod
    def leaves(attribute: str) -> tuple[str, ...]:
        """Codes with none beneath them: an upper one would leave rules about those unknown."""
        return tuple(
            code for code in CODES[attribute] if not any(other.startswith(code + "/") for other in CODES[attribute])
        )


def in_cedar(origin: str, rule: Rule) -> str:
    effect = "permit" if isinstance(rule, Share) else "forbid"
    parts = ("head", *rule.grant) if isinstance(rule, Share) else getattr(rule, "sections", ())
    whom = ", ".join(f'Member::"{name}"' for name in rule.recipients)
    what = ", ".join(f'Action::"{part}"' for part in parts)
    to = f"when {{ [{whom}].contains(principal) }}"
    when = f"when {{ {block(rule.when)} }}" if rule.when else ""
    unless = f"unless {{ {' || '.join(map(block, rule.unless))} }}" if rule.unless else ""
    scope = f'principal, action in [{what}], resource == Event::"{origin}"'
    return f"{effect}({scope}) {to} {when} {unless};"


def block(conditions: Block) -> str:
    return "(" + " && ".join(map(condition, conditions)) + ")"


def condition(found: Condition) -> str:
    values = json.dumps(list(found.values))
    if found.attribute == "addressed":
        return "context.addressees.contains(principal)"
    if found.attribute in WORDS:
        return f"{values}.contains(context.{found.attribute})"
    return f'context["{found.attribute}"].contains{"All" if found.needs_all else "Any"}({values})'


def context(event: Considered) -> dict[str, Any]:
    """Codes with those above them, so that containing one is lying at or beneath it."""
    sets = {name: sorted({up for code in getattr(event, name) for up in upwards(code)}) for name in SETS}
    words = {name: getattr(event, name) for name in WORDS}
    named = [{"__entity": {"type": "Member", "id": name}} for name in sorted(event.addressees)]
    return {
        **sets,
        **words,
        "category": upwards(event.category or ""),
        "has": sorted(event.sections),
        "addressees": named,
    }


def upwards(code: str) -> list[str]:
    words = code.split("/")
    return ["/".join(words[:end]) for end in range(1, len(words) + 1)]


def cedar_says(bundle: Bundle, event: Considered) -> dict[str, dict[str, str]]:
    """For each recipient the state of each part by itself."""
    policies = [
        in_cedar(event.origin, rule)
        for agreement in bundle.agreements
        if event.origin in agreement.origins
        for rule in agreement.rules
    ]
    asked = [(name, part) for name in recipients(bundle, event.origin) for part in PARTS]
    requests = [
        {
            "principal": f'Member::"{name}"',
            "action": f'Action::"{part}"',
            "resource": f'Event::"{event.origin}"',
            "context": context(event),
        }
        for name, part in asked
    ]
    said: dict[str, dict[str, str]] = {}
    for (name, part), answer in zip(asked, cedarpy.is_authorized_batch(requests, "\n".join(policies), []), strict=True):
        assert answer.diagnostics.errors == []
        denied = "forbidden" if answer.diagnostics.reasons else "withheld"
        said.setdefault(name, {})[part] = "granted" if answer.allowed else denied
    return said


def with_the_head(own: dict[str, str]) -> dict[str, str]:
    """If the head is not granted, every section that is not forbidden takes the head's state."""
    head = own["head"]
    return {part: state if head == "granted" or state == "forbidden" else head for part, state in own.items()}


@pytest.mark.parametrize("number", range(BUNDLES))
def test_cedar_permits_and_forbids_the_same(number: int):
    maker = Plain(f"cedar/{number}")
    bundle = maker.bundle()
    engine = Engine(bundle, tuple)
    for event in [maker.event(bundle) for _ in range(3)]:
        said = cedar_says(bundle, event)
        for name, own in said.items():
            decision = decide(bundle, event, name, NOON)
            assert {"head": decision.head, **decision.sections} == with_the_head(own)
        for group in engine.decide(event, NOON):
            for name in group.recipients:
                assert {"head": group.head, **group.decision.sections} == with_the_head(said[name])
