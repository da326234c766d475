"""What Prometheus says by itself: of its alerts (``ALERTS``, ``ALERTS_FOR_STATE``), and of who answers it (``up``).

An alert names whom it is about in one of three labels: origin, recipient or member.
"""

from __future__ import annotations

from typing import Final

from deploy.dashboards.promql import as_member
from schemas.ops.metric_catalogue import SERVICES

FIRING: Final = 'alertstate="firing"'
_WHOSE: Final = ("origin", "recipient", "member")


def firing() -> str:
    """How many alerts fire; 0 if none does."""
    return f"count(ALERTS{{{FIRING}}}) or vector(0)"


def firing_by_member() -> str:
    """How many alerts fire about each member; nothing for those without."""
    about = (_about(f'ALERTS{{{FIRING}, {label}!=""}}', label) for label in _WHOSE)
    return f"count by (member) ({' or '.join(about)})"


def firing_since() -> str:
    """For each alert that fires and each member it is about: since when its condition has held, in ms since 1970."""
    fires = f"ALERTS_FOR_STATE * 1000 and ignoring (alertstate) ALERTS{{{FIRING}}}"
    return f"min by (alertname, severity, member) ({as_member(as_member(fires, 'origin'), 'recipient')})"


def firing_about(member: str) -> str:
    """How many alerts fire about one member, as origin or as recipient; 0 if none does."""
    return f"count({marks(member)}) or vector(0)"


def firing_about_since(member: str) -> str:
    """For each alert that fires about one member: since when its condition has held, in ms since 1970."""
    begun = " or ".join(f'ALERTS_FOR_STATE{{{label}="{member}"}}' for label in _WHOSE)
    return f"min by (alertname, severity) (({begun}) * 1000 and ignoring (alertstate) ({marks(member)}))"


def marks(member: str = "") -> str:
    """What marks graphs: alerts that fire, all of them or those about one member."""
    if not member:
        return f"ALERTS{{{FIRING}}}"
    return " or ".join(f'ALERTS{{{FIRING}, {label}="{member}"}}' for label in _WHOSE)


def silent_processes() -> str:
    """How many of the processes that Prometheus asks do not answer; 0 if it asks none."""
    return f'sum(1 - up{{job=~"{"|".join(SERVICES)}"}}) or vector(0)'


def _about(expression: str, label: str) -> str:
    return expression if label == "member" else as_member(expression, label)
