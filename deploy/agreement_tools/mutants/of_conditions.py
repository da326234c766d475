"""Changes of conditions: dropped, turned round, with a value more or less, wider or narrower."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from deploy.agreement_tools.analysis.space import conditions_of
from deploy.agreement_tools.analysis.words import condition_in_words
from deploy.agreement_tools.mutants.changes import few
from routing.agreements.bundle import Bundle
from routing.agreements.model import Block, Condition, Rule
from schemas.codes import codes, is_at_or_beneath
from schemas.sections import SECTIONS

_SETS: Final = ("qualifiers", "flags", "caveats", "handling")
_CODED: Final = ("category", *_SETS)
_WORDS: Final = ("grade", "status", "kind", "mode", "marking")
_PLACED: Final = ("area", "near", "district")


@dataclass(frozen=True)
class ConditionsChange:
    """The conditions of a rule as they would be after a change."""

    operator: str
    change: str
    when: Block
    unless: tuple[Block, ...]
    about: str
    """The attribute of the condition that is changed."""


def changed_conditions(bundle: Bundle, rule: Rule) -> Iterator[ConditionsChange]:
    """Every change of the conditions of a rule."""
    when, unless = rule.when, rule.unless
    for number, condition in enumerate(when):
        rest, said, about = _without(when, number), condition_in_words(condition), condition.attribute
        yield ConditionsChange("drop-condition", f"without the condition that {said}", rest, unless, about)
        yield ConditionsChange("negate", f"unless, not when, {said}", rest, (*unless, (condition,)), about)
        for operator, change, other in _changed(bundle, condition):
            yield ConditionsChange(operator, change, _put(when, number, other), unless, about)
    for place, block in enumerate(unless):
        others, said, about = (*unless[:place], *unless[place + 1 :]), _block_in_words(block), block[0].attribute
        yield ConditionsChange("drop-unless", f"also where {said}", when, others, about)
        yield ConditionsChange("negate", f"only where {said}", (*when, *block), others, about)
        for found in _within(bundle, block):
            yield replace(found, when=when, unless=(*unless[:place], found.when, *unless[place + 1 :]))


def _within(bundle: Bundle, block: Block) -> Iterator[ConditionsChange]:
    """Changes of one block of an ``unless``, as if it were a ``when``."""
    for number, condition in enumerate(block):
        about = condition.attribute
        for operator, change, other in _changed(bundle, condition):
            yield ConditionsChange(operator, f"in `unless`, {change}", _put(block, number, other), (), about)
        if len(block) > 1:
            change = f"in `unless`, without the condition that {condition_in_words(condition)}"
            yield ConditionsChange("drop-condition", change, _without(block, number), (), about)


def _block_in_words(block: Block) -> str:
    return " and ".join(map(condition_in_words, block))


def _without(block: Block, number: int) -> Block:
    return (*block[:number], *block[number + 1 :])


def _put(block: Block, number: int, condition: Condition) -> Block:
    return (*block[:number], condition, *block[number + 1 :])


def _changed(bundle: Bundle, condition: Condition) -> Iterator[tuple[str, str, Condition]]:
    """Operator, words, and the condition."""
    name, values = condition.attribute, condition.values
    if name == "near":
        yield from _at_another_distance(condition)
    else:
        for number, value in enumerate(values):
            rest = (*values[:number], *values[number + 1 :])
            if rest:
                yield "drop-value", f"with {name} {value} left out", replace(condition, values=rest)
            for how, other in _instead_of(name, value):
                changed = (*values[:number], other, *values[number + 1 :])
                yield f"{how}-value", f"with {name} {other} for {value}", replace(condition, values=changed)
        for value in _added(bundle, condition):
            yield "add-value", f"with {name} {value} besides", replace(condition, values=(*values, value))
    if name in (*_SETS, "has") and len(values) > 1:
        asked = "any" if condition.needs_all else "all"
        yield "any-all", f"asking for {asked} of {', '.join(values)}", replace(condition, needs_all=asked == "all")
    if name in _PLACED:
        kinds = () if condition.place else ("last-seen",)
        counted = "places of the usual kinds" if condition.place else "places where somebody was last seen"
        yield "place-kind", f"counting only {counted} for {name}", replace(condition, place=kinds)


def _at_another_distance(condition: Condition) -> Iterator[tuple[str, str, Condition]]:
    metres = condition.within_m
    for other in (metres // 2, metres * 2) if metres else (1000,):
        change = f"within {other} m of {condition.values[0]} instead of {metres} m"
        yield "distance", change, replace(condition, within_m=other)


def _instead_of(name: str, value: str) -> Iterator[tuple[str, str]]:
    """The code above, and the first beneath."""
    if name not in _CODED:
        return
    if "/" in value:
        yield "widen", value.rpartition("/")[0]
    beneath = [code for code in codes(name) if code != value and is_at_or_beneath(code, value)]
    yield from (("narrow", code) for code in beneath[:1])


def _added(bundle: Bundle, condition: Condition) -> list[str]:
    """A neighbour of the last value, and one from anywhere."""
    name, values = condition.attribute, condition.values
    other = [code for code in _vocabulary(bundle, name) if not _related(code, values)]
    if name not in _CODED and name not in _WORDS:
        return few(other, f"{condition}", 1)
    listed = list(codes(name))
    after = listed[listed.index(values[-1]) :] if values and values[-1] in listed else listed
    neighbours = [code for code in after if code in other and _parent(code) == _parent(values[-1])]
    return list(dict.fromkeys([*neighbours[:1], *few(other, f"{condition}", 1)]))


def _vocabulary(bundle: Bundle, name: str) -> Iterable[str]:
    if name == "area":
        return [area.name for area in bundle.areas]
    if name == "district":
        return list(dict.fromkeys(districts_of(bundle)))
    return SECTIONS if name == "has" else codes(name) if name in (*_CODED, *_WORDS) else ()


def districts_of(bundle: Bundle) -> list[str]:
    """Every district that any rule names."""
    rules = [rule for agreement in bundle.agreements for rule in agreement.rules]
    return [value for each in conditions_of(rules) if each.attribute == "district" for value in each.values]


def _related(code: str, values: Iterable[str]) -> bool:
    return any(is_at_or_beneath(code, value) or is_at_or_beneath(value, code) for value in values)


def _parent(code: str) -> str:
    return code.rpartition("/")[0]
