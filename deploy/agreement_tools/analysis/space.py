"""Every event that could come from one origin to one recipient, as variables and what must hold between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

import z3

from routing.agreements.conditions import PLACE_KINDS, folded
from routing.agreements.history import stated_code
from routing.agreements.model import Block, Condition, Rule
from routing.agreements.regions import region_near, wider
from schemas.codes import UNKNOWN, codes, is_at_or_beneath, is_strictly_above
from schemas.sections import SECTIONS

Formula: TypeAlias = Any
"""A ``z3.BoolRef``; z3 has no types."""
WORDS: Final = ("grade", "status", "kind", "mode", "marking")
SETS: Final = ("qualifiers", "flags", "caveats", "handling")
OTHER: Final = "*other*"
"""A district, or another word, that no condition names."""


def conditions_of(rules: Iterable[Rule]) -> list[Condition]:
    """Every condition of some rules, each once, in the order of the rules."""
    blocks: Iterable[Block] = (block for rule in rules for block in (rule.when, *rule.unless))
    return list(dict.fromkeys(condition for block in blocks for condition in block))


@dataclass(frozen=True)
class Outlines:
    """How one bundle names areas: two bundles may give one name to different outlines."""

    of_members: Mapping[str, str]
    """The name of each member's area."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Names of areas that the other bundle draws otherwise, and what they are called here."""

    def region_near(self, condition: Condition, origin: str, recipient: str) -> str | None:
        """The region that a ``near`` looks at."""
        areas = {member: self.renamed.get(area, area) for member, area in self.of_members.items()}
        return region_near(condition, areas, origin, recipient)

    def regions(self, condition: Condition, origin: str, recipient: str) -> list[str]:
        """The regions that an ``area`` or a ``near`` looks at; none where the member has no area."""
        if condition.attribute == "area":
            return [self.renamed.get(area, area) for area in condition.values]
        near = self.region_near(condition, origin, recipient)
        return [near] if near else []


@dataclass(frozen=True)
class Choice:
    """A field that has exactly one of some values."""

    options: Mapping[str | None, Formula]

    def is_one_of(self, values: Iterable[str | None]) -> Formula:
        """It has one of these."""
        return z3.Or([self.options[value] for value in values if value in self.options])

    def rules(self) -> Iterable[Formula]:
        """Exactly one."""
        variables = list(self.options.values())
        yield z3.PbEq([(variable, 1) for variable in variables], 1)

    def chosen(self, model: z3.ModelRef) -> str | None:
        """The value in a solution."""
        return next(value for value, is_it in self.options.items() if holds(model, is_it))


def holds(model: z3.ModelRef, formula: Formula) -> bool:
    """Whether a formula holds in a solution; what the solution leaves open does not."""
    return bool(z3.is_true(model.eval(formula, model_completion=True)))


def choice(name: str, values: Iterable[str | None]) -> Choice:
    """A choice with a variable for each value."""
    return Choice({value: z3.Bool(f"{name}={value}") for value in values})


@dataclass(frozen=True)
class CodeSet:
    """A set of codes: null or some of those that can matter, now and in what earlier events stated."""

    null: Formula
    now: Mapping[str, Formula]
    """``unknown`` among them."""
    earlier: Mapping[str, Formula]

    def rules(self) -> Iterable[Formula]:
        """Null states nothing."""
        yield from (z3.Implies(self.null, z3.Not(stated)) for stated in self.now.values())


@dataclass(frozen=True)
class PlaceSlot:
    """A place that an event may state."""

    present: Formula
    kind: Choice
    district: Choice
    has_coordinates: Formula
    inside: Mapping[str, Formula]
    partly: Mapping[str, Formula]

    def rules(self) -> Iterable[Formula]:
        """Without coordinates it lies nowhere; wholly in is not partly in; what reaches further holds it too."""
        yield from self.kind.rules()
        yield from self.district.rules()
        for region, inside in self.inside.items():
            yield z3.Not(z3.And(inside, self.partly[region]))
            yield z3.Implies(z3.Or(inside, self.partly[region]), z3.And(self.present, self.has_coordinates))
            for further in wider(region, self.inside):
                yield z3.Implies(inside, self.inside[further])
                yield z3.Implies(self.partly[region], z3.Or(self.inside[further], self.partly[further]))


