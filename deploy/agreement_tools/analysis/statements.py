"""What can be said of an event by one condition: that it is true, false or unknown, or one of two of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import z3

from deploy.agreement_tools.analysis.effects import Effects
from deploy.agreement_tools.analysis.space import SETS, Formula, holds
from deploy.agreement_tools.analysis.truths import Reader, Truths
from routing.agreements.model import Condition, Share

Form = Literal["true", "false", "unknown", "not true", "not false"]
_WIDER: Final[Mapping[Form, tuple[Form, ...]]] = {
    "true": ("not false",),
    "false": ("not true",),
    "unknown": ("not true", "not false"),
}
_ACTUAL: Final = Condition("mode", ("actual",))


@dataclass(frozen=True)
class Statement:
    """One thing said of an event."""

    condition: Condition
    remembers: bool
    """Read with what earlier events stated, as protections do."""
    truths: Truths = field(compare=False, repr=False)
    form: Form = "true"

    @property
    def formula(self) -> Formula:
        """When it holds."""
        return {
            "true": self.truths.true,
            "false": self.truths.false,
            "unknown": self.truths.unknown,
            "not true": z3.Not(self.truths.true),
            "not false": self.truths.possible,
        }[self.form]

    def wider(self) -> Iterable[Statement]:
        """What says less."""
        return [Statement(self.condition, self.remembers, self.truths, form) for form in _WIDER.get(self.form, ())]


class Vocabulary:
    """Everything that the rules of some bundles can say of an event."""

    def __init__(self, all_effects: Sequence[Effects]) -> None:
        self._solver = all_effects[0].space.solver()
        self._known: dict[tuple[Condition, bool], Truths] = {}
        for effects in all_effects:
            self._known.setdefault((_ACTUAL, False), effects.present.condition(_ACTUAL))
            for each in effects.rules:
                remembers = not isinstance(each.rule, Share)
                self._add(each.rule.when, effects.remembered if remembers else effects.present)
                for block in each.rule.unless:
                    self._add(block, effects.present)

    def _add(self, block: Iterable[Condition], reader: Reader) -> None:
        for condition in block:
            remembers = reader.remembers and condition.attribute in ("category", *SETS)
            self._known.setdefault((condition, remembers), reader.condition(condition))

    def widest(self, model: z3.ModelRef, formula: Formula) -> list[Statement]:
        """The fewest and widest statements that hold of a solution's event and, together, of no other than ``formula``.

        Raises:
            AssertionError: all that can be said of the event does not decide the formula.
        """
        self._solver.push()
        self._solver.add(z3.Not(formula))
        kept = self._core(
            [
                Statement(condition, remembers, truths, _form(truths, model))
                for (condition, remembers), truths in self._known.items()
            ]
        )
        for statement in list(kept):
            fewer = [each for each in kept if each is not statement]
            kept = fewer if self._excluded(fewer) else kept
        # What is true is widened last: a region reads best as what is so, and what is not known to be so.
        for statement in sorted(kept, key=lambda each: each.form == "true"):
            fewer = [each for each in kept if each is not statement]
            wide = next((wide for wide in statement.wider() if self._excluded([wide, *fewer])), statement)
            kept[kept.index(statement)] = wide
        self._solver.pop()
        return kept

    def _excluded(self, statements: Iterable[Statement]) -> bool:
        return bool(self._solver.check([each.formula for each in statements]) == z3.unsat)

    def _core(self, statements: list[Statement]) -> list[Statement]:
        """Those that are enough."""
        names = [z3.Bool(f"statement{number}") for number in range(len(statements))]
        self._solver.push()
        self._solver.add([z3.Implies(name, each.formula) for name, each in zip(names, statements, strict=True)])
        if self._solver.check(names) != z3.unsat:
            message = "the conditions of an event do not decide what becomes of it"
            raise AssertionError(message)
        needed = {str(name) for name in self._solver.unsat_core()}
        self._solver.pop()
        return [each for name, each in zip(names, statements, strict=True) if str(name) in needed]


def _form(truths: Truths, model: z3.ModelRef) -> Form:
    if holds(model, truths.true):
        return "true"
    return "unknown" if holds(model, truths.unknown) else "false"
