"""What is found by solving is what trying events finds, and what no event contradicts."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, time

import pytest

from deploy.agreement_tools.analysis.differences import Difference, differences
from deploy.agreement_tools.analysis.findings import Finding, examine
from deploy.agreement_tools.analysis.statements import Statement
from routing.agreements.bundle import Bundle
from routing.agreements.conditions import Truth, condition_truth
from routing.agreements.considered import Considered
from routing.agreements.decision import Decision
from routing.agreements.force import LONDON
from routing.agreements.interpret import decide
from routing.agreements.matching import Question
from routing.agreements.model import Condition, Forbid, Limit, Share
from routing.agreements.state import RuleRef, State
from schemas.sections import SECTIONS
from tests.deploy.agreement_tools.generated import (
    DAY,
    ORIGIN,
    RECIPIENTS,
    _agreement,
    a_bundle,
    an_event,
    changed,
)

NOON = datetime.combine(DAY, time(12), LONDON)
PARTS = ("head", *SECTIONS)


def states(decision: Decision) -> dict[str, str]:
    return {"head": decision.head, **decision.sections}


def found(bundle: Bundle) -> dict[str, set[RuleRef]]:
    kinds: dict[str, set[RuleRef]] = {"dead": set(), "shadowed": set(), "overlapping": set()}
    for finding in examine(bundle, DAY).findings:
        kinds[finding.kind].add(finding.rule)
    return kinds


def a_share(name: str, *when: Condition, grant: tuple[str, ...] = ("locations",), **more: object) -> Share:
    from tests.deploy.agreement_tools.generated import Terms

    terms = Terms("law-enforcement", "part-3", "s.35", 30)
    given = {"id": name, "recipients": ("south",), "grant": grant, "terms": terms, "when": when, **more}
    return Share(**given)


def only(*rules: object) -> Bundle:
    bundle = a_bundle(random.Random(0))
    agreement = _agreement("A", tuple(rules), (), None)  # type: ignore[arg-type]
    return replace(bundle, agreements=(agreement,), never_states=())


GRADE = Condition("grade", ("emergency",))
RTC = Condition("category", ("transport/rtc",))
INJURY = Condition("category", ("transport/rtc/injury",))
MURDER = Condition("category", ("crime/violence/homicide",))


def test_a_rule_whose_conditions_exclude_each_other_is_dead() -> None:
    assert found(only(a_share("never", RTC, MURDER), a_share("sometimes", RTC)))["dead"] == {RuleRef("A", "never")}


def test_a_protection_remembers_so_the_same_conditions_do_not_make_it_dead() -> None:
    forbid = Forbid(id="both", recipients=("south",), sections=("locations",), when=(RTC, MURDER))
    assert found(only(forbid, a_share("all")))["dead"] == set()


def test_a_rule_that_grants_what_a_wider_one_grants_is_shadowed_with_an_example() -> None:
    bundle = only(a_share("wide", RTC, grant=("locations", "victims")), a_share("narrow", INJURY, GRADE))
    (finding,) = [each for each in examine(bundle, DAY).findings if each.kind == "shadowed"]
    assert (finding.rule.rule, [ref.rule for ref in finding.does_its_work]) == ("narrow", ["wide"])
    assert finding.example is not None
    assert finding.example.event.category == "transport/rtc/injury"


def test_a_rule_that_tells_places_finer_than_the_wider_one_is_not_shadowed() -> None:
    assert not found(only(a_share("wide", RTC, locate="1km"), a_share("narrow", INJURY)))["shadowed"]
    assert found(only(a_share("wide", RTC), a_share("narrow", INJURY, locate="1km")))["shadowed"]


def test_a_rule_that_a_prohibition_always_covers_is_shadowed() -> None:
    forbid = Forbid(id="never", recipients=("south",), sections=PARTS, when=(RTC,))
    assert found(only(a_share("share", INJURY), forbid))["shadowed"] == {RuleRef("A", "share")}


def test_a_limit_under_a_stricter_one_is_shadowed() -> None:
    strict = Limit(id="strict", recipients=("south",), locate="10km", retain_days=7)
    loose = Limit(id="loose", recipients=("south",), when=(RTC,), locate="1km", retain_days=30)
    assert found(only(a_share("all"), strict, loose))["shadowed"] == {RuleRef("A", "loose")}


def test_rules_that_meet_are_told_with_what_both_say_and_rules_that_cannot_meet_are_not() -> None:
    overlaps = [
        each
        for each in examine(only(a_share("a", RTC), a_share("b", GRADE), a_share("c", MURDER)), DAY).findings
        if each.kind == "overlapping"
    ]
    assert {(each.rule.rule, each.other and each.other.rule) for each in overlaps} == {("a", "b"), ("b", "c")}
    assert {each.parts for each in overlaps} == {("locations",)}


@pytest.mark.parametrize("seed", range(12))
def test_no_event_contradicts_a_finding(seed: int) -> None:
    """Every example was confirmed by the interpreter on the way (`confirm` raises if it decides otherwise)."""
    rng = random.Random(seed)
    bundle = a_bundle(rng)
    kinds = found(bundle)
    overlapping = {(f.rule, f.other) for f in examine(bundle, DAY).findings if f.kind == "overlapping"}
    for _ in range(300):
        recipient = rng.choice(RECIPIENTS)
        event, state = an_event(rng, recipient)
        decision = decide(bundle, event, recipient, NOON, state)
        matched = {RuleRef(match.agreement, match.rule) for match in decision.rules}
        assert not matched & kinds["dead"]
        for ref in matched & kinds["shadowed"]:
            assert states(decide(_without(bundle, ref), event, recipient, NOON, state)) == states(decision)
        shares = [m for m in decision.rules if m.outcome == "share"]
        for one in shares:
            for other in shares:
                pair = (RuleRef(one.agreement, one.rule), RuleRef(other.agreement, other.rule))
                if pair[0] != pair[1] and _share_a_section(bundle, *pair):
                    assert pair in overlapping or pair[::-1] in overlapping


def _share_a_section(bundle: Bundle, one: RuleRef, other: RuleRef) -> bool:
    def grants(ref: RuleRef) -> set[str]:
        agreement = bundle.agreement(ref.agreement)
        assert agreement
        return {s for rule in agreement.rules if rule.id == ref.rule and isinstance(rule, Share) for s in rule.grant}

    return bool(grants(one) & grants(other))


def _without(bundle: Bundle, ref: RuleRef) -> Bundle:
    agreements = tuple(
        replace(
            agreement,
            rules=tuple(rule for rule in agreement.rules if (agreement.id, rule.id) != (ref.agreement, ref.rule)),
        )
        for agreement in bundle.agreements
    )
    return replace(bundle, agreements=agreements)


@pytest.mark.parametrize("seed", range(12))
def test_the_regions_of_a_difference_are_exactly_the_events_decided_otherwise(seed: int) -> None:
    rng = random.Random(1_000 + seed)
    old = a_bundle(rng)
    new = changed(rng, old)
    told = list(differences(old, new, DAY))
    changes = 0
    for _ in range(300):
        recipient = rng.choice(RECIPIENTS)
        event, state = an_event(rng, recipient)
        before, after = (states(decide(bundle, event, recipient, NOON, state)) for bundle in (old, new))
        really = {(part, before[part], after[part]) for part in PARTS if before[part] != after[part]}
        assert really == _said(told, old, event, recipient, state)
        changes += len(really)
    assert bool(told) or not changes


def _said(
    told: list[Difference], bundle: Bundle, event: Considered, recipient: str, state: State
) -> set[tuple[str, str, str]]:
    question = Question(bundle, event, recipient, NOON, state)
    return {
        (part, difference.before, difference.after)
        for difference in told
        if (ORIGIN, recipient) in difference.towards.pairs
        if any(all(_holds(each, question) for each in region.where) for region in difference.regions)
        for part in difference.parts
    }


def _holds(statement: Statement, question: Question) -> bool:
    truth = condition_truth(statement.condition, question.remembered if statement.remembers else question.present)
    return {
        "true": truth is Truth.TRUE,
        "false": truth is Truth.FALSE,
        "unknown": truth is Truth.UNKNOWN,
        "not true": truth is not Truth.TRUE,
        "not false": truth is not Truth.FALSE,
    }[statement.form]


def test_bundles_that_decide_alike_do_not_differ_however_they_are_written() -> None:
    whole = only(a_share("a", RTC, grant=("locations", "victims")))
    split = only(a_share("x", RTC), a_share("y", RTC, grant=("victims",)), a_share("z", RTC, INJURY))
    assert not list(differences(whole, split, DAY))


def test_findings_are_in_order_the_worst_first() -> None:
    bundle = only(a_share("z", RTC, MURDER), a_share("wide"), a_share("narrow", RTC))
    kinds = [each.kind for each in examine(bundle, DAY).findings]
    assert kinds == ["dead", "shadowed", "overlapping"]
    assert all(isinstance(each, Finding) for each in examine(bundle, DAY).findings)
