"""What was taken back and what came of it: open, overdue, confirmed by whom and how, passed on to whom; breaches."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from consumers.ledger_reader import Row
from consumers.sinks.table import iso
from deploy.retracting.retraction_words import as_json, as_lines
from deploy.retracting.retractions import Retraction, bars_of, only_member, retractions_of
from schemas.errors import Rejected
from tests.consumers.making import at

RULING: Row = {
    "ruling_id": "r-1",
    "reason": "wrong-recipient",
    "ask": "erase",
    "person": "inspector.smith",
    "role": "duty-inspector",
    "because": "Sent to the wrong agency",
    "taken_at": iso(at(0)),
}


def said(kind: str, minute: int, **changes: Any) -> Row:
    row: Row = dict.fromkeys(("was_at", "by_role", "passed_to", "ruling_id", "deadline", "person", "role"))
    row |= {"kind": kind, "at": iso(at(minute)), "incident_id": "i-1", "member": "rivers-agency"}
    return row | {"delivery_id": "d-retract", "reason": "", **changes}


def asked(minute: int = 1, **changes: Any) -> Row:
    return said("retracted", minute, ruling_id="r-1", deadline=iso(at(16)), **changes)


def one(*rows: Row, rulings: tuple[Row, ...] = (RULING,)) -> Retraction:
    (found,) = retractions_of(rows, rulings)
    return found


def words(*rows: Row, now: datetime) -> str:
    return "\n".join(as_lines(retractions_of(rows, [RULING]), now))


def test_it_goes_from_asked_to_delivered_to_hidden_to_confirmed_by_a_person() -> None:
    steps = [
        (asked(), "asked"),
        (said("delivered", 2), "delivered"),
        (said("restricted", 3), "hidden"),
        (said("erased", 9, by_role="control-room supervisor"), "confirmed"),
    ]
    rows = []
    for row, status in steps:
        rows.append(row)
        assert one(*rows).status == status
    assert [each.kind for each in one(*rows).said] == ["restricted", "erased"]


def test_who_took_it_back_why_and_what_was_asked_is_the_rulings() -> None:
    found = one(asked())
    assert (found.person, found.role, found.because) == (
        "inspector.smith",
        "duty-inspector",
        "Sent to the wrong agency",
    )
    assert (found.reason, found.ask, found.asked_at) == ("wrong-recipient", "erase", iso(at(0)))


def test_without_a_ruling_the_origins_own_system_took_it_back() -> None:
    found = one(asked(reason="duplicate"), rulings=())
    assert (found.person, found.reason, found.ask, found.is_breach) == ("", "duplicate", "", False)


def test_it_is_overdue_from_its_deadline_until_a_person_has_confirmed() -> None:
    rows = [asked(), said("restricted", 3)]
    assert not one(*rows).is_overdue(at(15))
    assert one(*rows).is_overdue(at(16))
    assert not one(*rows, said("restricted", 20, by_role="supervisor")).is_overdue(at(30))


def test_where_the_router_says_that_a_limit_passed_it_is_overdue_whatever_our_clock_says() -> None:
    assert one(asked(), said("unanswered", 16, reason="retract")).is_overdue(at(2))
    assert not one(asked(), said("unanswered", 16, reason="transfer")).is_overdue(at(2))


def test_another_deliverys_receipts_are_not_answers() -> None:
    assert one(asked(), said("delivered", 2, delivery_id="d-share")).status == "asked"
    assert one(asked(), said("erased", 2, delivery_id="d-withdraw", by_role="x")).status == "asked"


def test_a_second_retraction_is_another_and_needs_its_own_confirmation() -> None:
    rows = [
        asked(),
        said("erased", 5, by_role="x"),
        asked(20, delivery_id="d-2"),
        said("restricted", 21, delivery_id="d-2"),
    ]
    first, second = retractions_of(rows, [RULING])
    assert (first.status, second.status) == ("confirmed", "hidden")


def test_each_member_answers_for_itself() -> None:
    rows = [asked(), asked(member="lancashire", delivery_id="d-l"), said("erased", 5, by_role="x")]
    assert {each.member: each.status for each in retractions_of(rows, [RULING])} == {
        "rivers-agency": "confirmed",
        "lancashire": "asked",
    }


@pytest.mark.parametrize("reason", ["wrong-recipient", "unlawful"])
def test_a_breach_is_marked_with_the_hours_since_it_was_known(reason: str) -> None:
    now = at(0) + timedelta(hours=17, minutes=40)
    told = "\n".join(as_lines(retractions_of([asked()], [RULING | {"reason": reason}]), now))
    assert f"BREACH RECORD ({reason}): 17 h since; notified within 72 h where it must be" in told


def test_what_is_no_breach_is_not_called_one() -> None:
    told = "\n".join(as_lines(retractions_of([asked()], [RULING | {"reason": "duplicate"}]), at(5)))
    assert "BREACH" not in told


def test_in_words_it_says_who_confirmed_how_and_to_whom_it_was_passed_on() -> None:
    told = words(
        asked(),
        said("passed-on", 4, passed_to="a contractor", by_role="duty officer"),
        said("acted-upon", 5, by_role="duty officer"),
        said("restricted", 6),
        said("unanswered", 16, reason="retract"),
        now=at(20),
    )
    assert told.startswith("1 open, 1 OVERDUE, 0 done with")
    for line in (
        "OVERDUE  rivers-agency  incident i-1  taken back 08:00 (20 min ago)",
        "asked to erase (wrong-recipient) by inspector.smith as duty-inspector: Sent to the wrong agency",
        "its adapter has hidden it; no person has confirmed",
        "passed-on to a contractor by a person (duty officer) 08:04",
        "acted-upon by a person (duty officer) 08:05",
        "restricted by its adapter 08:06",
        "no answer by 08:16",
    ):
        assert line in told, told


def test_as_json_it_says_the_same() -> None:
    (told,) = as_json(retractions_of([asked(), said("passed-on", 4, passed_to="x", by_role="y")], [RULING]), at(20))
    assert (told["open"], told["overdue"], told["breach"], told["hours_since"]) == (True, True, True, 0)
    assert list(told["said"]) == [{"kind": "passed-on", "at": iso(at(4)), "by_role": "y", "passed_to": "x"}]


def test_a_member_that_held_nothing_has_nothing_to_confirm_and_is_barred() -> None:
    row = said("retracted", 1, ruling_id="r-1", delivery_id=None)
    found = one(row)
    assert (found.status, found.is_open, found.is_overdue(at(99))) == ("holds-nothing", False, False)
    assert "it held nothing of the incident, and is barred from it" in words(row, now=at(5))
    assert len(bars_of([row], [RULING])) == 1


def test_one_that_could_not_be_sent_stays_open_and_the_next_limit_is_the_deadline() -> None:
    rows = [asked(delivery_id=None), said("unanswered", 16, reason="retract", delivery_id="d-2", deadline=iso(at(76)))]
    found = one(*rows)
    assert (found.status, found.deadline, found.is_overdue(at(20))) == ("asked", iso(at(76)), True)
    assert one(*rows, said("erased", 30, delivery_id="d-2", by_role="x")).status == "confirmed"


def test_nothing_taken_back_is_said_to_be_nothing() -> None:
    assert list(as_lines([], at(0))) == ["Nothing was taken back."]
    with pytest.raises(Rejected, match="nothing was taken back from lancashire; it was from: rivers-agency"):
        only_member(retractions_of([asked()], [RULING]), "lancashire")


def test_a_bar_stands_from_the_retraction_until_it_is_lifted_and_again_from_the_next() -> None:
    lifted = said("bar-lifted", 30)
    assert [(bar.member, bar.reason) for bar in bars_of([asked()], [RULING])] == [("rivers-agency", "wrong-recipient")]
    assert bars_of([asked(), lifted], [RULING]) == ()
    assert len(bars_of([asked(), lifted, asked(40)], [RULING])) == 1
