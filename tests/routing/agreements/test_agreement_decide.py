"""Deciding, a sentence at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from routing.agreements import Ground, RuleMatch, decide, recipients
from routing.agreements.model import Condition, NeverState, Signature, Suspension, Terms
from schemas.sections import SECTIONS

CHILD = (Condition("flags", ("child",)),)
SOURCE = (Condition("caveats", ("source-sensitive",)),)


def test_whatever_nobody_wrote_down_stays_home(desk: Any):
    decision = desk.decide()
    assert decision.outcome == "withheld"
    assert decision.head == "withheld"
    assert set(decision.sections.values()) == {"withheld"}
    assert decision.covers == ()
    assert decision.grounds == ()
    assert decision.rules == ()
    assert (decision.retain_days, decision.onward, decision.under_review) == (None, None, False)


def test_a_share_rule_grants_the_head_and_the_sections_it_names(desk: Any):
    decision = desk.decide(desk.share(grant=("vehicles", "locations")))
    assert decision.head == "granted"
    assert decision.covers == ("locations", "vehicles")
    assert decision.sections["facts"] == "withheld"
    assert decision.outcome == "shared-in-part"


def test_sections_are_told_in_wire_order(desk: Any):
    assert tuple(desk.decide(desk.share()).sections) == SECTIONS


def test_an_empty_grant_is_the_head_alone(desk: Any):
    decision = desk.decide(desk.share(grant=()))
    assert (decision.head, decision.covers, decision.outcome) == ("granted", (), "shared-in-part")
    assert [ground.section for ground in decision.grounds] == ["head"]


def test_it_is_shared_when_every_section_that_is_not_empty_is_granted(desk: Any):
    rule = desk.share(grant=("locations", "vehicles"))
    assert desk.decide(rule, sections=frozenset({"locations"})).outcome == "shared"
    assert desk.decide(rule, sections=frozenset()).outcome == "shared"
    assert desk.decide(rule, sections=frozenset({"locations", "facts"})).outcome == "shared-in-part"


def test_a_delivery_covers_granted_sections_that_are_empty(desk: Any):
    assert desk.decide(desk.share(grant=("hazards",)), sections=frozenset()).covers == ("hazards",)


def test_permission_adds_up(desk: Any):
    decision = desk.decide(desk.share("a", grant=("locations",)), desk.share("b", grant=("vehicles",)))
    assert decision.covers == ("locations", "vehicles")


class TestDoubtGoesAgainstSharing:
    @pytest.mark.parametrize(("flags", "head"), [({"child"}, "granted"), (set(), "withheld"), (None, "withheld")])
    def test_a_share_rule_needs_its_when_to_be_true(self, desk: Any, flags: set[str] | None, head: str):
        event = {"flags": None if flags is None else frozenset(flags)}
        assert desk.decide(desk.share(when=CHILD), **event).head == head

    @pytest.mark.parametrize(("flags", "head"), [({"child"}, "withheld"), (set(), "granted"), (None, "withheld")])
    def test_a_share_rule_needs_its_unless_to_be_false(self, desk: Any, flags: set[str] | None, head: str):
        event = {"flags": None if flags is None else frozenset(flags)}
        assert desk.decide(desk.share(unless=(CHILD,)), **event).head == head

    @pytest.mark.parametrize(
        ("flags", "caveats", "head"),
        [
            ({"child"}, set(), "granted"),
            (None, set(), "granted"),
            ({"child"}, None, "granted"),
            (None, None, "granted"),
            (set(), set(), "withheld"),
            (set(), None, "withheld"),
            ({"child"}, {"source-sensitive"}, "withheld"),
            (None, {"source-sensitive"}, "withheld"),
        ],
    )
    def test_on_doubt_share_needs_when_not_false_and_unless_not_true(
        self, desk: Any, flags: set[str] | None, caveats: set[str] | None, head: str
    ):
        rule = desk.share(when=CHILD, unless=(SOURCE,), on_doubt_share=True)
        sets = {"flags": flags, "caveats": caveats}
        stated = {name: None if codes is None else frozenset(codes) for name, codes in sets.items()}
        assert desk.decide(rule, **stated).head == head

    @pytest.mark.parametrize(
        ("flags", "head", "turned"),
        [({"child"}, "forbidden", False), (set(), "granted", None), (None, "forbidden", True)],
    )
    def test_a_forbid_rule_matches_if_when_may_be_true(self, desk: Any, flags: Any, head: str, turned: bool | None):
        event = {"flags": None if flags is None else frozenset(flags)}
        decision = desk.decide(desk.share(), desk.forbid(when=CHILD), **event)
        assert decision.head == head
        assert [rule.turned_on_unknown for rule in decision.rules if rule.outcome == "forbid"] == (
            [] if turned is None else [turned]
        )

    @pytest.mark.parametrize(
        ("flags", "head", "turned"),
        [({"child"}, "granted", None), (set(), "forbidden", False), (None, "forbidden", True)],
    )
    def test_a_forbid_rule_matches_if_unless_may_be_false(self, desk: Any, flags: Any, head: str, turned: bool | None):
        event = {"flags": None if flags is None else frozenset(flags)}
        decision = desk.decide(desk.share(), desk.forbid(unless=(CHILD,)), **event)
        assert decision.head == head
        assert [rule.turned_on_unknown for rule in decision.rules if rule.outcome == "forbid"] == (
            [] if turned is None else [turned]
        )


class TestMode:
    @pytest.mark.parametrize("mode", ["exercise", "test", "unknown"])
    def test_a_share_rule_that_does_not_name_mode_matches_only_when_it_is_actual(self, desk: Any, mode: str):
        assert desk.decide(desk.share()).head == "granted"
        assert desk.decide(desk.share(), mode=mode).head == "withheld"
        assert desk.decide(desk.share(on_doubt_share=True), mode=mode).head == "withheld"

    def test_naming_mode_in_unless_is_not_naming_it_in_when(self, desk: Any):
        rule = desk.share(unless=((Condition("mode", ("test",)),),))
        assert desk.decide(rule, mode="exercise").head == "withheld"

    def test_a_share_rule_may_name_a_mode(self, desk: Any):
        rule = desk.share(when=(Condition("mode", ("exercise",)),))
        assert desk.decide(rule, mode="exercise").head == "granted"
        assert desk.decide(rule, mode="actual").head == "withheld"
        assert desk.decide(rule, mode="unknown").head == "withheld"

    @pytest.mark.parametrize("mode", ["actual", "exercise", "test", "unknown"])
    def test_forbids_hold_always(self, desk: Any, mode: str):
        assert desk.decide(desk.forbid(), mode=mode).head == "forbidden"


class TestNeverStates:
    NEVER = (NeverState("north", "caveats", "the system has no such field"),)

    def test_null_counts_as_empty_for_that_origin(self, desk: Any):
        rules = (desk.share(), desk.forbid(when=SOURCE))
        bundle = desk.bundle(desk.agreement(*rules))
        assert desk.decide(bundle=bundle, caveats=None).head == "forbidden"
        declared = replace(bundle, never_states=self.NEVER)
        assert desk.decide(bundle=declared, caveats=None).head == "granted"

    def test_it_is_for_that_origin_and_that_set_alone(self, desk: Any):
        rules = (desk.share(), desk.forbid(when=SOURCE), desk.forbid("f2", when=CHILD))
        signatures = (Signature("south", "B", "ACC", date(2025, 1, 1)),)
        agreement = desk.agreement(*rules, origins=("north", "south"), signatures=signatures)
        bundle = desk.bundle(agreement, never_states=(NeverState("west", "caveats", "x"),))
        assert desk.decide(bundle=bundle, caveats=None).head == "forbidden"
        mine = replace(bundle, never_states=self.NEVER)
        assert desk.decide(bundle=mine, flags=None).head == "forbidden"

    def test_an_unknown_inside_a_set_stays_unknown(self, desk: Any):
        bundle = desk.bundle(desk.agreement(desk.share(), desk.forbid(when=SOURCE)), never_states=self.NEVER)
        assert desk.decide(bundle=bundle, caveats=frozenset({"unknown"})).head == "forbidden"


class TestProhibitionAlwaysWins:
    def test_a_forbid_without_sections_covers_the_head_and_all(self, desk: Any):
        decision = desk.decide(desk.share(), desk.forbid())
        assert decision.outcome == "forbidden"
        assert set(decision.sections.values()) == {"forbidden"}
        assert decision.covers == ()
        assert decision.grounds == ()
        assert decision.rules == (
            RuleMatch("A", "forbid", "forbid", turned_on_unknown=False, acts_as="forbid"),
            RuleMatch("A", "share", "share", turned_on_unknown=False, acts_as="share"),
        )

    def test_a_forbid_with_sections_covers_those(self, desk: Any):
        decision = desk.decide(desk.share(grant=("locations", "victims")), desk.forbid(sections=("victims",)))
        assert decision.head == "granted"
        assert decision.covers == ("locations",)
        assert decision.sections["victims"] == "forbidden"
        assert decision.sections["facts"] == "withheld"

    def test_a_forbid_of_the_head_alone_stops_everything(self, desk: Any):
        decision = desk.decide(desk.share(), desk.forbid(sections=("head",)))
        assert (decision.outcome, decision.covers) == ("forbidden", ())
        assert set(decision.sections.values()) == {"forbidden"}

    def test_if_the_head_is_not_granted_what_is_not_forbidden_takes_its_state(self, desk: Any):
        decision = desk.decide(desk.forbid(sections=("victims",)))
        assert (decision.head, decision.outcome) == ("withheld", "withheld")
        assert decision.sections["victims"] == "forbidden"
        assert decision.sections["locations"] == "withheld"

    def test_of_another_agreement_too(self, desk: Any):
        standing = desk.agreement(desk.forbid(sections=("locations",)), id="S", standing=True, signatures=())
        bundle = desk.bundle(desk.agreement(desk.share(grant=("locations", "facts"))), standing)
        assert desk.decide(bundle=bundle).covers == ("facts",)


class TestInForce:
    """In June, London's midnight is 23:00 UTC of the day before."""

    DAY = date(2026, 6, 10)

    @pytest.mark.parametrize(
        ("now", "head"),
        [
            (datetime(2026, 6, 9, 22, 59, 59, 999999, tzinfo=UTC), "withheld"),
            (datetime(2026, 6, 9, 23, 0, tzinfo=UTC), "granted"),
        ],
    )
    def test_an_agreement_starts_at_midnight_in_london(self, desk: Any, now: datetime, head: str):
        assert desk.decide(bundle=desk.bundle(desk.agreement(desk.share(), starts=self.DAY)), now=now).head == head

    def test_before_it_starts_no_rule_applies_forbids_neither(self, desk: Any):
        bundle = desk.bundle(
            desk.agreement(desk.share()), desk.agreement(desk.forbid(), id="B", starts=date(2026, 7, 1))
        )
        assert desk.decide(bundle=bundle).head == "granted"

    @pytest.mark.parametrize(
        ("now", "head"),
        [
            (datetime(2026, 6, 10, 22, 59, 59, 999999, tzinfo=UTC), "granted"),
            (datetime(2026, 6, 10, 23, 0, tzinfo=UTC), "withheld"),
        ],
    )
    def test_sharing_stops_after_the_last_moment_of_ends(self, desk: Any, now: datetime, head: str):
        assert desk.decide(bundle=desk.bundle(desk.agreement(desk.share(), ends=self.DAY)), now=now).head == head

    def test_in_winter_midnight_is_that_of_utc(self, desk: Any):
        bundle = desk.bundle(desk.agreement(desk.share(), starts=date(2026, 1, 10)))
        assert desk.decide(bundle=bundle, now=datetime(2026, 1, 9, 23, 59, 59, tzinfo=UTC)).head == "withheld"
        assert desk.decide(bundle=bundle, now=datetime(2026, 1, 10, tzinfo=UTC)).head == "granted"

    def test_forbids_stay_when_the_agreement_has_ended_or_is_suspended_or_nobody_signed(self, desk: Any):
        sharing = desk.agreement(desk.share())
        bundle = desk.bundle(
            sharing,
            desk.agreement(desk.forbid(), id="B", ends=date(2026, 2, 1), signatures=()),
            suspended=(Suspension("B", "the owner", "a breach"),),
        )
        assert desk.decide(bundle=bundle).head == "forbidden"

    def test_sharing_stops_while_suspended(self, desk: Any):
        bundle = desk.bundle(desk.agreement(desk.share()), suspended=(Suspension("A", "the owner", "a breach"),))
        assert desk.decide(bundle=bundle).head == "withheld"

    def test_an_origin_that_has_not_signed_is_not_routed(self, desk: Any):
        other = (Signature("south", "B. Chief", "ACC", date(2025, 12, 1)),)
        assert desk.decide(bundle=desk.bundle(desk.agreement(desk.share(), signatures=other))).head == "withheld"
        assert desk.decide(bundle=desk.bundle(desk.agreement(desk.share(), signatures=()))).head == "withheld"

    def test_a_signature_counts_from_its_day_on(self, desk: Any):
        signed = (Signature("north", "A. Chief", "ACC", date(2026, 6, 10)),)
        bundle = desk.bundle(desk.agreement(desk.share(), signatures=signed))
        assert desk.decide(bundle=bundle, now=datetime(2026, 6, 9, 22, 59, tzinfo=UTC)).head == "withheld"
        assert desk.decide(bundle=bundle, now=datetime(2026, 6, 9, 23, 0, tzinfo=UTC)).head == "granted"

    def test_after_its_review_day_sharing_goes_on_with_a_mark(self, desk: Any):
        bundle = desk.bundle(desk.agreement(desk.share(), review=date(2026, 6, 10)))
        before = desk.decide(bundle=bundle, now=datetime(2026, 6, 10, 22, 59, tzinfo=UTC))
        after = desk.decide(bundle=bundle, now=datetime(2026, 6, 10, 23, 0, tzinfo=UTC))
        assert (before.head, before.under_review) == ("granted", False)
        assert (after.head, after.under_review) == ("granted", True)


