"""Small changes to rules: each is one that a hand could make, and the examples and witnesses notice them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from deploy.agreement_tools.mutants import changes
from deploy.agreement_tools.mutants.changes import Mutant, mutants_of
from deploy.agreement_tools.mutants.distances import remeasured
from deploy.agreement_tools.mutants.noticing import noticed_by_examples
from deploy.agreement_tools.mutants.telling_apart import Question, told_apart
from deploy.agreement_tools.mutants.trial import Trial, Tried
from deploy.agreement_tools.mutants.witnesses import witnesses
from deploy.demo.run import HERE
from routing.agreements import read_bundle
from routing.agreements.bundle import Bundle
from routing.agreements.examples import Example
from routing.agreements.model import Condition, Forbid, Limit, Refer, Share, Step, Terms
from routing.agreements.regions import regions_of
from tests.deploy.agreement_tools.generated import DAY, RECIPIENTS, _agreement, a_bundle, an_event

ANOTHER = Path(__file__).parents[2] / "routing" / "agreements" / "bundle"
IN_FORCE = date(2026, 6, 1)
AT_LEAST = 0.95
"""Of the changes that make a difference, so many are noticed."""
GRADE = Condition("grade", ("emergency",))
RTC = Condition("category", ("transport/rtc",))
INJURY = Condition("category", ("transport/rtc/injury",))


def read(folder: Path) -> tuple[Bundle, tuple[Example, ...]]:
    reading = read_bundle(folder)
    assert reading.bundle is not None
    return reading.bundle, tuple(reading.examples)


def generated(seed: int) -> Bundle:
    return a_bundle(random.Random(seed))


@cache
def tried_generated(seed: int) -> list[Tried]:
    return tried(generated(seed))


def tried(bundle: Bundle, examples: Sequence[Example] = (), day: date = DAY) -> list[Tried]:
    return list(Trial(bundle, examples, day).run())


def assert_noticed(found: Iterable[Tried]) -> None:
    """At least 95 % of what makes a difference is noticed; a failure lists what nobody notices."""
    counts = Counter(each.by for each in found)
    survivors = [f"{each.mutant.place}: {each.mutant.change}" for each in found if each.by == "nobody"]
    noticed = counts["examples"] + counts["witnesses"]
    print(f"{sum(counts.values())} changes: {dict(counts)}; nobody notices: {survivors}")
    assert noticed >= AT_LEAST * (noticed + len(survivors)), survivors
    assert noticed, "no change makes a difference: nothing was tried"


def only(*rules: object) -> Bundle:
    agreement = _agreement("A", tuple(rules), (), None)  # type: ignore[arg-type]
    return replace(generated(0), agreements=(agreement,), never_states=())


def a_share(name: str, *when: Condition, grant: tuple[str, ...] = ("locations",)) -> Share:
    terms = Terms("law-enforcement", "part-3", "s.35", 30)
    return Share(id=name, recipients=("south",), grant=grant, terms=terms, when=when)


def the_change(bundle: Bundle, words: str) -> Mutant:
    (found,) = [each for each in mutants_of(bundle, DAY) if each.change == words]
    return found


# -- how many are noticed


def test_examples_and_witnesses_notice_what_changes_the_demonstration() -> None:
    found = tried(*read(HERE / "agreements"), IN_FORCE)
    assert_noticed(found)
    assert {each.by for each in found} >= {"examples", "witnesses"}


def test_witnesses_notice_what_changes_generated_bundles() -> None:
    assert_noticed([each for seed in range(4) for each in tried_generated(seed)])


@pytest.mark.long
def test_examples_and_witnesses_notice_what_changes_another_written_bundle() -> None:
    assert_noticed(tried(*read(ANOTHER), IN_FORCE))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_witnesses_notice_what_changes_many_generated_bundles() -> None:
    found = []
    for seed in range(1000, 1120):
        of_bundle = tried(generated(seed))
        assert_never_contradicted(generated(seed), of_bundle, seed, events=60)
        found += of_bundle
    assert_noticed(found)


# -- what is no change


def assert_never_contradicted(bundle: Bundle, found: Iterable[Tried], seed: int, events: int) -> None:
    """No event that can be tried is decided otherwise after a change that is said to be none."""
    rng = random.Random(seed)
    none = [each.mutant for each in found if each.by == "no change"]
    for _ in range(events):
        recipient = rng.choice(RECIPIENTS)
        event, state = an_event(rng, recipient)
        question = Question(replace(event, regions=event.regions | regions_of(bundle)), state, recipient, DAY)
        before = question.put_to(bundle)
        for mutant in (each for each in none if DAY in each.days):
            assert remeasured(question, mutant.bundle).put_to(mutant.bundle) == before, (mutant.place, mutant.change)


@pytest.mark.parametrize("seed", [0, 2])
def test_no_event_contradicts_that_a_change_is_none(seed: int) -> None:
    assert any(each.by == "no change" for each in tried_generated(seed))
    assert_never_contradicted(generated(seed), tried_generated(seed), seed, events=60)


def test_leaving_out_a_rule_whose_work_another_does_on_other_terms_is_a_change_of_terms() -> None:
    """Its ground goes: who reads the disclosure sees it."""
    bundle = only(a_share("wide", RTC), a_share("narrow", INJURY))
    narrow = next(each for each in mutants_of(bundle, DAY) if (each.rule, each.operator) == ("narrow", "drop-rule"))
    shown = told_apart(bundle, narrow)
    assert shown is not None
    before, after = shown.put_to(bundle), shown.put_to(narrow.bundle)
    assert before.sections == after.sections
    assert before.grounds != after.grounds


def test_a_limit_within_a_stricter_one_can_be_left_out() -> None:
    strict = Limit(id="strict", recipients=("south",), locate="10km", retain_days=7)
    loose = Limit(id="loose", recipients=("south",), when=(RTC,), locate="1km", retain_days=30)
    bundle = only(a_share("all"), strict, loose)
    by_rule = {each.mutant.rule: each.by for each in tried(bundle) if each.mutant.operator == "drop-rule"}
    assert by_rule == {"all": "witnesses", "strict": "witnesses", "loose": "no change"}


# -- the changes


def test_a_share_rule_is_changed_in_every_way() -> None:
    bundle = only(a_share("border", RTC, GRADE, grant=("locations", "victims")))
    changes = [each.change for each in mutants_of(bundle, DAY) if each.rule]
    assert len(changes) == len(set(changes))
    for expected in (
        "leaving out the rule",
        "forbidding instead",
        "without the condition that grade is emergency",
        "unless, not when, category is transport/rtc",
        "with category transport for transport/rtc",
        "towards west too",
        "no longer granting victims",
        "telling places at 100m instead of exact",
        "keeping it 31 days instead of 30",
    ):
        assert expected in changes, changes


def test_protections_and_limits_are_changed_in_every_way() -> None:
    given = {"recipients": ("south",), "when": (RTC,)}
    refer = Refer(**given, id="ask", sections=("victims", "narrative"), path=(Step("one", 60), Step("two", 60)))  # type: ignore[arg-type]
    forbid = Forbid(**given, id="never", sections=("head",), unless=((GRADE,),))  # type: ignore[arg-type]
    limit = Limit(**given, id="cap", locate="1km", onward="ask")  # type: ignore[arg-type]
    operators: dict[str, set[str]] = {}
    for each in mutants_of(only(refer, forbid, limit), DAY):
        operators.setdefault(each.rule, set()).add(each.operator)
    assert {"drop-rule", "outcome", "path", "invite", "silent", "drop-section", "add-section"} <= operators["ask"]
    assert {"drop-rule", "drop-unless", "negate", "add-section", "drop-condition"} <= operators["never"]
    assert {"drop-rule", "locate", "onward", "add-recipient"} <= operators["cap"]
    assert {"starts", "signature", "add-origin"} <= operators[""]


def test_every_change_leaves_all_else_as_it_was() -> None:
    bundle, _ = read(HERE / "agreements")
    for mutant in mutants_of(bundle, IN_FORCE):
        others = [each for each in bundle.agreements if each.id != mutant.agreement]
        assert [each for each in mutant.bundle.agreements if each.id != mutant.agreement] == others
        assert mutant.bundle != bundle
        assert mutant.change


# -- who notices


def test_witnesses_are_made_from_the_bundle_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made where no change can be, and none is added while changes are tried."""
    with monkeypatch.context() as context:
        context.setattr(changes, "with_agreement", None)
        assert witnesses(generated(3), DAY)
    trial = Trial(generated(3), (), DAY)
    before = trial.witnesses
    assert before > 0
    list(trial.run())
    assert trial.witnesses == before


def test_an_example_notices_what_it_expects() -> None:
    bundle, examples = read(ANOTHER)
    gone = next(
        each for each in mutants_of(bundle, IN_FORCE) if (each.rule, each.operator) == ("no-deaths", "drop-rule")
    )
    assert noticed_by_examples(examples, gone)
    assert not noticed_by_examples([each for each in examples if each.agreement != "HWY-2026-03"], gone)


def test_an_example_without_a_day_moves_with_the_start_of_its_agreement() -> None:
    bundle, examples = read(ANOTHER)
    (later,) = [
        each
        for each in mutants_of(bundle, IN_FORCE)
        if (each.agreement, each.change) == ("HWY-2026-03", "starting a day later")
    ]
    own = [each for each in examples if each.agreement == "HWY-2026-03"]
    assert not any(each.dated for each in own)
    assert not noticed_by_examples(own, later)
    assert noticed_by_examples([replace(each, dated=True) for each in own], later)
