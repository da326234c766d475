"""Whether the examples of a bundle notice a change, run as the loader would run them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deploy.agreement_tools.mutants.changes import Mutant
from routing.agreements.examples import Example, run_examples


def noticed_by_examples(examples: Sequence[Example], mutant: Mutant) -> bool:
    """Whether an example that held fails after the change, as the loader would run it.

    An example without ``on`` runs on the day on which its agreement then starts; one from an origin that is no longer
    of its file is refused.
    """
    agreement = mutant.bundle.agreement(mutant.agreement)
    concerned = [each for each in examples if _reaches(mutant, each)]
    if agreement is not None:
        own = [each for each in concerned if each.agreement == agreement.id]
        if any(each.considered.origin not in agreement.origins for each in own):
            return True
        if mutant.operator == "starts":
            undated = [each for each in own if not each.dated]
            moved = tuple(replace(each, on=agreement.starts) for each in undated)
            concerned = [each for each in concerned if each not in undated] + list(moved)
    return any(result.failures for result in run_examples(mutant.bundle, tuple(concerned)))


def _reaches(mutant: Mutant, example: Example) -> bool:
    """An example runs with its own file and the standing ones."""
    agreement = mutant.bundle.agreement(mutant.agreement)
    return agreement is None or agreement.standing or example.agreement == agreement.id
