"""Statements, regions and examples in the words of an information manager."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from deploy.agreement_tools.analysis.confirming import Confirmed
from deploy.agreement_tools.analysis.statements import Statement
from routing.agreements.considered import Considered, Place
from routing.agreements.model import Condition

_SETS: Final = ("qualifiers", "flags", "caveats", "handling")


def statement_in_words(statement: Statement) -> str:
    """``category is transport/pursuit``, ``flags include none of child, high-risk, or may do``."""
    positive, negative = _both_ways(statement.condition, remembers=statement.remembers)
    match statement.form:
        case "true":
            return positive
        case "false":
            return negative
        case "unknown":
            return f"it is not known whether {positive}"
        case "not true":
            return f"{negative}, or that is not known"
        case "not false":
            return f"{positive}, or that is not known"


def condition_in_words(condition: Condition) -> str:
    """What a condition asks: ``category is transport/pursuit``."""
    return _both_ways(condition, remembers=False)[0]


def _both_ways(condition: Condition, *, remembers: bool) -> tuple[str, str]:  # noqa: PLR0911  one for each row
    either = " or ".join(condition.values)
    every = " and ".join(condition.values)
    one = len(condition.values) == 1
    name = condition.attribute
    match name:
        case "category":
            is_ = "is or was" if remembers else "is"
            return f"category {is_} {either}", f"category {'was never' if remembers else 'is not'} {either}"
        case "qualifiers" | "flags" | "caveats" | "handling":
            ever = " now or before" if remembers else ""
            if condition.needs_all and not one:
                return (
                    f"{name} include {every}{ever}",
                    f"{name} do not include all of {', '.join(condition.values)}{ever}",
                )
            none = f"do not include {either}" if one else f"include none of {', '.join(condition.values)}"
            return f"{name} include {either}{ever}", f"{name} {none}{ever}"
        case "holder":
            return "it holds the incident already", "it does not hold the incident yet"
        case "addressed":
            return "the event is addressed to it", "the event is not addressed to it"
        case "has":
            wanted = every if condition.needs_all else either
            return f"{wanted} {'holds' if one else 'hold'} something", f"{wanted} {'is' if one else 'are'} empty"
        case "area":
            return f"a place lies in {either}", f"no place lies in {either}"
        case "near":
            where = f"within {_distance(condition.within_m)} of {either}" if condition.within_m else f"within {either}"
            return f"a place lies {where}", f"no place lies {where}"
        case "district":
            return f"a place is in {either}", f"no place is in {either}"
        case _:
            return f"{name} is {either}", f"{name} is not {either}"


def _distance(metres: int) -> str:
    return f"{metres // 1000} km" if metres % 1000 == 0 else f"{metres} m"


def example_in_words(example: Confirmed) -> str:
    """An event of a finding: only what any condition names."""
    event, named = example.event, example.attributes
    told = list(_codes(event, named))
    if named & {"area", "near", "district"}:
        told += [_place(place, named) for place in event.places] or ["no place"]
    if "has" in named:
        told.append(f"filled: {', '.join(sorted(event.sections)) or 'nothing'}")
    if "addressed" in named and event.addressees:
        told.append("addressed to it")
    if example.state.holdings:
        told.append("it holds the incident already")
    told += _history(example)
    return "; ".join(told)


def _codes(event: Considered, named: Iterable[str]) -> Iterator[str]:
    if "category" in named:
        yield f"category {event.category or 'not stated'}"
    for name in ("grade", "status", "kind", "mode", "marking"):
        if name in named:
            yield f"{name} {getattr(event, name)}"
    for name in _SETS:
        if name in named:
            codes: frozenset[str] | None = getattr(event, name)
            yield f"{name} {'not stated' if codes is None else ', '.join(sorted(codes)) or 'none'}"


def _place(place: Place, named: Iterable[str]) -> str:
    told = [f"a place ({place.kind})"]
    if "district" in named:
        told.append(f"in {place.district}" if place.district else "with no district")
    if "area" in named or "near" in named:
        regions = [*sorted(place.inside), *(f"perhaps {region}" for region in sorted(place.partly))]
        told.append(
            f"inside {', '.join(regions) or 'none of the areas'}" if place.has_coordinates else "no coordinates"
        )
    return " ".join(told)


def _history(example: Confirmed) -> Iterator[str]:
    earlier = sorted(example.state.history.opening_category - {example.event.category})
    if earlier and "category" in example.attributes:
        yield f"earlier category {', '.join(earlier)}"
    for name in _SETS:
        codes = sorted(getattr(example.state.history, name) - (getattr(example.event, name) or frozenset()))
        if codes:
            yield f"earlier {name} {', '.join(codes)}"
