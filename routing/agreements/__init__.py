"""Sharing agreements: who gets what, decided from files that their owners can read, sign and defend.

The tour, in the order in which a policy travels::

    bundle.yaml, agreements/*.yaml, areas in GeoJSON
        │  schemas.strict_yaml    YAML with a place for everything, hostile input refused
        │  read_*      files → model; every fault noted, nothing skipped
        │  lint        what is well-formed and still wrong: Part 3 abroad, a rule that can never apply
        │  examples    each file's own examples must hold
        ▼
    Bundle  ── to_bytes / hash / from_bytes ──►  every worker
        │
        ▼
    decide(bundle, considered, recipient, now) → Decision        explain_rules(…) → list[RuleTrace]

``measured`` makes of a bundle's areas what places are measured against (`routing.geography`): what conditions read of a
place are the names of regions, never coordinates.

``conditions`` says when a condition is true, false or unknown, ``deliberation`` what follows. All are written to be
read beside the language's definition, a sentence at a time.

What always holds:

- Whatever nobody wrote down stays home; permission adds up; prohibition always wins.
- Doubt goes against sharing: a share rule needs certainty, a forbid only that it may hold.
- What the loader does not know it refuses, and never ignores: ignoring a protection would leak.
- Deciding is pure. The same bundle, considered attributes and time give the same decision.

Three readings where the language leaves room, each on the safe side. Districts are compared without regard to case and
spacing. A signature counts from its day on. ``from: any`` takes every publisher for a forbid, which needs no signature.
"""

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered, Place, considered_from_dict, considered_to_dict
from routing.agreements.decision import HEAD, Decision, Ground, Outcome, RuleMatch, State
from routing.agreements.examples import Example, ExampleResult, run_examples
from routing.agreements.explain import RuleTrace, explain_rules
from routing.agreements.interpret import decide, recipients
from routing.agreements.load import BundleRejected, Reading, load_bundle, read_bundle
from schemas.strict_yaml import Fault

__all__ = [
    "HEAD",
    "Bundle",
    "BundleRejected",
    "Considered",
    "Decision",
    "Example",
    "ExampleResult",
    "Fault",
    "Ground",
    "Outcome",
    "Place",
    "Reading",
    "RuleMatch",
    "RuleTrace",
    "State",
    "considered_from_dict",
    "considered_to_dict",
    "decide",
    "explain_rules",
    "load_bundle",
    "read_bundle",
    "recipients",
    "run_examples",
]
