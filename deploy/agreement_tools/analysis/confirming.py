"""Nothing is found until the interpreter says so: an example is decided, and must come out as the formulas say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

import z3

from deploy.agreement_tools.analysis.effects import HEAD, Effects
from deploy.agreement_tools.analysis.space import Space, holds
from deploy.agreement_tools.analysis.witness import witness
from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import Decision
from routing.agreements.force import LONDON
from routing.agreements.interpret import decide
from routing.agreements.state import State
from schemas.errors import Fatal

_NOON: Final = time(12)


@dataclass(frozen=True)
class Confirmed:
    """An event, what came before it, and what the interpreter decides."""

    event: Considered
    state: State
    attributes: frozenset[str]
    """Those that any condition names: the rest of the event says nothing here."""
    decisions: Mapping[str, Decision]


def confirm(space: Space, model: z3.ModelRef, under: Mapping[str, tuple[Bundle, Effects]], day: date) -> Confirmed:
    """The event of a solution, decided under each bundle at noon of the day.

    Raises:
        Fatal: the interpreter decides otherwise than the formulas say, which is a fault of this program.
    """
    event, state = witness(space, model)
    decisions = {}
    for name, (bundle, effects) in under.items():
        decision = decide(bundle, event, space.recipient, datetime.combine(day, _NOON, LONDON), state)
        for part, states in effects.states.items():
            found = decision.head if part == HEAD else decision.sections[part]
            if not holds(model, states[found]):
                message = f"the exact examination and the interpreter differ about {part} of an event: report this"
                raise Fatal(message)
        decisions[name] = decision
    attributes = frozenset(condition.attribute for condition in space.conditions)
    return Confirmed(event, state, attributes, decisions)


def plainest(solver: z3.Solver, space: Space, formula: z3.BoolRef) -> z3.ModelRef | None:
    """A solution that is as easy to read as can be had; None where there is none."""
    for plain in (space.plain, [*space.plain[:1]], []):
        if solver.check([formula, *plain]) == z3.sat:
            return solver.model()
    return None
