"""What is remembered of the course that events take is what would be worked out afresh, whatever came in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.agreements import Bundle, Considered, Place
from routing.agreements.model import Condition
from routing.arrived import Arrived
from routing.course import Course, _worked_out, course_of
from routing.effects import Policy
from routing.following import remembered
from routing.state.incident import Incident
from routing.stating import control_of
from tests.routing.agreements.test_agreement_properties import bundles, events, moments
from tests.routing.scene import CODEC, NOW, a_bundle, a_forbid, a_record, a_share, an_exchange, event_bytes
from tests.routing.test_deciding import NOTHING

STEPS = st.sampled_from((timedelta(seconds=1), timedelta(hours=7), timedelta(days=1), timedelta(days=91)))
OPENED = CODEC.open(event_bytes(), 100_000)
CONTROL = control_of(OPENED[1])
PLAIN = Considered(**{**NOTHING, "sequence": 1}, origin="north", places=(Place("incident", "Leeds"),))


def came_at(event: Considered, now: datetime) -> Arrived:
    return Arrived(a_record(b"v"), OPENED, (event.origin, "i-1", "e-1"), CONTROL, event, now, is_usual=True)


def said(course: Course) -> tuple[object, ...]:
    decided = [(each.recipient, each.decision) for each in course.decisions]
    kept = (course.numbers, course.holdings, course.history)
    return decided, course.circulated, course.closed_ms, [(each.value, each.encoded) for each in kept]


@given(bundles(), st.lists(events, min_size=1, max_size=4), moments, st.lists(STEPS, min_size=4, max_size=4))
@settings(max_examples=120, deadline=None)
def test_what_is_remembered_is_what_is_worked_out(bundle: Bundle, several: list[Considered], now: datetime, steps):
    policy = Policy(bundle, an_exchange())
    alike = [
        replace(event, origin=several[0].origin, kind=kind) for event in several for kind in ("updated", event.kind)
    ]
    for _incident in range(3):
        before: Incident | None = None
        for event, step in zip(alike, [*steps, *steps], strict=False):
            now += step
            came = came_at(event, now)
            course = course_of(came, before, policy)
            assert said(course) == said(_worked_out(came, before, policy))
            before = remembered(came, before, course)


def test_incidents_that_are_alike_take_one_course():
    exchange = an_exchange()
    policy = Policy(a_bundle(exchange, a_share("r", ["south"], ["locations"])), exchange)
    first, update = replace(PLAIN, kind="created"), replace(PLAIN, kind="updated")
    taken = []
    for _incident in range(2):
        before = remembered(came_at(first, NOW), None, course_of(came_at(first, NOW), None, policy))
        taken.append(course_of(came_at(update, NOW + timedelta(minutes=1)), before, policy))
    assert taken[0] is taken[1]
    assert taken[0].numbers.value == {"south": 2}


EXCHANGE = an_exchange()
RULES = (
    a_share("places", ["south"], ["locations"], Condition("grade", ("emergency",))),
    a_share("dangers", ["south"], ["hazards"], Condition("grade", ("priority",))),
    a_share("all", ["south"], ["locations", "hazards"], Condition("status", ("attending",))),
    a_forbid("children", ["south"], ["hazards"], Condition("flags", ("child",))),
)
TOLD = replace(PLAIN, kind="updated", sections=frozenset({"locations", "hazards"}), flags=frozenset())
URGENT, LESS_URGENT = replace(TOLD, grade="emergency"), replace(TOLD, grade="priority")
ATTENDING, CLOSED = replace(TOLD, status="attending"), replace(TOLD, status="closed")
CHILD = replace(TOLD, flags=frozenset({"child"}))
HOUR, LONG = timedelta(hours=1), timedelta(days=91)
LIVES = {
    # Of two incidents each, events with the time before the last one that they came; the last is the same event.
    "held otherwise": [[(URGENT, HOUR), (TOLD, HOUR)], [(LESS_URGENT, HOUR), (TOLD, HOUR)]],
    "another history": [[(TOLD, HOUR), (ATTENDING, HOUR)], [(CHILD, HOUR), (ATTENDING, HOUR)]],
    "told more often": [[(URGENT, HOUR), (TOLD, HOUR)], [(URGENT, HOUR), (TOLD, HOUR), (TOLD, HOUR)]],
    "closed at another time": [[(TOLD, HOUR), (CLOSED, HOUR)], [(TOLD, HOUR), (CLOSED, HOUR), (CLOSED, HOUR)]],
    "closed, and not": [[(URGENT, HOUR), (TOLD, HOUR)], [(URGENT, HOUR), (CLOSED, HOUR), (TOLD, HOUR)]],
    "silent for long": [[(URGENT, HOUR), (TOLD, HOUR)], [(URGENT, HOUR), (TOLD, LONG)]],
}


@pytest.mark.parametrize("lives", LIVES.values(), ids=LIVES)
def test_incidents_that_differ_in_one_thing_do_not_take_each_other_s_course(lives):
    policy = Policy(a_bundle(EXCHANGE, *RULES), EXCHANGE)
    last = []
    for events_of_one in (*lives, *reversed(lives)):
        now, before = NOW - sum((after for _, after in events_of_one), timedelta()), None
        for event, after in events_of_one:
            now += after
            came = came_at(event, now)
            course = course_of(came, before, policy)
            assert said(course) == said(_worked_out(came, before, policy))
            before = remembered(came, before, course)
        last.append(said(course))
    assert last[0] != last[1], "they differ in what follows"


def test_an_agreement_that_ends_at_midnight_ends_what_was_remembered_under_it():
    exchange = an_exchange()
    bundle = a_bundle(exchange, a_share("r", ["south"], ["locations"]))
    ending = replace(bundle.agreements[0], ends=date(2026, 6, 1), follow_hours=0)
    policy = Policy(replace(bundle, agreements=(ending,)), exchange)
    evening = datetime.fromisoformat("2026-06-01T22:30:00+00:00")  # 23:30 in London
    update = replace(PLAIN, kind="updated")
    told = replace(update, sequence=2, sections=frozenset({"locations", "hazards"}))
    heard = []
    for minutes in (0, 45):
        before = remembered(came_at(update, evening), None, course_of(came_at(update, evening), None, policy))
        course = course_of(came_at(told, evening + timedelta(minutes=minutes)), before, policy)
        assert said(course) == said(_worked_out(came_at(told, evening + timedelta(minutes=minutes)), before, policy))
        heard.append(course)
    assert heard[0] is not heard[1]
