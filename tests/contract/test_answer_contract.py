"""Answers of a receiving system, in every kind of database: what is asked, what answers it, and what is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from consumers.answers.listing import waiting
from consumers.answers.taking import AnswerTaker, Refused, Taken
from consumers.sinks import OutboxReceipt
from consumers.sinks.places import Place
from consumers.sinks.sql import SqlSink
from schemas.codec import decode
from schemas.errors import Rejected
from schemas.event import Vehicle
from schemas.exchange import AnswersWithin
from schemas.records import Receipt
from tests.consumers.making import MEMBER, MOST_BYTES, ORIGIN, Topic, at, delivery_bytes
from tests.contract.receiving import PLACES

WITHIN = AnswersWithin(transfer_s=(120, 180), assistance_s=(60,), correction_s=(300,), retraction_s=(900, 3600))


class Room:
    """A receiving control room: its database, its receiving system's SQL, and its answers."""

    def __init__(self, place: Place) -> None:
        self.topic, self.now = Topic(), at(10)
        self.sink = SqlSink(place, MEMBER, lambda: self.now, WITHIN)
        self.database = self.sink.database
        self.taker = AnswerTaker(self.database, MEMBER, lambda: self.now)
        self._heard = 0

    def receive(self, *values: bytes) -> list[str]:
        batch = self.topic.batch(*values)
        assert not self.sink.write(batch).set_aside
        self.told()
        return [one.delivery_id for one in batch.taken]

    def insert(self, **columns: str) -> list[Taken | Refused]:
        """What the receiving system does, and then what the consumer does."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        with self.database.transaction():
            self.database.execute(f"INSERT INTO answer ({names}) VALUES ({marks})", list(columns.values()))  # noqa: S608
        return self.taker.take_waiting()

    def problem(self, **columns: str) -> str:
        (refused,) = self.insert(**columns)
        assert isinstance(refused, Refused), refused
        row = self.read("SELECT problem, taken_at FROM answer WHERE answer_number = ?", refused.answer_number)
        assert row == [(refused.problem, None)]
        return refused.problem

    def told(self) -> list[tuple[Any, ...]]:
        """Kind, deliveries, reference, cause, passed_to and role of every receipt that is new in the outbox."""
        rows: list[OutboxReceipt] = list(self.sink.unsent_receipts(self._heard, 99))
        self._heard = max([self._heard, *(row.receipt_number for row in rows)])
        receipts = [Receipt.from_avro(decode("Receipt", row.value, MOST_BYTES)) for row in rows]
        return [
            (one.kind, [e.event_id for e in one.entries], *_of(one, "reference", "cause", "passed_to", "by_role"))
            for one in receipts
        ]

    def awaited(self) -> list[tuple[Any, ...]]:
        return [(one.what, one.incident_id, one.overdue) for one in waiting(self.database)]

    def read(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.database.query(query, values)


def _of(receipt: Receipt, *names: str) -> Iterator[Any]:
    for name in names:
        (value,) = {getattr(entry, name) for entry in receipt.entries}
        yield value


@pytest.fixture(params=sorted(PLACES))
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    made = Room(PLACES[request.param](tmp_path, request))
    with closing(made.sink):
        yield made


def asked(kind: str, step: int = 1, incident: str = "i-1", *, to_us: bool = True, **options: Any) -> bytes:
    vehicles = (Vehicle(vehicle_ref=f"v-{step}"),)
    terms = {"addressed_to_you": to_us}
    return delivery_bytes(
        incident, step, covers=("vehicles",), kind=kind, terms=terms, local_ref="0042", vehicles=vehicles, **options
    )


def corrected(step: int, *paths: str, incident: str = "i-1") -> bytes:
    changes = [{"path": path, "reason": "wrong-grade", "wrong_from_start": True} for path in paths]
    return delivery_bytes(incident, step, action="CORRECT", kind="corrected", terms={"changes": changes})


def retracted(step: int, ask: str = "erase", **options: Any) -> bytes:
    terms = {"reason": "wrong-recipient", "ask": ask}
    return delivery_bytes(step=step, action="RETRACT", event_id="", terms=terms, **options)


def test_a_transfer_waits_with_whom_to_call_and_who_holds_primacy_until_it_is_accepted(room: Room) -> None:
    room.receive(asked("transfer"))
    (one,) = waiting(room.database)
    assert (one.origin, one.local_ref, one.our_reference, one.what) == (ORIGIN, "0042", None, "transfer")
    assert (one.asked_at, one.answer_by) == ("2026-01-31T08:01:00.000Z", "2026-01-31T08:03:00.000Z")
    assert (one.contact_desk, one.contact_phone) == ("Control", "101")
    assert one.primacy == f"{ORIGIN} holds primacy until you accept"
    assert one.overdue, "its time was over in January"
    (taken,) = room.insert(incident_id="i-1", kind="accepted", reference="GMP-1234")
    assert isinstance(taken, Taken)
    assert room.told() == [("accepted", ["e-1"], "GMP-1234", None, None, None)]
    assert room.awaited() == []
    assert room.read("SELECT local_ref, our_reference, taken_over_at FROM incident") == [
        ("0042", "GMP-1234", "2026-01-31T08:10:00.000Z")
    ]
    room.receive(asked("updated", 5, to_us=False))
    assert room.read("SELECT our_reference, taken_over_at IS NULL FROM incident") == [("GMP-1234", 0)]


def test_assistance_is_rejected_with_a_cause_and_by_the_origins_log_number(room: Room) -> None:
    room.receive(asked("assistance"))
    room.insert(incident_id="0042", kind="rejected", cause="no-resource", by_role="controller")
    assert room.told() == [("rejected", ["e-1"], None, "no-resource", None, "controller")]
    assert room.awaited() == []
    assert room.read("SELECT our_reference, taken_over_at FROM incident") == [(None, None)]
    assert room.read("SELECT closed_as, cause, by_role FROM asked") == [("rejected", "no-resource", "controller")]


def test_what_is_not_addressed_to_us_asks_nothing_of_us(room: Room) -> None:
    room.receive(asked("transfer", to_us=False), asked("updated", 2))
    assert room.awaited() == []


def test_a_stand_down_closes_what_it_cancels_and_nothing_else(room: Room) -> None:
    room.receive(asked("assistance", 1), asked("transfer", 2), corrected(3, "grade"), asked("transfer", 4, "i-2"))
    room.receive(asked("stand-down", 5))
    assert sorted(room.awaited()) == [("correct", "i-1", True), ("transfer", "i-2", True)]
    problem = room.problem(incident_id="i-1", kind="accepted", what="transfer")
    assert problem == "expected what waits for an answer, and the latest transfer was stood down"
    room.receive(asked("transfer", 6))
    room.insert(incident_id="i-1", kind="accepted", what="transfer")
    assert room.told() == [("accepted", ["e-6"], None, None, None, None)]


@pytest.mark.parametrize("path", ["grade", "hazards[0].kind", "classification.flags", "locations[1].point"])
def test_a_correction_that_decides_how_people_are_sent_waits_for_a_person(room: Room, path: str) -> None:
    room.receive(asked("created"), corrected(2, path))
    assert room.awaited() == [("correct", "i-1", True)]
    assert room.read("SELECT answer_by FROM awaiting") == [("2026-01-31T08:07:00.000Z",)]
    assert "needs a person" in room.problem(incident_id="i-1", kind="accepted")
    room.insert(incident_id="i-1", kind="accepted", by_role="duty-inspector")
    assert room.told() == [("accepted", ["e-2"], None, None, None, "duty-inspector")]
    assert room.awaited() == []


def test_any_other_correction_waits_for_nobody(room: Room) -> None:
    room.receive(asked("created"), corrected(2, "vehicles[0].vrm", "classification.local_text"))
    assert room.awaited() == []


def test_one_answer_is_one_receipt_for_all_that_was_asked_so_far(room: Room) -> None:
    room.receive(asked("created"), corrected(2, "grade"), corrected(3, "hazards"))
    room.insert(incident_id="i-1", kind="accepted", by_role="controller")
    assert room.told() == [("accepted", ["e-2", "e-3"], None, None, None, "controller")]
    assert room.awaited() == []


def test_a_transfer_is_answered_before_a_correction_unless_the_answer_says_which(room: Room) -> None:
    room.receive(asked("transfer"), corrected(2, "grade"))
    room.insert(incident_id="i-1", kind="accepted", what="correct", by_role="controller")
    assert room.told() == [("accepted", ["e-2"], None, None, None, "controller")]
    room.receive(corrected(3, "grade"))
    room.insert(incident_id="i-1", kind="accepted", reference="GMP-1", by_role="controller")
    assert room.told() == [("accepted", ["e-1"], "GMP-1", None, None, "controller")]
    assert room.awaited() == [("correct", "i-1", True)]


def test_the_same_said_again_is_taken_and_told_once_and_the_contrary_is_refused(room: Room) -> None:
    room.receive(asked("transfer"))
    accepted = {"incident_id": "i-1", "kind": "accepted", "reference": "GMP-1"}
    room.insert(**accepted)
    assert len(room.told()) == 1
    (again,) = room.insert(**accepted)
    assert isinstance(again, Taken)
    assert again.is_repeat
    assert room.read("SELECT answer_number, repeats FROM answer ORDER BY answer_number") == [(1, None), (2, 1)]
    contrary = room.problem(incident_id="i-1", kind="rejected", cause="not-our-area")
    assert contrary == "expected what waits for an answer, and the latest transfer is closed already, as accepted"
    assert room.told() == []


def test_the_origin_learns_our_log_number_of_what_was_only_shared(room: Room) -> None:
    room.receive(asked("created", to_us=False), asked("updated", 2, to_us=False))
    room.insert(incident_id="i-1", kind="accepted", reference="GMP-7")
    assert room.told() == [("accepted", ["e-2"], "GMP-7", None, None, None)]
    assert room.read("SELECT our_reference, taken_over_at FROM incident") == [("GMP-7", None)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"kind": "accepted"}, "expected incident_id (or delivery_id): of what it is the answer"),
        ({"kind": "noted", "incident_id": "i-1"}, "expected kind to be one of accepted, rejected, erased"),
        ({"kind": "delivered", "incident_id": "i-1"}, "expected kind to be one of accepted"),
        ({"kind": "rejected", "incident_id": "i-1"}, "expected a cause of rejected: not-our-area, duplicate"),
        ({"kind": "rejected", "incident_id": "i-1", "cause": "busy"}, "expected cause to be one of not-our-area"),
        ({"kind": "accepted", "incident_id": "i-1", "cause": "duplicate"}, "expected no cause"),
        ({"kind": "erased", "incident_id": "i-1"}, "expected by_role of erased: a person must say so"),
        ({"kind": "erased", "incident_id": "i-1", "by_role": "A. Person"}, "expected by_role to be a role"),
        ({"kind": "passed-on", "incident_id": "i-1", "by_role": "r"}, "expected passed_to of passed-on"),
        ({"kind": "accepted", "incident_id": "i-1", "reference": "x" * 101}, "reference of at most 100"),
        ({"kind": "accepted", "incident_id": "i-1", "reference": "a\nb"}, "reference of at most 100 visible"),
        ({"kind": "accepted", "incident_id": "i-9"}, "expected the incident_id of something that was delivered"),
        ({"kind": "accepted", "incident_id": "i-1", "origin": "kent"}, "expected the incident_id of something"),
        ({"kind": "accepted", "delivery_id": "d-9"}, "expected the delivery_id of something that was delivered"),
        ({"kind": "erased", "incident_id": "i-1", "by_role": "r"}, "expected retract or withdraw of this incident"),
        ({"kind": "accepted", "incident_id": "i-1", "what": "assistance"}, "expected assistance of this incident"),
        ({"kind": "accepted", "incident_id": "i-1", "what": "tea"}, "expected what to be one of transfer"),
    ],
)
def test_an_answer_that_cannot_be_taken_says_what_was_expected_and_nothing_is_told(
    room: Room, said: dict[str, str], expected: str
) -> None:
    room.receive(asked("transfer"))
    assert expected in room.problem(**said)
    assert room.told() == []
    assert room.awaited() == [("transfer", "i-1", True)]
    assert room.taker.take_waiting() == [], "what is faulty is not looked at again until it is mended"
    with room.database.transaction():
        mend = "UPDATE answer SET kind = 'accepted', incident_id = 'i-1', problem = NULL, origin = NULL, cause = NULL"
        room.database.execute(f"{mend}, what = NULL, by_role = NULL, reference = NULL, delivery_id = NULL")
    assert [type(one) for one in room.taker.take_waiting()] == [Taken]
    assert room.told() == [("accepted", ["e-1"], None, None, None, None)]


def test_two_incidents_of_one_name_are_told_apart_by_their_origin(room: Room) -> None:
    room.receive(asked("transfer"), asked("transfer", 2, origin="lancashire"))
    assert room.problem(incident_id="i-1", kind="accepted").startswith("expected origin: 2 incidents")
    room.insert(incident_id="i-1", origin="lancashire", kind="accepted")
    assert room.told() == [("accepted", ["e-2"], None, None, None, None)]


def test_a_delivery_may_be_named_instead(room: Room) -> None:
    first, _ = room.receive(asked("transfer"), asked("transfer", 2))
    room.insert(delivery_id=first, kind="accepted", at="2026-01-31T08:05:00+00:00")
    assert room.told() == [("accepted", ["e-1"], None, None, None, None)]
    assert room.read("SELECT closed_at FROM asked WHERE delivery_id = ?", first) == [("2026-01-31T08:05:00.000Z",)]
    assert room.awaited() == [("transfer", "i-1", True)]


def test_the_adapter_confirms_by_itself_that_it_hid_what_was_taken_back_and_a_person_confirms_the_rest(
    room: Room,
) -> None:
    room.receive(asked("created"))
    sink = room.sink
    sink.write(room.topic.batch(retracted(2)))
    assert room.told() == [
        ("delivered", [""], None, None, None, None),
        ("restricted", [""], None, None, None, None),
    ]
    assert room.awaited() == [("retract", "i-1", True)]
    assert room.read("SELECT ask, reason, confirmed_at, closed_at FROM asked") == [
        ("erase", "wrong-recipient", "2026-01-31T08:10:00.000Z", None)
    ]
    assert room.read("SELECT section FROM sealed ORDER BY section") == [("head",), ("vehicles",)]
    room.insert(incident_id="i-1", kind="acted-upon", by_role="duty-inspector")
    room.insert(incident_id="i-1", kind="passed-on", passed_to="ambulance control", by_role="duty-inspector")
    assert room.awaited() == [("retract", "i-1", True)], "these do not confirm it"
    room.insert(incident_id="i-1", kind="erased", by_role="duty-inspector")
    assert room.told() == [
        ("acted-upon", [""], None, None, None, "duty-inspector"),
        ("passed-on", [""], None, None, "ambulance control", "duty-inspector"),
        ("erased", [""], None, None, None, "duty-inspector"),
    ]
    assert room.awaited() == []
    assert room.read("SELECT count(*) FROM sealed") == [(0,)]
    room.insert(incident_id="i-1", kind="passed-on", passed_to="a second desk", by_role="duty-inspector")
    assert len(room.told()) == 1, "who else has it may be learned later"


def test_what_is_restricted_stays_sealed_and_is_marked_as_evidence(room: Room) -> None:
    room.receive(asked("created"), retracted(2, "restrict"))
    room.insert(incident_id="i-1", kind="restricted", by_role="exhibits-officer")
    assert room.told() == [("restricted", [""], None, None, None, "exhibits-officer")]
    kept = room.read("SELECT section, kept_as_evidence_at, kept_by_role FROM sealed ORDER BY section")
    assert kept == [(name, "2026-01-31T08:10:00.000Z", "exhibits-officer") for name in ("head", "vehicles")]


def test_what_is_taken_back_cannot_be_accepted_any_more(room: Room) -> None:
    room.receive(asked("transfer"), retracted(2))
    assert room.awaited() == [("retract", "i-1", True)]
    problem = room.problem(incident_id="i-1", kind="accepted", reference="GMP-1")
    assert problem == "expected what waits for an answer, and the latest transfer is closed already, as retract"


def test_what_is_withdrawn_is_confirmed_by_the_adapter_and_may_be_by_a_person(room: Room) -> None:
    room.receive(asked("created"))
    room.sink.write(
        room.topic.batch(delivery_bytes(step=2, action="WITHDRAW", event_id="", terms={"withdraws": ["vehicles"]}))
    )
    assert room.told()[1] == ("erased", [""], None, None, None, None)
    assert room.awaited() == []
    assert room.read("SELECT what, closed_as, by_role FROM asked") == [("withdraw", "erased", None)]
    room.insert(incident_id="i-1", kind="erased", by_role="controller")
    assert room.told() == [("erased", [""], None, None, None, "controller")]
    assert "closed already, as erased by controller" in room.problem(
        incident_id="i-1", kind="restricted", by_role="controller"
    )


def test_a_head_that_is_withdrawn_takes_everything_with_it_and_a_later_share_brings_it_back(room: Room) -> None:
    room.receive(asked("transfer"))
    terms = {"withdraws": ["head", "vehicles"]}
    room.receive(delivery_bytes(step=2, action="WITHDRAW", event_id="", terms=terms))
    assert room.read("SELECT event_id, local_ref, withdrawn_at FROM incident") == [
        (None, None, "2026-01-31T08:02:00.000Z")
    ]
    assert room.read("SELECT (SELECT count(*) FROM vehicle) + (SELECT count(*) FROM sealed)") == [(0,)]
    assert room.awaited() == []
    room.receive(asked("updated", 3))
    assert room.read("SELECT event_id, withdrawn_at FROM incident") == [("e-3", None)]


def test_answers_of_one_call_are_taken_all_or_none(room: Room) -> None:
    room.receive(asked("transfer"), asked("assistance", 2, "i-2"))
    good = {"incident_id": "i-1", "kind": "accepted"}
    with pytest.raises(Rejected, match="answer 2: expected the incident_id of something"):
        room.taker.say([good, {"incident_id": "i-9", "kind": "accepted"}], "call")
    assert room.read("SELECT count(*) FROM answer") == [(0,)]
    assert room.told() == []
    one, two = room.taker.say([good, {"incident_id": "i-2", "kind": "rejected", "cause": "no-resource"}], "call")
    assert (one.incident_id, two.incident_id) == ("i-1", "i-2")
    assert [kind for kind, *_ in room.told()] == ["accepted", "rejected"]
    assert room.read("SELECT DISTINCT said_by FROM answer") == [("call",)]


def test_what_is_not_yet_due_is_not_overdue(room: Room) -> None:
    terms = {"addressed_to_you": True, "decided_at": datetime.now(room.now.tzinfo).replace(microsecond=0)}
    room.receive(delivery_bytes(kind="transfer", terms=terms))
    assert room.awaited() == [("transfer", "i-1", False)]
