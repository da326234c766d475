"""What Prometheus says by itself: of its alerts (``ALERTS``, ``ALERTS_FOR_STATE``), and of who answers it (``up``).

An alert names whom it is about in one of four labels: member, origin, recipient, or whose, which says whom a process
works for, and may also be the exchange.
"""

from __future__ import annotations

from typing import Final

from deploy.dashboards.promql import as_member

JOB: Final = "huecry"
"""What deploy/prometheus/prometheus.yaml calls all processes of ours."""
_FIRING: Final = 'alertstate="firing"'
_WHOSE: Final = ("origin", "recipient", "member", "whose")


def firing() -> str:
    """How many alerts fire; 0 if none does."""
    return f"count(ALERTS{{{_FIRING}}}) or vector(0)"


def firing_by_member(exchange: str) -> str:
    """How many alerts fire about each member; nothing for those without."""
    about = (f'ALERTS{{{_FIRING}, {label}!~"|{exchange}"}}' for label in _WHOSE)
    named = (_with_member(selector, label) for selector, label in zip(about, _WHOSE, strict=True))
    return f"count by (member) ({' or '.join(named)})"


def firing_since() -> str:
    """For each alert that fires, and whom it is about: since when its condition has held, in ms since 1970."""
    fires = f"ALERTS_FOR_STATE * 1000 and ignoring (alertstate) ALERTS{{{_FIRING}}}"
    for label in ("whose", "origin", "recipient"):
        fires = as_member(fires, label)
    return f"min by (alertname, severity, member, service, instance) ({fires})"


def firing_about(member: str) -> str:
    """How many alerts fire about one member or its processes; 0 if none does."""
    return f"count({marks(member)}) or vector(0)"


def firing_about_since(member: str) -> str:
    """For each alert that fires about one member: since when its condition has held, in ms since 1970."""
    begun = " or ".join(f'ALERTS_FOR_STATE{{{label}="{member}"}}' for label in _WHOSE)
    fires = f"({begun}) * 1000 and ignoring (alertstate) ({marks(member)})"
    return f"min by (alertname, severity, service, instance) ({fires})"


def marks(member: str = "") -> str:
    """What marks graphs: alerts that fire, all of them or those about one member."""
    if not member:
        return f"ALERTS{{{_FIRING}}}"
    return " or ".join(f'ALERTS{{{_FIRING}, {label}="{member}"}}' for label in _WHOSE)


def silent_processes() -> str:
    """How many of the processes that Prometheus asks do not answer; 0 if it asks none."""
    return f'sum(1 - up{{job="{JOB}"}}) or vector(0)'


def _with_member(expression: str, label: str) -> str:
    return expression if label == "member" else as_member(expression, label)
