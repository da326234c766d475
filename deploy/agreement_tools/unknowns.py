"""How often protections turned on something unknown: what a source does not state costs sharing every day."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from consumers.ledger_queries import Recorded
from routing.agreements.state import RuleRef


def turned_on_unknown(recorded: Iterable[Recorded]) -> dict[RuleRef, tuple[int, int]]:
    """Of each refer, forbid and limit rule that matched: in how many decisions, and in how many of these in doubt."""
    matched: Counter[RuleRef] = Counter()
    in_doubt: Counter[RuleRef] = Counter()
    for one in recorded:
        for ref, doubtful in _protections(one.rules):
            matched[ref] += 1
            in_doubt[ref] += doubtful
    return {ref: (count, in_doubt[ref]) for ref, count in matched.items()}


@lru_cache(maxsize=10_000)
def _protections(rules: str) -> tuple[tuple[RuleRef, bool], ...]:
    return tuple(
        (RuleRef(rule["agreement"], rule["rule"]), bool(rule["turned_on_unknown"]))
        for rule in json.loads(rules)
        if rule["outcome"] != "share"
    )


def unknowns_in_words(counts: dict[RuleRef, tuple[int, int]]) -> Iterator[str]:
    """One line a rule, the most doubtful first."""
    for ref, (matched, doubtful) in sorted(counts.items(), key=lambda each: -each[1][1]):
        share = f"{doubtful} of the {matched} decisions it matched" if doubtful else f"none of {matched}"
        yield f"{ref.agreement} / {ref.rule} turned on something unknown in {share}"
    if not counts:
        yield "no refer, forbid or limit rule matched"
