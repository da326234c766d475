"""What the changes of a bundle's rules say of its examples: for an information manager to read, and as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from deploy.agreement_tools.mutants.changes import Mutant
from deploy.agreement_tools.mutants.noticing import noticed_by_examples
from deploy.agreement_tools.mutants.proposals import UNSAID, propose
from deploy.agreement_tools.mutants.trial import Trial, Tried
from deploy.agreement_tools.mutants.writing import example_as_yaml
from routing.agreements.examples import Example


@dataclass
class Proposal:
    """An example to add, and the changes that it would notice."""

    example: Example
    notices: list[Mutant] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """What became of every change."""

    tried: Sequence[Tried]
    proposals: Sequence[Proposal]
    unsaid: Sequence[Mutant]
    """Changes that matter and of which examples say nothing: retention, onward use, review, paths, silence."""
    unshown: Sequence[Mutant]
    """Changes that matter, and for which no example was found."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Of changes, by who notices them first: ``examples``, ``witnesses``, ``nobody``, ``no change``."""
        return Counter(each.by for each in self.tried)

    @property
    def effective(self) -> int:
        """How many change what somebody gets."""
        return len(self.tried) - self.counts.get("no change", 0)

    @property
    def witnessed(self) -> float:
        """Which part of those the examples and the witnesses together notice; 1 where there are none."""
        noticed = self.counts.get("examples", 0) + self.counts.get("witnesses", 0)
        return noticed / self.effective if self.effective else 1.0


def report(trial: Trial, told: Callable[[int, int], None] = lambda _done, _of: None) -> Report:
    """Try every change, and look for the fewest examples that would notice what now nobody does."""
    tried = list(trial.run(told))
    proposals: list[Proposal] = []
    left = [each for each in tried if each.by in ("witnesses", "nobody")]
    left = [each for each in left if not _said_already(proposals, each) and not _said_by_more(proposals, each, trial)]
    others = [each.mutant for each in left if not _said_already(proposals, each)]
    proposals.sort(key=lambda each: (each.example.agreement, -len(each.notices)))
    unsaid = [mutant for mutant in others if mutant.operator in UNSAID]
    unshown = [mutant for mutant in others if mutant.operator not in UNSAID]
    return Report(tried, proposals, unsaid, unshown)


def _said_already(proposals: Sequence[Proposal], survivor: Tried) -> bool:
    """Whether an example already proposed would notice it too; then it says so."""
    known = next((each for each in proposals if _notices(each, survivor.mutant)), None)
    if known is not None:
        known.notices.append(survivor.mutant)
    return known is not None


def _said_by_more(proposals: list[Proposal], survivor: Tried, trial: Trial) -> bool:
    """Whether one more example could be proposed that notices it."""
    example = propose(trial.bundle, survivor.mutant, trial.likely(survivor))
    if example is not None:
        proposals.append(Proposal(example, [survivor.mutant]))
    return example is not None


def _notices(proposal: Proposal, mutant: Mutant) -> bool:
    agreement = mutant.bundle.agreement(mutant.agreement)
    concerned = agreement is None or agreement.standing or proposal.example.agreement == agreement.id
    return concerned and noticed_by_examples((proposal.example,), mutant)


def report_in_words(found: Report, day: date) -> Iterator[str]:
    """The figures, then the examples to add, then what examples cannot show."""
    counts, effective = found.counts, found.effective
    noticed = counts.get("examples", 0)
    yield f"{len(found.tried)} small changes to the rules, one at a time, as in force on {day}:"
    yield f"  {effective} change what somebody gets, or on what terms; {counts.get('no change', 0)} change nothing"
    share = f" ({noticed * 100 // effective} %)" if effective else ""
    yield f"  {noticed} of these the examples would notice{share}"
    if found.proposals:
        more = sum(len(each.notices) for each in found.proposals)
        yield f"  {more} more the {len(found.proposals)} examples below would notice"
    if found.unsaid:
        yield f"  {len(found.unsaid)} are of what examples do not speak of: read these lines twice"
    if found.unshown:
        yield f"  {len(found.unshown)} were not shown by any example that was tried"
    yield from _proposed(found.proposals)
    for title, mutants in (("examples do not speak of", found.unsaid), ("no example was found for", found.unshown)):
        if mutants:
            yield ""
            yield f"{title}:"
            yield from (f"  {mutant.place}: {mutant.change}" for mutant in mutants)


def _proposed(proposals: Sequence[Proposal]) -> Iterator[str]:
    by_agreement: dict[str, list[Proposal]] = {}
    for each in proposals:
        by_agreement.setdefault(each.example.agreement, []).append(each)
    for agreement, of_it in by_agreement.items():
        yield ""
        yield f"beneath `examples:` of {agreement}, if each says what you mean:"
        for each in of_it:
            yield ""
            yield from (f"  {line}" for line in example_as_yaml(each.example).splitlines())
            yield from (f"    # would notice {mutant.place}: {mutant.change}" for mutant in each.notices)


def report_as_json(found: Report, day: date) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "day": day.isoformat(),
        "changes": len(found.tried),
        "no_change": found.counts.get("no change", 0),
        "noticed_by_examples": found.counts.get("examples", 0),
        "noticed_by_witnesses": found.counts.get("witnesses", 0),
        "noticed_by_nobody": found.counts.get("nobody", 0),
        "proposals": [
            {
                "agreement": each.example.agreement,
                "example": example_as_yaml(each.example),
                "notices": [_as_json(mutant) for mutant in each.notices],
            }
            for each in found.proposals
        ],
        "unsaid": [_as_json(mutant) for mutant in found.unsaid],
        "not_shown": [_as_json(mutant) for mutant in found.unshown],
    }


def _as_json(mutant: Mutant) -> dict[str, str]:
    return {"place": mutant.place, "kind": mutant.operator, "change": mutant.change}
