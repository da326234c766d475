"""What the figures of a bench should be, and whether they are.

The sizes are those of design.md: 200 rules and 60 members are typical, 5,000 and 500 the most. A machine that is busy
with other things misses targets that it meets alone; nothing fails for it: ratios to the raw copy say most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

Figures = Mapping[str, Any]


class Target(NamedTuple):
    """One figure, and what it should be."""

    what: str
    figure: Callable[[Figures], float]
    bound: float
    unit: str = ""
    is_least: bool = False
    """The bound is the least; else it is the most."""

    def is_met(self, figures: Figures) -> bool:
        """Whether the figure is within its bound."""
        found = self.figure(figures)
        return found >= self.bound if self.is_least else found <= self.bound

    def told(self, figures: Figures) -> tuple[str, str, str, str]:
        """What, the figure, the bound, and whether it is met: for a table."""
        sign = "≥" if self.is_least else "≤"
        met = "met" if self.is_met(figures) else "not met"
        return self.what, f"{self.figure(figures):.4g}", f"{sign} {self.bound:g} {self.unit}".rstrip(), met


def _places(which: str) -> Callable[[Figures], float]:
    return lambda figures: figures["places_us"][which]


def _latency(which: str) -> Callable[[Figures], float]:
    return lambda figures: figures["latency_ms"]["router"][which] / figures["latency_ms"]["raw"][which]


def _deciding(which: str) -> Callable[[Figures], float]:
    return lambda figures: figures["deciding"][which]


_ROUTER: Final = (
    Target("events/s, router to raw copy", lambda figures: figures["router_to_raw"], 0.20, is_least=True),
    Target("processor time of an event", lambda figures: figures["router_cpu_us_per_event"], 60, "µs"),
    Target("p50, router to raw copy", _latency("p50"), 1.5),
    Target("p99, router to raw copy", _latency("p99"), 1.5),
)
_PLACES: Final = (Target("a place against sixty areas", _places("place_in_60_areas"), 5, "µs"),)
_DECIDING: Final = (
    Target("deciding, seen before", _deciding("warm_us_200_rules_60_members"), 5, "µs"),
    Target("deciding, first sight", _deciding("first_sight_us_200_rules_60_members"), 25, "µs"),
    Target("compiling 5,000 rules for 500 members", _deciding("compile_s_5000_rules_500_members"), 3, "s"),
    Target("deciding by them, first sight", _deciding("first_sight_us_5000_rules_500_members"), 100, "µs"),
)


def targets_of(figures: Figures) -> list[Target]:
    """The targets of what was measured: a quick bench leaves deciding by itself out."""
    return [*_ROUTER, *_PLACES, *(_DECIDING if figures["deciding"] else ())]
