"""Faults planted in the router, one at a time: each is found. A model that finds nothing proves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from routing import asked, consequences, correcting, course, elapsed, recalled, receipts, route
from routing.agreements.state import Holding
from routing.answers.expected import Expected
from routing.casework import judging
from routing.deciding import Decisions
from routing.hearing import taking_back
from routing.state import memory
from schemas.cut import OpenEvent
from schemas.sections import SECTIONS
from tests.life.machine import Life

pytestmark = pytest.mark.patches

FIRST_FOUND = settings(
    max_examples=4_000,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def a_bar_is_forgotten_when_another_process_takes_over(plant: pytest.MonkeyPatch) -> None:
    def forgetful(value: bytes) -> Any:
        incident = decode(value)
        rulings = incident.rulings.value._replace(barred=frozenset())
        return incident._replace(rulings=replace(incident.rulings, value=rulings))

    decode = memory.decode
    plant.setattr(memory, "decode", forgetful)


def deadlines_are_forgotten_when_another_process_takes_over(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(memory, "appointments_in", lambda found: iter(()))


def an_abort_leaves_something_behind(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(memory.Memory, "abort", lambda self: None)


def a_limit_passes_twice(plant: pytest.MonkeyPatch) -> None:
    def later(self: Expected, now: datetime) -> Expected:
        return replace(self, deadline=now + timedelta(seconds=self.limits_s[self.step]))

    plant.setattr(Expected, "later", later)


def a_lapse_does_not_stand(plant: pytest.MonkeyPatch) -> None:
    due = elapsed.due
    plant.setattr(elapsed, "due", lambda *about: due(*about)._replace(lapses=()))


def a_release_reaches_a_member_that_it_does_not_name(plant: pytest.MonkeyPatch) -> None:
    released = judging._released

    def generous(*about: Any) -> Any:
        release = released(*about)
        return replace(release, recipients=release.recipients | {"west"})

    plant.setattr(judging, "_released", generous)


def a_person_rules_on_what_they_have_not_seen(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(judging, "_check_view", lambda *about: None)


def a_correction_is_withheld_from_a_holder(plant: pytest.MonkeyPatch) -> None:
    decide_all = course.decide_all

    def silent(*about: Any) -> Decisions:
        return Decisions(tuple(each for each in decide_all(*about) if each.decision.action != "correct"))

    plant.setattr(course, "decide_all", silent)


def a_correction_that_could_not_be_sent_is_forgotten(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(correcting, "_owe", lambda *about: None)


def a_number_is_used_again(plant: pytest.MonkeyPatch) -> None:
    next_places = consequences.Consequences.next_places

    def again(self: Any, member: str) -> tuple[int, int]:
        number, place = next_places(self, member)
        self.numbers[member] = number - 1
        return number, place

    plant.setattr(consequences.Consequences, "next_places", again)


def a_retraction_is_sent_to_who_holds_nothing(plant: pytest.MonkeyPatch) -> None:
    retract = recalled.retract

    def loud(what: recalled.TakenBack, drawn: Any) -> None:
        for member in what.members:
            drawn.holdings.setdefault(member, Holding(member, ()))
        retract(what, drawn)

    plant.setattr(taking_back, "retract", loud)
    plant.setattr(route, "retract", loud)


def a_section_goes_out_that_is_not_covered(plant: pytest.MonkeyPatch) -> None:
    view = OpenEvent.view

    def wide(self: OpenEvent, covers: Any, *instead: Any) -> bytes:
        return view(self, tuple(each for each in SECTIONS if each in {*covers, "facts"}), *instead)

    plant.setattr(OpenEvent, "view", wide)


def anybody_s_answer_settles_what_another_owes(plant: pytest.MonkeyPatch) -> None:
    answer = receipts._answer

    def gullible(member: str, kind: str, entry: Any, drawn: Any) -> set[str]:
        owing = {owed.member for owed in drawn.expected}
        return set().union(*(answer(each, kind, entry, drawn) for each in owing))

    plant.setattr(receipts, "_answer", gullible)


def a_stand_down_is_not_heard(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(asked, "_stand_down", lambda *about: None)


def a_refusal_comes_back_once_the_grade_falls(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(asked, "refusals_standing", lambda refusals, event: refusals)


FAULTS = (
    a_bar_is_forgotten_when_another_process_takes_over,
    deadlines_are_forgotten_when_another_process_takes_over,
    an_abort_leaves_something_behind,
    a_limit_passes_twice,
    a_lapse_does_not_stand,
    a_release_reaches_a_member_that_it_does_not_name,
    a_person_rules_on_what_they_have_not_seen,
    a_correction_is_withheld_from_a_holder,
    a_correction_that_could_not_be_sent_is_forgotten,
    a_number_is_used_again,
    a_retraction_is_sent_to_who_holds_nothing,
    a_section_goes_out_that_is_not_covered,
    anybody_s_answer_settles_what_another_owes,
    a_stand_down_is_not_heard,
)


RARE = (a_refusal_comes_back_once_the_grade_falls,)
"""It takes a refusal, a grade that rises and one that falls again: chance needs a minute to think of it."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_it_is_found_that(fault, monkeypatch):
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Life, settings=FIRST_FOUND)


@pytest.mark.long
@pytest.mark.parametrize("fault", RARE, ids=lambda fault: fault.__name__)
def test_in_a_minute_or_two_it_is_found_that(fault, monkeypatch):
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Life, settings=settings(FIRST_FOUND, max_examples=20_000))
