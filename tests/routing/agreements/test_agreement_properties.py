"""What holds for every bundle and every event (Hypothesis)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, product
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.agreements import (
    Bundle,
    Considered,
    Place,
    considered_from_dict,
    considered_to_dict,
    decide,
    explain_rules,
    recipients,
)
from routing.agreements.conditions import Truth, View, block_truth, unless_truth
from routing.agreements.model import (
    Agreement,
    Block,
    Condition,
    Forbid,
    MemberFacts,
    NeverState,
    SetAttribute,
    Share,
    Signature,
    Suspension,
    Terms,
)
from schemas.codes import codes
from schemas.sections import SECTIONS

MEMBERS = tuple(
    MemberFacts(name, publishes=True, receives=True, country="GB", competent_authority=True, area=None)
    for name in ("north", "south", "west")
)
NAMES = tuple(member.id for member in MEMBERS)
SETS = get_args(SetAttribute)
CODES: dict[str, tuple[str, ...]] = {
    "category": ("transport", "transport/rtc", "transport/rtc/injury", "crime", "crime/violence"),
    "qualifiers": ("hate", "hate/race", "repeat"),
    "flags": ("child", "high-risk"),
    "caveats": ("refuge", "source-sensitive"),
    "handling": ("no-media",),
    **{name: codes(name)[:3] for name in ("grade", "status", "kind", "mode", "marking")},
    "district": ("Leeds", "York"),
    "has": ("suspects", "locations"),
}
DAY = date(2026, 6, 10)
DAYS = [DAY + timedelta(days=offset) for offset in (-2, -1, 0, 1, 2)]
SOME_NAMES = [tuple(sorted(names)) for size in (1, 2, 3) for names in combinations(NAMES, size)]
SOME_SECTIONS = [(), SECTIONS, *((section,) for section in SECTIONS), *combinations(SECTIONS[:8:2], 2), SECTIONS[3:9]]
SOME_FORBIDDEN = [*SOME_SECTIONS[1:], ("head", *SECTIONS), ("head",), ("head", "facts")]


def every_condition() -> Iterator[Condition]:
    """Each attribute with each value, some two, and what may stand beside them."""
    yield Condition("addressed")
    for attribute, values in CODES.items():
        for wanted in (*((value,) for value in values), values[:2]):
            yield Condition(attribute, wanted)  # type: ignore[arg-type]
            if attribute in (*SETS, "has"):
                yield Condition(attribute, wanted, needs_all=True)  # type: ignore[arg-type]
            if attribute == "district":
                yield Condition(attribute, wanted, place=("destination",))


# Sampling from lists made beforehand keeps drawing quick: these tests are to run often.
condition = st.sampled_from(list(every_condition()))
blocks = st.one_of(st.tuples(condition), st.tuples(condition, condition))
whens = st.one_of(st.just(()), blocks)
unlesses = st.one_of(st.just(()), st.tuples(blocks), st.tuples(blocks, blocks))
days = st.sampled_from(DAYS)
moments = st.integers(-60, 60).map(lambda hours: datetime(2026, 6, 9, 23, tzinfo=UTC) + timedelta(hours=hours))
some_names = st.sampled_from(SOME_NAMES)
ruled: dict[str, Any] = {"id": st.just("x"), "recipients": some_names, "when": whens, "unless": unlesses}
TERMS = [
    Terms(purpose, "part-3", "the law", days) for purpose in ("law-enforcement", "safeguarding") for days in (1, 30, 90)
]
shares = st.builds(
    Share, **ruled, grant=st.sampled_from(SOME_SECTIONS), terms=st.sampled_from(TERMS), on_doubt_share=st.booleans()
)
forbids = st.builds(Forbid, **ruled, sections=st.sampled_from(SOME_FORBIDDEN))


@st.composite
def agreements(draw: Any, name: str) -> Agreement:
    drawn = draw(st.lists(st.one_of(shares, shares, forbids), max_size=4))
    rules = tuple(replace(rule, id="abcd"[number]) for number, rule in enumerate(drawn))
    return Agreement(
        id=name,
        title="t",
        owner="o",
        starts=draw(days),
        ends=draw(st.none() | days),
        review=draw(st.none() | days),
        origins=draw(some_names),
        rules=rules,
        signatures=tuple(Signature(member, "n", "r", draw(days)) for member in draw(some_names)),
        ceiling=tuple(section for section in SECTIONS if any(section in getattr(rule, "grant", ()) for rule in rules)),
        onward=draw(st.sampled_from(["forbidden", "ask", "permitted"])),
    )


@st.composite
def bundles(draw: Any) -> Bundle:
    names = draw(st.sampled_from([("A",), ("A", "B"), ("A", "B", "C")]))
    never = draw(st.sampled_from([(), *((pair,) for pair in product(NAMES, SETS))]))
    return Bundle(
        version=1,
        published_by="x",
        members=MEMBERS,
        agreements=tuple(draw(agreements(name)) for name in names),
        never_states=tuple(NeverState(member, attribute, "none") for member, attribute in never),
        suspended=draw(st.sampled_from([(), (), (Suspension("A", "x", "y"),)])),
    )


def code_sets(attribute: str) -> Any:
    sets = [frozenset(found) for size in (0, 1, 2) for found in combinations((*CODES[attribute], "unknown"), size)]
    return st.sampled_from([None, *sets])


def words(attribute: str) -> Any:
    return st.sampled_from((*CODES[attribute], "unknown"))


PLACES = [
    Place(kind, district)
    for kind in ("incident", "destination", "caller", "unknown", None)
    for district in ("Leeds", "YORK", "Hull", None)
]
events = st.builds(
    Considered,
    origin=st.sampled_from(NAMES),
    category=st.none() | st.sampled_from((*CODES["category"], "unknown", "transport/unknown", "transport/rtc/unknown")),
    **{name: code_sets(name) for name in SETS},
    **{name: words(name) for name in ("grade", "status", "kind", "marking")},
    mode=st.sampled_from(["actual", "actual", "actual", "exercise", "unknown"]),
    places=st.sampled_from([(), *((place,) for place in PLACES), *combinations(PLACES, 2)]),
    sections=st.sampled_from([frozenset(found) for found in SOME_SECTIONS]),
    addressees=some_names.map(frozenset),
)
case = given(bundles(), events, moments)


@case
@settings(max_examples=60, deadline=None)
def test_a_forbidden_section_is_never_covered_and_nothing_flows_without_the_head(
    bundle: Bundle, event: Considered, now: datetime
):
    for recipient in recipients(bundle, event.origin):
        decision = decide(bundle, event, recipient, now)
        assert decision.covers == tuple(s for s in SECTIONS if decision.sections[s] == "granted")
        if decision.head != "granted":
            assert decision.covers == ()
            assert decision.outcome == decision.head
            assert set(decision.sections.values()) <= {decision.head, "forbidden"}
        for matched in decision.rules:
            agreement = next(found for found in bundle.agreements if found.id == matched.agreement)
            rule = next(found for found in agreement.rules if found.id == matched.rule)
            if isinstance(rule, Forbid):
                assert not set(rule.sections).intersection(decision.covers)
                assert decision.head == "forbidden" or "head" not in rule.sections


@given(bundles(), events, moments, forbids)
@settings(max_examples=60, deadline=None)
def test_another_forbid_never_adds_coverage(bundle: Bundle, event: Considered, now: datetime, forbid: Forbid):
    extra = Agreement(
        id="Z", title="t", owner="o", starts=DAY, origins=NAMES, rules=(replace(forbid, id="z"),), standing=True
    )
    stricter = replace(bundle, agreements=(*bundle.agreements, extra))
    for recipient in recipients(bundle, event.origin):
        before, after = (decide(b, event, recipient, now) for b in (bundle, stricter))
        assert set(after.covers) <= set(before.covers)
        assert before.head == "granted" or after.head != "granted"


@case
@settings(max_examples=60, deadline=None)
def test_what_is_covered_is_grounded_in_matching_rules_within_their_ceilings(
    bundle: Bundle, event: Considered, now: datetime
):
    by_id = {agreement.id: agreement for agreement in bundle.agreements}
    for recipient in recipients(bundle, event.origin):
        decision = decide(bundle, event, recipient, now)
        matched = {(rule.agreement, rule.rule) for rule in decision.rules if rule.outcome == "share"}
        assert {ground.section for ground in decision.grounds} == set(decision.covers) or (
            decision.covers == () and {ground.section for ground in decision.grounds} <= {"head"}
        )
        for ground in decision.grounds:
            assert (ground.agreement, ground.rule) in matched
            assert ground.section == "head" or ground.section in by_id[ground.agreement].ceiling
        assert bool(decision.grounds) == (decision.head == "granted") == (decision.retain_days is not None)
        assert list(decision.grounds) == sorted(decision.grounds, key=lambda ground: (ground.agreement, ground.rule))


@case
@settings(max_examples=60, deadline=None)
def test_the_same_bytes_and_the_same_record_decide_the_same(bundle: Bundle, event: Considered, now: datetime):
    again = Bundle.from_bytes(bundle.to_bytes(), bundle.hash)
    recorded = considered_from_dict(considered_to_dict(event))
    assert (again, recorded) == (bundle, event)
    for recipient in recipients(bundle, event.origin):
        assert decide(again, recorded, recipient, now) == decide(bundle, event, recipient, now)


@case
@settings(max_examples=60, deadline=None)
def test_the_explanation_names_the_rules_that_the_decision_names(bundle: Bundle, event: Considered, now: datetime):
    for recipient in recipients(bundle, event.origin):
        matched = [
            (trace.agreement, trace.rule, trace.outcome, trace.turned_on_unknown)
            for trace in explain_rules(bundle, event, recipient, now)
            if trace.state == "matched"
        ]
        rules = decide(bundle, event, recipient, now).rules
        assert matched == [(rule.agreement, rule.rule, rule.outcome, rule.turned_on_unknown) for rule in rules]


@given(whens, unlesses, events)
@settings(max_examples=60, deadline=None)
def test_learning_more_never_turns_a_certain_answer(when: Block, unless: tuple[Block, ...], event: Considered):
    """What is true or false while a set is not stated stays so whatever the set turns out to be."""
    for attribute in SETS:
        vague = replace(event, **{attribute: None})
        for truth in (lambda e: block_truth(when, View(e, "south")), lambda e: unless_truth(unless, View(e, "south"))):
            if truth(vague) is not Truth.UNKNOWN:
                assert truth(event) is truth(vague)
