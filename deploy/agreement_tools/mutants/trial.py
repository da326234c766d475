"""Every change of a bundle tried: who notices it, the bundle's own examples, the witnesses, or nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from deploy.agreement_tools.mutants.changes import Mutant, mutants_of
from deploy.agreement_tools.mutants.distances import remeasured
from deploy.agreement_tools.mutants.noticing import noticed_by_examples
from deploy.agreement_tools.mutants.telling_apart import Question, told_apart
from deploy.agreement_tools.mutants.witnesses import PAIR, witnesses
from routing.agreements.bundle import Bundle
from routing.agreements.decision import Decision
from routing.agreements.examples import Example

By = Literal["examples", "witnesses", "nobody", "no change"]


@dataclass(frozen=True)
class Tried:
    """What became of one change."""

    mutant: Mutant
    by: By
    """Who notices it first; ``no change``: no event is decided otherwise."""
    shown_by: Question | None
    """An event that shows it, of one that no example notices."""


class Trial:
    """The changes of one bundle, and what is there to notice them."""

    def __init__(self, bundle: Bundle, examples: Sequence[Example], day: date, agreement: str | None = None) -> None:
        """Take a bundle with the examples that it carries, on a day; one agreement alone is changed where named."""
        self.bundle = bundle
        self._examples = examples
        self.mutants = [each for each in mutants_of(bundle, day) if agreement in (None, each.agreement)]
        self._witnesses = witnesses(bundle, day, agreement)
        self._decided: dict[Question, Decision] = {}

    @property
    def witnesses(self) -> int:
        """How many witnesses there are."""
        return sum(map(len, self._witnesses.values()))

    def run(self, told: Callable[[int, int], None] = lambda _done, _of: None) -> Iterator[Tried]:
        """Try one after the other; ``told`` hears how many are done."""
        for number, mutant in enumerate(self.mutants):
            told(number, len(self.mutants))
            yield self._tried(mutant)
        told(len(self.mutants), len(self.mutants))

    def likely(self, tried: Tried) -> Iterator[Question]:
        """The event that showed a change, and then those that are likely to show it too."""
        yield from (each for each in (tried.shown_by,) if each)
        yield from self._likely(tried.mutant)

    def _likely(self, mutant: Mutant) -> Iterator[Question]:
        """Of the rules changed: bases, then what varies the attribute that is changed, or else who asks and when."""
        refs = [ref for ref in self._witnesses if mutant.agreement in ("", ref.agreement)]
        own = [self._witnesses[ref] for ref in refs if mutant.rule in ("", ref.rule)]
        for wanted in ("", mutant.about or PAIR):
            yield from (each for found in own for each, varied in found.items() if varied == wanted)

    def _tried(self, mutant: Mutant) -> Tried:
        if noticed_by_examples(self._examples, mutant):
            return Tried(mutant, "examples", None)
        if shown := self._noticed(mutant, self._likely(mutant)):
            return Tried(mutant, "witnesses", shown)
        told = told_apart(self.bundle, mutant)
        if told is None:
            return Tried(mutant, "no change", None)
        if shown := self._noticed(mutant, (each for found in self._witnesses.values() for each in found)):
            return Tried(mutant, "witnesses", shown)
        return Tried(mutant, "nobody", told)

    def _noticed(self, mutant: Mutant, among: Iterable[Question]) -> Question | None:
        """The first event that is decided otherwise after the change."""
        changed: dict[tuple[str, str], bool] = {}
        for each in among:
            pair = (each.event.origin, each.recipient)
            if pair not in changed:
                changed[pair] = _says(self.bundle, pair) != _says(mutant.bundle, pair)
            if changed[pair] and self._before(each) != remeasured(each, mutant.bundle).put_to(mutant.bundle):
                return each
        return None

    def _before(self, question: Question) -> Decision:
        if question not in self._decided:
            self._decided[question] = question.put_to(self.bundle)
        return self._decided[question]


def _says(bundle: Bundle, pair: tuple[str, str]) -> object:
    return bundle.rules_between(*pair), bundle.never_stated(pair[0])
