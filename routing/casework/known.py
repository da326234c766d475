"""What a ruling is judged by, and what it changes if it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.state import Refusal, Ruling, State
from routing.casework.case import Case, Notice


@dataclass(frozen=True, slots=True)
class Known:
    """What a ruling is judged by."""

    bundle: Bundle
    latest: Considered
    """What conditions read of the incident's latest event."""
    state: State
    """As that event left it."""
    case: Case
    named: frozenset[str] = frozenset()
    """People named in the incident, as the bundle names people."""


class Judged(NamedTuple):
    """What a ruling that counts changes."""

    case: Case
    rulings: tuple[Ruling, ...] = ()
    """To stand among the incident's releases, discretions and overrides."""
    refusals: tuple[Refusal, ...] = ()
    """All that stand from now on: what was asked again is no longer among them."""
    notices: tuple[Notice, ...] = ()