class Space:
    """The events of one origin, as one recipient's rules can tell them apart."""

    def __init__(
        self, origin: str, recipient: str, outlines: Sequence[Outlines], conditions: Sequence[Condition]
    ) -> None:
        """Take the conditions to be told apart, and the outlines of each bundle asked about."""
        self.origin = origin
        self.recipient = recipient
        self.outlines = outlines
        self.conditions = conditions
        self.words = {name: choice(name, (*self._values(name), OTHER, UNKNOWN)) for name in WORDS}
        self.words["mode"] = choice("mode", (*codes("mode"), UNKNOWN))
        self.category = choice("category", self._categories())
        self.ever = {code: z3.Bool(f"ever={code}") for code in self._category_values}
        self.sets = {name: self._code_set(name) for name in SETS}
        self.filled = {section: z3.Bool(f"filled={section}") for section in SECTIONS}
        self.holds = z3.Bool("holds")
        self.addressed = z3.Bool("addressed")
        self.places = [self._slot(number) for number in range(self._slots())]

    @cached_property
    def rules(self) -> list[Formula]:
        """What holds of every event."""
        found: list[Formula] = []
        fields: list[Choice | CodeSet | PlaceSlot] = [
            *self.words.values(),
            self.category,
            *self.sets.values(),
            *self.places,
        ]
        for each in fields:
            found += each.rules()
        found += self._ever_rules()
        found += self._classification_rules()
        found += [z3.Implies(place.present, self.filled["locations"]) for place in self.places]
        if self.places:
            found.append(z3.Implies(self.filled["locations"], z3.Or([place.present for place in self.places])))
            found += [
                z3.Implies(after.present, before.present)
                for before, after in zip(self.places, self.places[1:], strict=False)
            ]
        return found

    @property
    def plain(self) -> list[Formula]:
        """What makes an event easy to read: an actual one, then without a past and with one place at most."""
        past = [earlier for each in self.sets.values() for earlier in each.earlier.values()]
        past += [z3.And(ever, z3.Not(self._stated_now(code))) for code, ever in self.ever.items()]
        strange = [z3.Or(place.kind.options[UNKNOWN], place.kind.options["destination"]) for place in self.places]
        odd = [*past, *strange, *(place.present for place in self.places[1:]), self.holds, self.addressed]
        return [self.words["mode"].options["actual"], *(z3.Not(each) for each in odd)]

    def _stated_now(self, value: str) -> Formula:
        return self.category.is_one_of(self.category_at(value, "T"))

    def solver(self) -> z3.Solver:
        """A solver that knows what holds of every event."""
        solver = z3.Solver()
        solver.add(*self.rules)
        return solver

    def _regions(self, condition: Condition) -> Iterable[str]:
        for outlines in self.outlines:
            yield from outlines.regions(condition, self.origin, self.recipient)

    def _values(self, attribute: str) -> list[str]:
        named = (
            value for condition in self.conditions if condition.attribute == attribute for value in condition.values
        )
        return list(dict.fromkeys(named))

    @cached_property
    def _category_values(self) -> list[str]:
        return self._values("category")

    def _categories(self) -> list[str | None]:
        """One category for each way in which the conditions can tell categories apart; the shortest path stands."""
        found: dict[tuple[str, ...], str | None] = {}
        for code in (None, *sorted(codes("category"), key=len)):
            found.setdefault(tuple(relation(code, value) for value in self._category_values), code)
        return list(found.values())

    def _ever_rules(self) -> Iterable[Formula]:
        """What is stated now has been stated; what was stated beneath a value was stated of that value."""
        for value, ever in self.ever.items():
            yield z3.Implies(self._stated_now(value), ever)
            yield from (z3.Implies(ever, over) for wide, over in self.ever.items() if is_at_or_beneath(value, wide))

    def category_at(self, value: str, how: str) -> list[str | None]:
        """The categories of which a value is true (``T``) or unknown (``U``)."""
        return [code for code in self.category.options if relation(code, value) == how]

    def _classification_rules(self) -> Iterable[Formula]:
        """Without a classification there is a first level at most, and no qualifier or flag is stated."""
        deep = [code for code in self.category.options if code and "/" in code]
        empty = z3.Not(self.filled["classification"])
        yield z3.Implies(empty, z3.Not(self.category.is_one_of(deep)))
        yield from (z3.Implies(empty, self.sets[name].null) for name in ("qualifiers", "flags"))

    def _code_set(self, name: str) -> CodeSet:
        relevant = [UNKNOWN]
        for value in self._values(name):
            parts = value.split("/")
            relevant += ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        relevant = list(dict.fromkeys(relevant))
        return CodeSet(
            z3.Bool(f"{name}:null"),
            {code: z3.Bool(f"{name}:{code}") for code in relevant},
            {code: z3.Bool(f"{name}:{code}:earlier") for code in relevant if code != UNKNOWN},
        )

    @cached_property
    def _place_conditions(self) -> list[Condition]:
        return [condition for condition in self.conditions if condition.attribute in ("area", "near", "district")]

    def _slots(self) -> int:
        """A witness for each condition that could hold, and one more: no event needs more places to be told apart."""
        return len(self._place_conditions) + 1 if self._place_conditions else 0

    def _slot(self, number: int) -> PlaceSlot:
        kinds = dict.fromkeys((PLACE_KINDS[0], *(kind for each in self._place_conditions for kind in each.place)))
        districts = dict.fromkeys(folded(value) for value in self._values("district"))
        regions = dict.fromkeys(
            region for each in self._place_conditions if each.attribute != "district" for region in self._regions(each)
        )
        return PlaceSlot(
            z3.Bool(f"place{number}"),
            choice(f"place{number}.kind", (*kinds, "destination", UNKNOWN)),
            choice(f"place{number}.district", (*districts, OTHER, None)),
            z3.Bool(f"place{number}.coordinates"),
            {region: z3.Bool(f"place{number} in {region}") for region in regions},
            {region: z3.Bool(f"place{number} partly in {region}") for region in regions},
        )


def relation(code: str | None, value: str) -> str:
    """What a stated code says to a value: ``T`` true, ``U`` unknown, ``F`` false."""
    stated = stated_code(code)
    if stated is None or is_strictly_above(stated, value):
        return "U"
    return "T" if is_at_or_beneath(stated, value) else "F"
