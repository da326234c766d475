"""What a day does to the rules of one origin: which apply, and which only withhold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from routing.agreements.compile import Compiled
from routing.agreements.force import ended, out_of_force, past_review, suspended
from routing.agreements.model import Agreement, Forbid, Share
from routing.agreements.said import Day


def day_of(compiled: Compiled, origin: str, today: date) -> Day:
    """In force today or not: the same for all share rules of an agreement, and for all its others."""
    bundle = compiled.bundle
    live = stopped = reviewed = 0
    for agreement in compiled.agreements_of.get(origin, ()):
        rules = compiled.of_agreement.get(agreement.id, 0)
        for sample, those in _samples(agreement, rules, compiled.shares):
            if out_of_force(bundle, agreement, sample, origin, today) is None:
                live |= those
        stopped |= rules if ended(agreement, today) or suspended(bundle, agreement) else 0
        reviewed |= rules if past_review(agreement, today) else 0
    return Day(live, stopped, reviewed)


def _samples(agreement: Agreement, rules: int, shares: int) -> Iterator[tuple[Share | Forbid, int]]:
    """Any share rule of the agreement and any other, each for all of their kind."""
    share = next((rule for rule in agreement.rules if isinstance(rule, Share)), None)
    if share is not None:
        yield share, rules & shares
    yield Forbid(id="", recipients=(), sections=()), rules & ~shares
