"""What of an incident's rulings still counts once an event was decided."""

from __future__ import annotations

from datetime import datetime

from routing.agreements.considered import Considered
from routing.agreements.rulings import stands
from routing.agreements.state import Discretion, Refusal, Release, Ruling


def refusals_standing(refusals: tuple[Refusal, ...], event: Considered) -> tuple[Refusal, ...]:
    """Those that stand still: once a grade has risen, or a hazard or flag was added, a refusal is over for good."""
    return tuple(refusal for refusal in refusals if stands(refusal, event))


def releases_running(releases: tuple[Release, ...], now: datetime) -> tuple[Release, ...]:
    """Those whose limit has not passed."""
    return tuple(release for release in releases if _runs(release, now))


def discretions_running(rulings: tuple[Discretion, ...], sequence: int, now: datetime) -> tuple[Discretion, ...]:
    """Those whose limit has not passed, and that cover this event or later ones."""
    return tuple(
        ruling for ruling in rulings if _runs(ruling, now) and (ruling.sequence is None or ruling.sequence >= sequence)
    )


def _runs(ruling: Ruling, now: datetime) -> bool:
    return ruling.until is None or now < ruling.until
