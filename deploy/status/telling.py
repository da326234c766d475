"""A report in words: what is wrong, for whom, since when and why."""

from __future__ import annotations

from typing import Final

from deploy.status.fault import Fault
from deploy.status.watch import Report
from deploy.status.words import duration

_LASTING: Final = frozenset(
    {"kafka", "not-published", "not-routed", "not-delivered", "not-recorded", "suspended", "paused", "process"}
)
"""Faults that have a length; the others are things that happened, or tell their age themselves."""
_WORTH_TELLING_S: Final = 5.0


def sentence(fault: Fault, report: Report) -> str:
    """One fault as it is told: Greater Manchester Police: nothing delivered for 4 min: consumer not reachable (...)."""
    subject = report.names.get(fault.member, fault.member) if fault.member else "Exchange"
    return ": ".join(part for part in (subject, fault.what + _lasting(fault, report), fault.why) if part)


def _lasting(fault: Fault, report: Report) -> str:
    if fault.kind not in _LASTING or fault.since is None or report.at - fault.since < _WORTH_TELLING_S:
        return ""
    # What was there at the first look may have been there long before; a time that a process tells is its own.
    return f" for {'at least ' if fault.since == report.watched_since else ''}{duration(report.at - fault.since)}"


def verdict(report: Report) -> str:
    """The first line of all."""
    if not report.is_answered:
        return "No process answers: nothing is known"
    if not report.is_flowing:
        return "Not everything flows"
    return "All flows, and somebody should look at something" if report.faults else "All flows"