class TestWhoGets:
    def test_a_rule_reaches_its_recipients_and_nobody_else(self, desk: Any):
        bundle = desk.bundle(desk.agreement(desk.share()))
        assert decide(bundle, desk.event(), "west", desk.noon).head == "withheld"

    def test_a_rule_is_for_its_origins_alone(self, desk: Any):
        bundle = desk.bundle(desk.agreement(desk.share(recipients=("west",))))
        assert decide(bundle, desk.event(), "west", desk.noon).head == "granted"
        assert decide(bundle, desk.event(origin="south"), "west", desk.noon).head == "withheld"

    def test_an_origin_is_not_its_own_recipient(self, desk: Any):
        bundle = desk.bundle(desk.agreement(desk.share(recipients=("north", "south"))))
        assert decide(bundle, desk.event(), "north", desk.noon).head == "withheld"
        assert recipients(bundle, "north") == ("south", "west")
        assert recipients(bundle, "west") == ("north", "south")

    def test_nobody_unknown_gets_anything(self, desk: Any):
        bundle = desk.bundle(desk.agreement(desk.share()))
        assert decide(bundle, desk.event(origin="nobody"), "south", desk.noon).outcome == "withheld"
        assert decide(bundle, desk.event(), "nobody", desk.noon).outcome == "withheld"


