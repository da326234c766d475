"""The examples that an agreement carries: run, and told where they differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import HEAD, Decision
from routing.agreements.interpret import decide
from routing.agreements.model import Agreement

_NOON: Final = time(12, tzinfo=ZoneInfo("Europe/London"))


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one recipient must get; None is not said."""

    recipient: str
    share: tuple[str, ...] | None
    """Exactly the sections covered; none is the head alone."""
    forbid: tuple[str, ...] | None
    """Sections, or ``head``, that must be forbidden, among others perhaps."""
    withhold: bool
    """The head must be withheld."""


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


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """An example that was run; it holds if nothing failed."""

    example: Example
    failures: tuple[str, ...]


def run_examples(bundle: Bundle, examples: tuple[Example, ...]) -> tuple[ExampleResult, ...]:
    """Decide each example with its own agreement and the standing ones alone, as if nothing were suspended."""
    by_agreement = {agreement.id: _alone(bundle, agreement) for agreement in bundle.agreements}
    return tuple(
        ExampleResult(example, tuple(_failures(by_agreement[example.agreement], example))) for example in examples
    )


def _alone(bundle: Bundle, agreement: Agreement) -> Bundle:
    with_standing = (other for other in bundle.agreements if other.standing or other.id == agreement.id)
    return replace(bundle, agreements=tuple(with_standing), suspended=())


def _failures(bundle: Bundle, example: Example) -> list[str]:
    failures = []
    for expected in example.expectations:
        decision = decide(bundle, example.considered, expected.recipient, datetime.combine(example.on, _NOON))
        if differences := _differences(expected, decision):
            matching = ", ".join(f"{rule.agreement}/{rule.rule}" for rule in decision.rules) or "none"
            failures.append(f"{expected.recipient}: {'; '.join(differences)} (matching rules: {matching})")
    return failures


def _differences(expected: Expectation, decision: Decision) -> list[str]:
    found = f"shared with {_listed(decision.covers)}" if decision.head == "granted" else decision.head
    differences = []
    if expected.share is not None and (decision.head != "granted" or decision.covers != expected.share):
        differences.append(f"expected to be shared with {_listed(expected.share)}, got {found}")
    states = {HEAD: decision.head, **decision.sections}
    if lax := [part for part in expected.forbid or () if states[part] != "forbidden"]:
        differences.append(f"expected {_listed(lax)} to be forbidden, got {found}")
    if expected.withhold and decision.head != "withheld":
        differences.append(f"expected to be withheld, got {found}")
    return differences


def _listed(sections: tuple[str, ...] | list[str]) -> str:
    return ", ".join(sections) if sections else "the head alone"
