"""Whether any event at all is decided otherwise after a change: exactly, by solving."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final

from deploy.agreement_tools.analysis.confirming import plainest
from deploy.agreement_tools.analysis.effects import Effects
from deploy.agreement_tools.analysis.pairs import alike
from deploy.agreement_tools.analysis.space import Outlines, Space, conditions_of
from deploy.agreement_tools.analysis.witness import witness
from deploy.agreement_tools.mutants.changes import Mutant
from deploy.agreement_tools.mutants.outcomes import Outcome, differing, retentions_of
from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import Decision
from routing.agreements.force import LONDON
from routing.agreements.interpret import decide
from routing.agreements.regions import regions_of
from routing.agreements.state import State
from schemas.errors import Fatal

_NOON: Final = time(12)


@dataclass(frozen=True)
class Question:
    """An event, what came before it, for whom, and when."""

    event: Considered
    state: State
    recipient: str
    day: date

    def put_to(self, bundle: Bundle) -> Decision:
        """What can be seen of the decision: all but the list of rules that matched, which only explains it."""
        noon = datetime.combine(self.day, _NOON, LONDON)
        return replace(decide(bundle, self.event, self.recipient, noon, self.state), rules=())


def told_apart(bundle: Bundle, mutant: Mutant) -> Question | None:
    """An event that is decided otherwise after the change, confirmed by the interpreter; None: there is none.

    Raises:
        Fatal: the interpreter decides otherwise than the formulas say, which is a fault of this program.
    """
    for day in mutant.days:
        for towards, said in alike((bundle, mutant.bundle), day):
            if said[0] != said[1] or mutant.operator == "review":
                found = _between(bundle, mutant.bundle, day, towards.one)
                if found is not None:
                    return found
    return None


def _between(bundle: Bundle, changed: Bundle, day: date, pair: tuple[str, str]) -> Question | None:
    outlines = Outlines(bundle.area_by_member)
    rules = [rule for each in (bundle, changed) for _, rule in each.rules_between(*pair)]
    space = Space(*pair, (outlines,), conditions_of(rules))
    effects = [Effects(space, each, day, outlines) for each in (bundle, changed)]
    retentions = set[int]().union(*(retentions_of(each.rules) for each in effects))
    before, after = (Outcome(each, each.rules, day).seen(retentions) for each in effects)
    model = plainest(space.solver(), space, differing(before, after))
    if model is None:
        return None
    event, state = witness(space, model)
    measured = replace(event, regions=event.regions | regions_of(bundle) | regions_of(changed))
    question = Question(measured, state, pair[1], day)
    if question.put_to(bundle) == question.put_to(changed):
        message = "the exact examination and the interpreter differ about a change of a rule: report this"
        raise Fatal(message)
    return question