class TestGrounds:
    SAFEGUARDING = Terms("safeguarding", "part-3", "Children Act 2004 s.11", 365)

    def test_every_matching_rule_that_grants_a_covered_section_sorted(self, desk: Any):
        later = desk.agreement(desk.share("b", grant=("facts",), terms=self.SAFEGUARDING), id="B")
        first = desk.agreement(desk.share("z", grant=("facts", "locations")), desk.share("c", grant=()))
        decision = desk.decide(bundle=desk.bundle(later, first))
        law = ("law-enforcement", "DPA 2018 s.35(2)(b)")
        assert decision.grounds == (
            Ground("locations", "A", "z", *law),
            Ground("facts", "A", "z", *law),
            Ground("facts", "B", "b", "safeguarding", "Children Act 2004 s.11"),
        )

    def test_for_the_head_every_matching_share_rule_if_no_section_is_covered(self, desk: Any):
        rules = (desk.share("a", grant=()), desk.share("b", grant=("facts",)), desk.forbid(sections=("facts",)))
        grounds = desk.decide(*rules).grounds
        assert [(ground.section, ground.rule) for ground in grounds] == [("head", "a"), ("head", "b")]

    def test_retention_is_the_longest_of_the_shortest_of_each_purpose(self, desk: Any):
        def keep(name: str, purpose: str, days: int) -> Any:
            return desk.share(name, terms=Terms(purpose, "part-3", "law", days))

        assert desk.decide(keep("a", "law-enforcement", 90), keep("b", "law-enforcement", 30)).retain_days == 30
        rules = (keep("a", "law-enforcement", 90), keep("b", "law-enforcement", 30), keep("c", "safeguarding", 60))
        assert desk.decide(*rules).retain_days == 60

    def test_a_rule_that_grants_nothing_covered_is_no_ground_for_keeping(self, desk: Any):
        longer = desk.share("b", grant=("facts",), terms=self.SAFEGUARDING)
        assert desk.decide(desk.share(), longer, desk.forbid(sections=("facts",))).retain_days == 90

    @pytest.mark.parametrize(
        ("first", "second", "onward"),
        [("forbidden", "permitted", "forbidden"), ("ask", "permitted", "ask"), ("permitted", "permitted", "permitted")],
    )
    def test_onward_is_the_strictest_among_the_grounds(self, desk: Any, first: str, second: str, onward: str):
        bundle = desk.bundle(
            desk.agreement(desk.share(), onward=first), desk.agreement(desk.share(), id="B", onward=second)
        )
        assert desk.decide(bundle=bundle).onward == onward


def test_a_time_without_a_zone_is_a_mistake_of_the_caller(desk: Any):
    with pytest.raises(ValueError, match="zone"):
        desk.decide(desk.share(), now=datetime(2026, 6, 1, 12))  # noqa: DTZ001


def test_decisions_can_be_grouped(desk: Any):
    assert hash(desk.decide(desk.share())) == hash(desk.decide(desk.share()))
    assert desk.decide(desk.share()) == desk.decide(desk.share())
