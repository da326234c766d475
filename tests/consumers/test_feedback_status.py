"""The line that a dispatcher reads."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.feedback import posting, status
from consumers.feedback.status import Step, line, told

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def after(*said: tuple[str, int, dict[str, Any]]) -> str:
    steps: list[Step] = []
    for kind, seconds, more in said:
        steps = told(steps, kind, NOON + timedelta(seconds=seconds), more)
    return line("Greater Manchester", steps)


def test_the_examples_in_the_code_hold():
    assert doctest.testmod(status).failed == 0
    assert doctest.testmod(posting).failed == 0


def test_a_dispatcher_reads_when_it_was_delivered_and_when_accepted_under_which_number():
    assert after(("delivered", 3, {}), ("accepted", 40, {"reference": "GMP-1234"})) == (
        "Greater Manchester: delivered 12:00:03, accepted 12:00:40 as GMP-1234"
    )


def test_what_was_told_first_need_not_have_happened_first():
    assert after(("accepted", 40, {}), ("delivered", 3, {})) == (
        "Greater Manchester: delivered 12:00:03, accepted 12:00:40"
    )


def test_of_many_updates_the_first_and_the_latest_are_told():
    said = after(("delivered", 3, {}), ("accepted", 40, {}), ("delivered", 90, {}), ("delivered", 600, {}))
    assert said == ("Greater Manchester: delivered 12:00:03, accepted 12:00:40, latest update delivered 12:10:00")


def test_what_is_not_so_any_more_is_not_told():
    unanswered = {"reason": "transfer", "remedy": "call control room of Greater Manchester 101"}
    asked = (("delivered", 3, {}), ("unanswered", 120, unanswered))
    assert after(*asked) == (
        "Greater Manchester: delivered 12:00:03, "
        "unanswered 12:02:00 (transfer) - call control room of Greater Manchester 101"
    )
    assert after(*asked, ("accepted", 130, {})) == "Greater Manchester: delivered 12:00:03, accepted 12:02:10"


def test_once_a_person_confirms_or_it_is_taken_back_nobody_is_waited_for_any_more():
    unanswered = ("unanswered", 120, {"reason": "assistance"})
    asked = (("delivered", 3, {}), unanswered, ("retracted", 130, {"reason": "wrong-recipient"}))
    assert "unanswered" not in after(*asked)
    overdue = (*asked, ("restricted", 131, {}), ("unanswered", 900, {"reason": "retract"}))
    assert "unanswered" in after(*overdue), "its system's word is not enough"
    confirmed = after(*overdue, ("restricted", 950, {"by_role": "records-manager"}))
    assert "unanswered" not in confirmed
    assert "kept there as evidence 12:15:50 by records-manager" in confirmed


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("rejected", {"cause": "no-resource"}, "rejected 12:00:00 (no-resource)"),
        ("failed", {"reason": "not-storable"}, "failed 12:00:00 (not-storable)"),
        (
            "forbidden",
            {"reason": "transfer", "remedy": "call control room of GMP 101"},
            "forbidden 12:00:00 (transfer) - call control room of GMP 101",
        ),
        (
            "referred",
            {"role": "duty-inspector", "deadline": NOON + timedelta(minutes=15)},
            "referred 12:00:00 to duty-inspector until 12:15:00",
        ),
        ("released", {"role": "duty-inspector"}, "released 12:00:00 by duty-inspector"),
        ("retracted", {"reason": "wrong-recipient"}, "taken back 12:00:00 (wrong-recipient)"),
        ("restricted", {}, "hidden there 12:00:00"),
        ("restricted", {"by_role": "exhibits-officer"}, "kept there as evidence 12:00:00 by exhibits-officer"),
        ("erased", {}, "removed there 12:00:00"),
        ("erased", {"by_role": "duty-inspector"}, "erased 12:00:00 by duty-inspector"),
        ("acted-upon", {"by_role": "duty-inspector"}, "had been acted upon, said 12:00:00 by duty-inspector"),
        ("passed-on", {"passed_to": "ambulance control"}, "passed on 12:00:00 to ambulance control"),
        ("holders-without-news", {}, "without news since 12:00:00"),
        ("what-a-later-release-tells", {}, "what a later release tells 12:00:00"),
    ],
)
def test_every_kind_has_words(kind: str, more: dict[str, Any], words: str):
    assert after((kind, 0, more)) == f"Greater Manchester: {words}"


def test_the_whole_of_a_retraction_reads_in_order():
    said = after(
        ("delivered", 0, {}),
        ("retracted", 60, {"reason": "unlawful"}),
        ("restricted", 61, {}),
        ("passed-on", 300, {"passed_to": "ambulance control"}),
        ("passed-on", 310, {"passed_to": "hospital desk"}),
        ("erased", 320, {"by_role": "duty-inspector"}),
    )
    assert said == (
        "Greater Manchester: delivered 12:00:00, taken back 12:01:00 (unlawful), hidden there 12:01:01, "
        "passed on 12:05:00 to ambulance control, passed on 12:05:10 to hospital desk, "
        "erased 12:05:20 by duty-inspector"
    )


def test_times_are_those_of_the_room_and_another_day_is_named():
    summer = datetime(2026, 6, 30, 22, 59, 59, tzinfo=UTC)
    steps = told(told([], "delivered", summer, {}), "accepted", summer + timedelta(seconds=2), {})
    assert line("Kent", steps) == "Kent: delivered 23:59:59, accepted 1 Jul 00:00:01"


def test_what_concerns_no_member_has_no_name():
    assert line("", [Step("quarantined", NOON, "(bad-key)")]) == "quarantined 12:00:00 (bad-key)"


kinds = st.sampled_from(["delivered", "accepted", "rejected", "unanswered", "referred", "released", "erased", "failed"])


@given(said=st.lists(st.tuples(kinds, st.integers(0, 5000)), max_size=25))
def test_a_line_stays_short_and_in_order_whatever_is_told(said: list[tuple[str, int]]):
    steps: list[Step] = []
    for kind, seconds in said:
        steps = told(steps, kind, NOON + timedelta(seconds=seconds), {})
    assert len(steps) <= 9
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    if said and said[-1][0] in ("accepted", "rejected"):
        assert "unanswered" not in {step.kind for step in steps}
