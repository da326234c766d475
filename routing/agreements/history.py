"""What earlier events stated, as protections read it.

Only the ``when`` of refer, forbid and limit rules reads history; ``unless`` and share rules read the present event.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from routing.agreements.considered import Considered
from routing.agreements.state import History
from schemas.codes import UNKNOWN, stated_part

SETS: Final = ("qualifiers", "flags", "caveats", "handling")
CATEGORIES: Final = ("category", "opening_category", "closing_category")


def stated_code(code: str | None) -> str | None:
    """A last level ``unknown`` is dropped before comparing; ``unknown`` alone, or nothing, is not stated."""
    while code != (code := stated_part(code or None)):
        pass
    return code


def corrected(history: History, event: Considered) -> History:
    """The history, less what a ``corrected`` event takes back.

    It removes a code or category only where its ``changes`` name that field and its snapshot no longer states it.
    """
    if event.kind != "corrected":
        return history
    named: dict[str, Any] = {
        name: getattr(history, name) & _snapshot(event, name) for name in (*SETS, *CATEGORIES) if name in event.changes
    }
    return replace(history, **named)


def history_after(history: History, event: Considered) -> History:
    """The history that the next event of the incident has: every code that was ever stated, ``unknown`` excepted."""
    before = corrected(history, event)
    grown: dict[str, Any] = {name: getattr(before, name) | _codes(getattr(event, name)) for name in SETS}
    for name in CATEGORIES:
        category = stated_code(getattr(event, name))
        grown[name] = getattr(before, name) | ({category} if category else set())
    return replace(before, **grown)


def ever_stated(history: History, event: Considered) -> frozenset[str]:
    """Every full, opening or closing category ever stated, by this event too."""
    after = history_after(history, event)
    return after.category | after.opening_category | after.closing_category


def with_history(history: History, event: Considered) -> Considered:
    """There a set is its present codes and every code an earlier event stated, except ``unknown``.

    A present null adds ``unknown``.     Nulls that count as empty under a never-state must have been made empty before.
    """
    before = corrected(history, event)
    merged: dict[str, Any] = {}
    for name in SETS:
        present: frozenset[str] | None = getattr(event, name)
        earlier = _codes(getattr(before, name))
        merged[name] = (frozenset({UNKNOWN}) if present is None else present) | earlier
    return replace(event, **merged)


def _codes(codes: frozenset[str] | None) -> frozenset[str]:
    return (codes or frozenset()) - {UNKNOWN}


def _snapshot(event: Considered, name: str) -> frozenset[str]:
    """What the event itself states in a field; of categories, in any of the three."""
    if name in SETS:
        return _codes(getattr(event, name))
    categories = (stated_code(getattr(event, each)) for each in CATEGORIES)
    return frozenset(category for category in categories if category)
