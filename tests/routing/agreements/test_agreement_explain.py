"""Each rule explained in words: matched, or the first condition that failed or was unknown."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from routing.agreements import Place, explain_rules
from routing.agreements.model import Condition, NeverState, Suspension

EMERGENCY = Condition("grade", ("emergency", "priority"))
CHILD = Condition("flags", ("child", "high-risk"), needs_all=True)


def explained(desk: Any, *rules: Any, bundle: Any = None, **event: Any) -> Any:
    bundle = bundle or desk.bundle(desk.agreement(*rules))
    (trace,) = explain_rules(bundle, desk.event(**event), "south", desk.noon)
    return trace


@pytest.mark.parametrize(
    ("rule", "event", "state", "words"),
    [
        ({}, {}, "matched", "it has no `when`: it always holds"),
        ({"when": (EMERGENCY,)}, {}, "matched", "grade is emergency, as asked (emergency or priority)"),
        (
            {"when": (EMERGENCY,)},
            {"grade": "scheduled"},
            "not matched",
            "grade is scheduled, not emergency or priority",
        ),
        (
            {"when": (CHILD, EMERGENCY)},
            {"grade": "scheduled", "flags": None},
            "not matched",
            "grade is scheduled, not emergency or priority",
        ),
        (
            {"when": (EMERGENCY, CHILD)},
            {"flags": None},
            "not matched",
            "flags is not stated, so whether child and high-risk is unknown",
        ),
        (
            {"when": (CHILD,)},
            {"flags": frozenset({"dementia", "child"})},
            "not matched",
            "flags are child, dementia, not child and high-risk",
        ),
        ({"when": (CHILD,)}, {}, "not matched", "flags are none, not child and high-risk"),
        (
            {"unless": ((EMERGENCY,), (CHILD,))},
            {},
            "not matched",
            "unless: grade is emergency, as asked (emergency or priority)",
        ),
        (
            {"unless": ((EMERGENCY,),)},
            {"grade": "unknown"},
            "not matched",
            "unless: grade is unknown, so whether emergency or priority is unknown",
        ),
        (
            {"when": (Condition("category", ("crime",)),)},
            {"category": None},
            "not matched",
            "category is not stated, so whether crime is unknown",
        ),
        (
            {"when": (Condition("district", ("Leeds",)),)},
            {"places": (Place("incident", "York"),)},
            "not matched",
            "district is york, not Leeds",
        ),
        (
            {"when": (Condition("district", ("Leeds",)),)},
            {},
            "not matched",
            "no place is stated, so whether Leeds is unknown",
        ),
        (
            {"when": (Condition("has", ("casualties",)),)},
            {"sections": frozenset({"facts"})},
            "not matched",
            "the sections that are not empty are facts, not casualties",
        ),
        ({"when": (Condition("addressed"),)}, {}, "not matched", "the event is not addressed to south"),
        (
            {},
            {"mode": "exercise"},
            "not matched",
            "mode is exercise, and a rule that does not name mode shares only when it is actual",
        ),
    ],
)
def test_a_share_rule_in_words(desk: Any, rule: Any, event: Any, state: str, words: str):
    trace = explained(desk, desk.share(**rule), **event)
    assert (trace.state, trace.words) == (state, words)
    assert (trace.agreement, trace.rule, trace.outcome, trace.notes) == ("A", "share", "share", ())


def test_a_forbid_that_turned_on_an_unknown_says_which(desk: Any):
    trace = explained(desk, desk.forbid(when=(EMERGENCY, CHILD)), flags=None)
    assert (trace.state, trace.turned_on_unknown) == ("matched", True)
    assert trace.words == "flags is not stated, so whether child and high-risk is unknown"


@pytest.mark.parametrize(
    ("agreement", "words"),
    [
        ({"starts": date(2026, 7, 1)}, "the agreement starts on 2026-07-01"),
        ({"ends": date(2026, 5, 1)}, "the agreement ended on 2026-05-01"),
        ({"signatures": ()}, "north has not signed"),
    ],
)
def test_a_rule_that_is_not_in_force_says_why(desk: Any, agreement: Any, words: str):
    trace = explained(desk, bundle=desk.bundle(desk.agreement(desk.share(), **agreement)))
    assert (trace.state, trace.words) == ("not in force", words)


def test_a_suspension_says_who_and_why(desk: Any):
    bundle = desk.bundle(desk.agreement(desk.share()), suspended=(Suspension("A", "the owner", "a breach"),))
    assert explained(desk, bundle=bundle).words == "suspended by the owner: a breach"


def test_a_never_state_is_printed_wherever_it_was_read(desk: Any):
    never = (NeverState("north", "flags", "no such field"),)
    bundle = desk.bundle(desk.agreement(desk.forbid(when=(CHILD,))), never_states=never)
    trace = explained(desk, bundle=bundle, flags=None)
    assert trace.state == "not matched"
    assert trace.notes == ("flags not stated counts as none for north: no such field",)
    assert explained(desk, bundle=bundle).notes == ()


def test_every_rule_towards_the_recipient_is_told_and_no_other(desk: Any):
    bundle = desk.bundle(desk.agreement(desk.share("b"), desk.forbid("a"), desk.share("c", recipients=("west",))))
    traces = explain_rules(bundle, desk.event(), "south", desk.noon)
    assert [trace.rule for trace in traces] == ["a", "b"]
