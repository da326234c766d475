"""The policy of `rules` with two more members that are granted each event, and with people who may take one back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from routing.agreements.bundle import Bundle
from routing.agreements.model import Forbid, RoleHolders, Rule, Share
from tests.bench.rules import GRANTED, ORIGIN, bench_bundle

MANAGER: Final = "force-incident-manager"
PERSON: Final = "fim.desk"
FAN_OUT: Final = 5


def wide_bundle() -> Bundle:
    """To five members, as far as protections let it."""
    bundle = bench_bundle()
    first = bundle.agreements[0]
    share = next(rule for rule in first.rules if isinstance(rule, Share) and rule.recipients[0] in GRANTED)
    more = tuple(
        replace(share, id=f"wider-{number}", recipients=(member,), grant=("classification", "locations", "vehicles"))
        for number, member in enumerate(_least_forbidden(bundle))
    )
    wider = replace(first, id="B-WIDER", rules=more)
    roles = (RoleHolders(MANAGER, ORIGIN, (PERSON,)),)
    return replace(bundle, agreements=(*bundle.agreements, wider), roles=roles)


def granted() -> tuple[str, ...]:
    """The members that are granted each event, as far as protections let it."""
    return (*GRANTED, *_least_forbidden(bench_bundle()))


def _least_forbidden(bundle: Bundle) -> tuple[str, ...]:
    """Of the other members, those to whom the fewest rules forbid the head."""
    rules: list[Rule] = [rule for agreement in bundle.agreements for rule in agreement.rules]
    forbids = [rule for rule in rules if isinstance(rule, Forbid) and "head" in rule.sections]
    others = [facts.id for facts in bundle.members if facts.receives and facts.id not in (ORIGIN, *GRANTED)]
    ranked = sorted(others, key=lambda member: (sum(member in rule.recipients for rule in forbids), member))
    return tuple(ranked[: FAN_OUT - len(GRANTED)])
