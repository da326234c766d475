"""The engine decides exactly as the interpreter does: whatever the rules, the event, and what came before."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import fields, replace
from datetime import timedelta
from random import SystemRandom
from typing import Any

import pytest

from routing.agreements import Bundle, Considered, Decision, Place, decide, recipients
from routing.agreements.engine import Engine, Group
from routing.agreements.masks import REMEMBERED_MOST
from routing.agreements.model import Condition
from routing.agreements.state import FIRST_EVENT, State
from tests.routing.agreements.generated import NOON, Maker

IN_THE_SUITE = 20_000
IN_THE_LONG_RUN = 1_000_000
CHUNKS = 5
CHUNKS_OF_THE_LONG_RUN = 100
ATTRIBUTES = tuple(each.name for each in fields(Considered) if each.name not in ("origin", "sequence"))


def by_recipient(groups: tuple[Group, ...]) -> dict[str, Decision]:
    named = [(name, group.decision) for group in groups for name in group.recipients]
    assert len(named) == len(dict(named)), "a recipient was decided for twice"
    return dict(named)


def compare(
    engine: Engine[tuple[Group, ...]], bundle: Bundle, event: Considered, state: State, now: Any
) -> Counter[str]:
    """Both decide for every recipient; what came out, counted."""
    groups = engine.decide(event, now, state)
    quick = by_recipient(groups)
    assert sorted(quick) == list(recipients(bundle, event.origin))
    told: Counter[str] = Counter()
    for name, decision in quick.items():
        slow = replace(decide(bundle, event, name, now, state), recipient="")
        assert decision == slow, name
        assert list(decision.sections) == list(slow.sections)
        told[f"{slow.head}, {slow.action}"] += 1
    for group in groups:
        assert (group.head, group.covers) == (group.decision.head, group.decision.covers)
    return told


def run(seed: str, decisions: int) -> Counter[str]:
    """Bundles from seeds until so many decisions were compared."""
    told: Counter[str] = Counter()
    number = 0
    while told.total() < decisions:
        maker = Maker(f"{seed}/{number}")
        number += 1
        bundle = maker.bundle()
        engine = Engine(bundle, tuple)
        for event in some_events(maker, bundle):
            for state in (FIRST_EVENT, maker.state(bundle), maker.state(bundle)):
                now = NOON + timedelta(hours=maker.one((0, 0, -30, 30)))
                told += compare(engine, bundle, event, state, now)
                if state is not FIRST_EVENT:
                    _compare_alike(engine, bundle, event, state, now)
    return told


def _compare_alike(
    engine: Engine[tuple[Group, ...]], bundle: Bundle, event: Considered, state: State, now: Any
) -> None:
    """Held and stated alike at another time, with a ruling, or with other lines open: none answers for the others."""
    aged = replace(state, closed_at=None if state.closed_at else NOON - timedelta(days=200))
    compare(engine, bundle, event, aged, now)
    compare(engine, bundle, event, replace(aged, barred=frozenset(recipients(bundle, event.origin)[:1])), now)
    unruled = State(history=state.history, holdings=state.holdings)
    for lines in (state.lines, (), state.lines[:1]):
        compare(engine, bundle, event, replace(unruled, lines=lines), now)


def some_events(maker: Maker, bundle: Bundle) -> list[Considered]:
    """Some made up anew, and some that differ from one of them in one attribute: what is remembered must tell them."""
    made = [maker.event(bundle) for _ in range(4)]
    for like in made[:2]:
        name = maker.one(ATTRIBUTES)
        made.append(replace(like, **{name: getattr(maker.event(bundle), name)}))
    return made


EVERY_FATE = {
    *("forbidden, none", "withheld, none", "referred, none", "granted, share"),
    *("granted, correct", "granted, withdraw", "forbidden, withdraw"),
    *("forbidden, restricted", "referred, restricted", "withheld, restricted"),
}


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_twenty_thousand_decisions_are_the_interpreters_own(chunk: int):
    told = run(f"suite/{chunk}", IN_THE_SUITE // CHUNKS)
    assert told.keys() >= EVERY_FATE, "what was compared does not hold every fate: the claim would be weak"


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_a_million_decisions_are_the_interpreters_own():
    """Others at each run; ``HUECRY_DECISIONS_SEED`` makes those of one run again."""
    seed = os.environ.get("HUECRY_DECISIONS_SEED") or SystemRandom().randrange(1 << 32)
    print(f"HUECRY_DECISIONS_SEED={seed}")
    told: Counter[str] = Counter()
    for chunk in range(CHUNKS_OF_THE_LONG_RUN):
        told += run(f"{seed}/{chunk}", IN_THE_LONG_RUN // CHUNKS_OF_THE_LONG_RUN)
        print(f"{told.total()} decisions agree")
    assert told.keys() >= EVERY_FATE


def test_what_was_decided_before_does_not_turn_what_is_decided_next():
    """Each event again and in another order, from what is remembered and from nothing."""
    for number in range(15):
        maker = Maker(f"order/{number}")
        bundle = maker.bundle()
        engine = Engine(bundle, tuple)
        asked = [(maker.event(bundle), maker.one((FIRST_EVENT, maker.state(bundle)))) for _ in range(12)]
        first = [by_recipient(engine.decide(event, NOON, state)) for event, state in asked]
        for (event, state), decisions in reversed([*zip(asked, first, strict=True)]):
            assert by_recipient(engine.decide(event, NOON, state)) == decisions
            assert by_recipient(engine.decide_afresh(event, NOON, state)) == decisions
            assert by_recipient(Engine(bundle, tuple).decide(event, NOON, state)) == decisions


def test_each_day_is_decided_for_itself(desk: Any):
    bundle = desk.bundle(desk.agreement(desk.share(), ends=NOON.date()))
    engine = Engine(bundle, tuple)
    for days, head in [(0, "granted"), (1, "withheld"), (0, "granted"), (-400, "withheld")]:
        decisions = by_recipient(engine.decide(desk.event(), NOON + timedelta(days=days)))
        assert decisions["south"].head == head


def test_recipients_for_whom_the_same_rules_match_are_one_group(desk: Any):
    both = desk.share("a", recipients=("south", "west"))
    groups = Engine(desk.bundle(desk.agreement(both)), tuple).decide(desk.event(), NOON)
    assert [group.recipients for group in groups] == [("south", "west")]
    alone = desk.forbid("b", sections=("facts",), recipients=("west",))
    groups = Engine(desk.bundle(desk.agreement(both, alone)), tuple).decide(desk.event(), NOON)
    assert sorted(group.recipients for group in groups) == [("south",), ("west",)]


def test_events_that_are_decided_alike_get_one_result(desk: Any):
    made: list[int] = []

    def finish(groups: tuple[Group, ...]) -> int:
        made.append(len(groups))
        return len(made)

    engine = Engine(desk.bundle(desk.agreement(desk.share(when=(Condition("grade", ("emergency",)),)))), finish)
    assert engine.decide(desk.event(), NOON) == 1
    # No rule asks about categories: this is no other event to them.
    assert engine.decide(desk.event(category="crime/violence"), NOON) == 1
    assert engine.decide(desk.event(grade="priority"), NOON) == 2
    assert engine.decide(desk.event(grade="scheduled"), NOON) == 2


def test_events_that_differ_only_in_what_was_replaced_in_them_are_told_apart(desk: Any):
    engine = Engine(desk.bundle(desk.agreement(desk.share(locate="1km"))), tuple)
    for placed, outcome in [((), "shared"), (("locations",), "shared-in-part"), ((), "shared")]:
        event = desk.event(sections=frozenset(("locations",)), placed=frozenset(placed))
        assert by_recipient(engine.decide(event, NOON))["south"].outcome == outcome


def test_a_flood_of_events_that_differ_fills_no_memory(desk: Any):
    rules = (
        desk.share("a", when=(Condition("district", ("Leeds",)),)),
        desk.share("b", when=(Condition("flags", ("child",)),)),
    )
    engine = Engine(desk.bundle(desk.agreement(*rules)), tuple)
    places = (Place("incident", "x" * 3_000),)
    for number in range(REMEMBERED_MOST + 50):
        flags = frozenset({f"made-up-{number}"})
        engine.decide_afresh(desk.event(flags=flags, places=places), NOON)
    origin = engine._origin("north", NOON)
    tables = origin._rulebook.tables
    assert len(tables["flags"]) <= REMEMBERED_MOST
    assert len(tables["district"]) == 0
    assert len(origin._evaluator._placed) == 0
    assert len(origin._of_shapes) == 0
