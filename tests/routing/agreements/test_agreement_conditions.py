"""The table of conditions, row by row: true, false, unknown."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from routing.agreements.conditions import Truth, View, all_of, any_of, block_truth, condition_truth, unless_truth
from routing.agreements.considered import Place
from routing.agreements.model import Condition, SetAttribute, WordAttribute
from routing.agreements.read_conditions import _ATTRIBUTES

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


def some(*codes: str) -> frozenset[str]:
    return frozenset(codes)


@pytest.mark.parametrize(
    ("category", "truth"),
    [
        ("transport/rtc", TRUE),
        ("transport/rtc/injury", TRUE),
        ("transport/rtc/unknown", TRUE),
        ("transport/rtc/unknown/unknown", TRUE),
        ("transport", UNKNOWN),
        ("transport/unknown", UNKNOWN),
        ("unknown", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
        ("transport/rail", FALSE),
        ("transport/rtc-like", FALSE),
        ("crime", FALSE),
        ("crime/unknown", FALSE),
    ],
)
def test_a_category_is_true_at_or_beneath_a_value_and_unknown_above_it(desk: Any, category: str | None, truth: Truth):
    condition = Condition("category", ("transport/rtc", "asb"))
    assert condition_truth(condition, View(desk.event(category=category), "south")) is truth


@pytest.mark.parametrize("attribute", get_args(SetAttribute))
@pytest.mark.parametrize(
    ("codes", "any_truth", "all_truth"),
    [
        (some("child", "high-risk"), TRUE, TRUE),
        (some("child"), TRUE, FALSE),
        (some("child", "unknown"), TRUE, UNKNOWN),
        (some("unknown"), UNKNOWN, UNKNOWN),
        (some("other", "unknown"), UNKNOWN, UNKNOWN),
        (some("other"), FALSE, FALSE),
        (some(), FALSE, FALSE),
        (None, UNKNOWN, UNKNOWN),
    ],
)
def test_a_set_is_unknown_only_while_the_rest_does_not_decide(
    desk: Any, attribute: Any, codes: frozenset[str] | None, any_truth: Truth, all_truth: Truth
):
    event = desk.event(**{attribute: codes})
    assert condition_truth(Condition(attribute, ("child", "high-risk")), View(event, "south")) is any_truth
    assert (
        condition_truth(Condition(attribute, ("child", "high-risk"), needs_all=True), View(event, "south")) is all_truth
    )


@pytest.mark.parametrize(
    ("codes", "value", "truth"),
    [
        (some("hate/race"), "hate", TRUE),
        (some("hate"), "hate/race", UNKNOWN),
        (some("hate/unknown"), "hate/race", UNKNOWN),
        (some("hate/unknown"), "hate", TRUE),
        (some("hate/religion"), "hate/race", FALSE),
        (some("hate", "hate/race"), "hate/race", TRUE),
    ],
)
def test_in_sets_too_a_value_matches_codes_beneath_it_and_codes_above_it_leave_it_unknown(
    desk: Any, codes: frozenset[str], value: str, truth: Truth
):
    assert condition_truth(Condition("qualifiers", (value,)), View(desk.event(qualifiers=codes), "south")) is truth


@pytest.mark.parametrize("attribute", get_args(WordAttribute))
@pytest.mark.parametrize(("word", "truth"), [("one", TRUE), ("two", TRUE), ("three", FALSE), ("unknown", UNKNOWN)])
def test_a_word_is_true_if_equal_to_one_of_the_values(desk: Any, attribute: Any, word: str, truth: Truth):
    assert (
        condition_truth(Condition(attribute, ("one", "two")), View(desk.event(**{attribute: word}), "south")) is truth
    )


@pytest.mark.parametrize(
    ("places", "truth"),
    [
        ([("incident", "Calderdale")], TRUE),
        ([("incident", "Wakefield")], FALSE),
        ([("incident", "Wakefield"), ("last-seen", "Calderdale")], TRUE),
        ([("incident", "CALDERDALE ")], TRUE),
        ([("incident", None)], UNKNOWN),
        ([("incident", "")], UNKNOWN),
        ([("incident", "unknown")], UNKNOWN),
        ([("incident", "Wakefield"), ("current-position", None)], UNKNOWN),
        ([("incident", "Calderdale"), ("current-position", None)], TRUE),
        ([], UNKNOWN),
        ([("caller", "Calderdale")], UNKNOWN),
        ([("caller", "Calderdale"), ("incident", "Wakefield")], FALSE),
        ([("unknown", "Calderdale")], UNKNOWN),
        ([(None, "Calderdale")], UNKNOWN),
        ([(None, "Wakefield"), ("incident", "Wakefield")], UNKNOWN),
    ],
)
def test_a_district_is_that_of_a_place_and_a_location_of_unknown_kind_is_a_place_without_one(
    desk: Any, places: list[tuple[str | None, str | None]], truth: Truth
):
    event = desk.event(places=tuple(Place(kind, district) for kind, district in places))
    assert condition_truth(Condition("district", ("Calderdale", "Kirklees")), View(event, "south")) is truth


@pytest.mark.parametrize("kind", ["incident", "current-position", "last-seen", "release-address"])
def test_these_kinds_of_location_are_places(desk: Any, kind: str):
    event = desk.event(places=(Place(kind, "Calderdale"),))
    assert condition_truth(Condition("district", ("Calderdale",)), View(event, "south")) is TRUE


@pytest.mark.parametrize(
    ("kind", "truth"), [("destination", TRUE), ("incident", UNKNOWN), ("unknown", UNKNOWN), ("caller", UNKNOWN)]
)
def test_place_beside_the_condition_says_which_locations_count(desk: Any, kind: str, truth: Truth):
    event = desk.event(places=(Place(kind, "Calderdale"),))
    assert (
        condition_truth(Condition("district", ("Calderdale",), place=("destination",)), View(event, "south")) is truth
    )


def test_has_looks_at_sections_that_are_not_empty_and_is_never_unknown(desk: Any):
    event = desk.event(sections=some("casualties"))
    assert condition_truth(Condition("has", ("casualties", "hazards")), View(event, "south")) is TRUE
    assert condition_truth(Condition("has", ("casualties", "hazards"), needs_all=True), View(event, "south")) is FALSE
    assert condition_truth(Condition("has", ("hazards",)), View(event, "south")) is FALSE


def test_addressed_is_about_the_recipient(desk: Any):
    event = desk.event(addressees=some("south"))
    assert condition_truth(Condition("addressed"), View(event, "south")) is TRUE
    assert condition_truth(Condition("addressed"), View(event, "west")) is FALSE


GRADE = {TRUE: "emergency", FALSE: "priority", UNKNOWN: "unknown"}
STATUS = {TRUE: "open", FALSE: "closed", UNKNOWN: "unknown"}
BOTH = (Condition("grade", ("emergency",)), Condition("status", ("open",)))


@pytest.mark.parametrize("grade", Truth)
@pytest.mark.parametrize("status", Truth)
def test_a_block_is_false_if_any_condition_is_else_unknown_if_any_is_else_true(desk: Any, grade: Truth, status: Truth):
    event = desk.event(grade=GRADE[grade], status=STATUS[status])
    expected = FALSE if FALSE in (grade, status) else UNKNOWN if UNKNOWN in (grade, status) else TRUE
    assert block_truth(BOTH, View(event, "south")) is expected


@pytest.mark.parametrize("grade", Truth)
@pytest.mark.parametrize("status", Truth)
def test_unless_is_true_if_any_block_is_else_unknown_if_any_is_else_false(desk: Any, grade: Truth, status: Truth):
    event = desk.event(grade=GRADE[grade], status=STATUS[status])
    expected = TRUE if TRUE in (grade, status) else UNKNOWN if UNKNOWN in (grade, status) else FALSE
    assert unless_truth(tuple((condition,) for condition in BOTH), View(event, "south")) is expected


def test_no_when_is_true_and_no_unless_is_false(desk: Any):
    assert all_of([]) is TRUE
    assert any_of([]) is FALSE
    assert block_truth((), View(desk.event(), "south")) is TRUE
    assert unless_truth((), View(desk.event(), "south")) is FALSE


def test_every_condition_that_the_loader_reads_can_be_decided(desk: Any):
    for attribute in _ATTRIBUTES:
        assert condition_truth(Condition(attribute, ("x",)), View(desk.event(), "south")) in Truth
