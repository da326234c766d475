"""The examples that an agreement carries: run, and told where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import HEAD, Decision, State
from routing.agreements.interpret import decide
from routing.agreements.model import Agreement, Locate
from schemas.sections import SECTIONS
from schemas.strict_yaml import Place

_NOON: Final = time(12, tzinfo=ZoneInfo("Europe/London"))
_TELL_PLACES: Final = frozenset(
    {"locations", "suspects", "convicted", "victims", "witnesses", "callers", "subjects", "associates", "vehicles"}
)
"""The sections that have a field for a location."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one recipient must get; None is not said."""

    recipient: str
    share: tuple[str, ...] | None = None
    """Exactly the sections covered; none is the head alone."""
    refer: tuple[str, ...] | None = None
    """Sections, or ``head``, that must be referred, among others perhaps."""
    forbid: tuple[str, ...] | None = None
    """Sections, or ``head``, that must be forbidden, among others perhaps."""
    withhold: bool = False
    """The head must be withheld."""
    locate: Locate = "exact"
    """How finely what is shared must tell places: every section that has locations; where none has, every section."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a place of an example lies: degrees of WGS84."""

    latitude: float
    longitude: float
    radius_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """An event, a day, and what its recipients must get."""

    agreement: str
    file: str
    place: Place
    name: str
    considered: Considered
    on: date
    expectations: tuple[Expectation, ...]
    positions: tuple[Position | None, ...] = ()
    """Of each place of ``considered``; a loader measures them against the bundle's areas."""
    dated: bool = True
    """``on`` is written; without it ``on`` is the day the agreement starts."""


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """An example that was run; it holds if nothing failed."""

    example: Example
    failures: tuple[str, ...]


def run_examples(bundle: Bundle, examples: tuple[Example, ...]) -> tuple[ExampleResult, ...]:
    """Decide each example with its own agreement and the standing ones alone, as if nothing were suspended."""
    by_agreement = {agreement.id: alone(bundle, agreement) for agreement in bundle.agreements}
    return tuple(
        ExampleResult(example, tuple(_failures(by_agreement[example.agreement], example))) for example in examples
    )


def alone(bundle: Bundle, agreement: Agreement) -> Bundle:
    """What an example of an agreement runs with: its file and the standing ones, nothing suspended."""
    with_standing = (other for other in bundle.agreements if other.standing or other.id == agreement.id)
    return replace(bundle, agreements=tuple(with_standing), suspended=())


def _failures(bundle: Bundle, example: Example) -> list[str]:
    failures = []
    for expected in example.expectations:
        decision = decide(bundle, example.considered, expected.recipient, datetime.combine(example.on, _NOON))
        if differences := list(_differences(expected, decision)):
            matching = ", ".join(f"{rule.agreement}/{rule.rule}" for rule in decision.rules) or "none"
            failures.append(f"{expected.recipient}: {'; '.join(differences)} (matching rules: {matching})")
    return failures


def _differences(expected: Expectation, decision: Decision) -> Iterator[str]:
    found = _found(decision)
    if expected.share is not None:
        if decision.head != "granted" or decision.covers != expected.share:
            yield f"expected to be shared with {_listed(expected.share)}, got {found}"
        elif other := [part for part in places_told(decision) if decision.locate[part] != expected.locate]:
            told = ", ".join(f"{part} {decision.locate[part]}" for part in other)
            yield f"expected places to be told at {expected.locate}, got {told}"
    yield from _lax(expected.refer, "referred", decision)
    yield from _lax(expected.forbid, "forbidden", decision)
    if expected.withhold and decision.head != "withheld":
        yield f"expected to be withheld, got {found}"


def _lax(parts: tuple[str, ...] | None, state: State, decision: Decision) -> Iterator[str]:
    states = {HEAD: decision.head, **decision.sections}
    if lax := [part for part in parts or () if states[part] != state]:
        yield f"expected {_listed(lax)} to be {state}, got {_found(decision)}"


def _found(decision: Decision) -> str:
    if decision.head != "granted":
        return decision.head
    referred = [part for part in SECTIONS if decision.sections[part] == "referred"]
    beside = f", and {_listed(referred)} referred" if referred else ""
    return f"shared with {_listed(decision.covers)}{beside}"


def places_told(decision: Decision) -> list[str]:
    """The covered sections of which an example's ``locate`` speaks."""
    return [part for part in decision.covers if part in _TELL_PLACES] or list(decision.covers)


def _listed(sections: tuple[str, ...] | list[str]) -> str:
    return ", ".join(sections) if sections else "the head alone"
