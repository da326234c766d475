"""The policy of `rules` with two more members that are granted each event, and with people who may take one back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from routing.agreements.bundle import Bundle
from routing.agreements.model import Agreement, Forbid, RoleHolders, Rule, Share
from tests.bench.rules import GRANTED, ORIGIN, bench_bundle

MANAGER: Final = "force-incident-manager"
PERSON: Final = "fim.desk"
MORE: Final = ("force-02", "force-03")
FIVE: Final = (*GRANTED, *MORE)


def wide_bundle() -> Bundle:
    """Every event goes to five members, each with a part of it; nothing forbids any of them the whole."""
    bundle = bench_bundle()
    agreements = tuple(_for_five(agreement) for agreement in bundle.agreements)
    first = agreements[0]
    share = next(rule for rule in first.rules if isinstance(rule, Share) and rule.recipients[0] in GRANTED)
    parts = ("classification", "locations", "vehicles")
    more = tuple(replace(share, id=f"more-{member}", recipients=(member,), grant=parts) for member in MORE)
    roles = (RoleHolders(MANAGER, ORIGIN, (PERSON,)),)
    return replace(bundle, agreements=(*agreements, replace(first, id="B-MORE", rules=more)), roles=roles)


def _for_five(agreement: Agreement) -> Agreement:
    rules = tuple(rule for each in agreement.rules if (rule := _without_more(each)) is not None)
    return replace(agreement, rules=rules)


def _without_more(rule: Rule) -> Rule | None:
    """A rule that forbids the whole, less the two members; None: it concerns nobody else."""
    if not isinstance(rule, Forbid) or "head" not in rule.sections:
        return rule
    left = tuple(member for member in rule.recipients if member not in MORE)
    return replace(rule, recipients=left) if left else None
