"""What is wrong, gravest first: for whom, what, why, and since when as far as the processes themselves tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from deploy.status.fault import Fault, Kind
from deploy.status.figures import MemberFigures
from deploy.status.flow import Flow
from deploy.status.member_faults import of_member, stalled
from deploy.status.picture import Picture
from deploy.status.process_faults import (
    cut_off,
    of_kafka,
    of_ledgers,
    of_others,
    of_sides,
    of_the_router,
    of_transactions,
)


def faults(flow: Flow, settled: Picture | None, members: Sequence[MemberFigures]) -> tuple[Fault, ...]:
    """What is wrong, gravest first.

    Args:
        flow: from the beginning of the window to now.
        settled: a picture within the window, old enough that what was decided by then must have arrived by now.
        members: the figures of the same flow.
    """
    away = cut_off(flow.now)
    found = [
        *of_kafka(flow.now, away),
        *of_the_router(flow, away),
        *chain.from_iterable(of_sides(flow.now, figures, away) for figures in members),
        *chain.from_iterable(of_member(figures) for figures in members),
        *of_others(flow.now),
        *of_transactions(flow),
        *of_ledgers(flow),
    ]
    told = {(fault.kind, fault.member) for fault in found}
    if settled is not None and not away:
        standing = (stalled(flow, Flow(flow.before, settled), figures) for figures in members)
        found += [fault for fault in chain.from_iterable(standing) if (fault.kind, fault.member) not in told]
    return tuple(sorted((fault for fault in found if not _follows(fault, told)), key=lambda fault: not fault.is_grave))


def _follows(fault: Fault, told: Collection[tuple[Kind, str]]) -> bool:
    """Whether it is but a consequence of another that is told."""
    causes: Mapping[str, tuple[tuple[Kind, str], ...]] = {
        "spool": (("not-published", fault.member), ("kafka", "")),
        "late routing": (("not-routed", ""), ("not-routed", fault.member), ("paused", fault.member), ("kafka", "")),
        "late delivery": (("not-delivered", fault.member), ("kafka", "")),
    }
    return any(cause in told for cause in causes.get(f"{fault.kind} {fault.address}".strip(), ()))
