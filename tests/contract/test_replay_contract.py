"""Loss, repeats and replays, disposal and tombstones, in every kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from consumers.delivery import Batch, Delivery, Record
from consumers.disposal import Disposal
from consumers.sinks import StreamFault, Written
from consumers.sinks.sql import SqlSink
from consumers.streams.noting import missing_deliveries
from schemas.event import Vehicle
from tests.consumers.making import MEMBER, TOPIC, Topic, at, delivery_bytes, opened
from tests.contract.receiving import PLACES

STREAM = f"{MEMBER}/3"
SHOWN = "(SELECT count(*) FROM section) + (SELECT count(*) FROM vehicle) + (SELECT count(*) FROM sealed)"


class Receiver:
    """A receiving database and the topic that it is read from."""

    def __init__(self, sink: SqlSink) -> None:
        self.sink = sink
        self.topic = Topic()
        self.topic.offset = -2  # the first record of all has offset 0
        self.now = at(10)

    def take(self, *values: bytes | None) -> Written[Delivery]:
        return self.sink.write(self.topic.batch(*values))

    def again(self, *batches: Batch[Delivery]) -> list[Written[Delivery]]:
        return [self.sink.fill(batch) for batch in batches]

    def read(self, query: str) -> list[tuple[Any, ...]]:
        return self.sink.database.query(query)

    def run(self, statement: str) -> None:
        with self.sink.database.transaction():
            self.sink.database.execute(statement)

    def gaps(self) -> list[tuple[Any, ...]]:
        columns = "fault, first_number, last_number, filled_at IS NOT NULL"
        return self.read(f"SELECT {columns} FROM stream_gap ORDER BY fault, first_number")  # noqa: S608

    def receipts(self) -> list[tuple[str, int]]:
        return [(one.kind, one.deliveries) for one in self.sink.unsent_receipts(0, 99)]


@pytest.fixture(params=sorted(PLACES))
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    with closing(SqlSink(PLACES[request.param](tmp_path, request), MEMBER, lambda: at(10))) as sink:
        yield Receiver(sink)


def shared(number: int, incident: str = "i-1", *, sequence: int | None = None, **options: Any) -> bytes:
    return delivery_bytes(
        incident,
        number,
        covers=("vehicles",),
        vehicles=(Vehicle(vehicle_ref=f"v-{number}"),),
        number=number,
        sequence=number if sequence is None else sequence,
        **options,
    )


def taken_back(number: int, ask: str = "erase") -> bytes:
    terms = {"reason": "unlawful", "ask": ask}
    return delivery_bytes(step=number, action="RETRACT", event_id="", terms=terms, number=number, sequence=number)


# ------------------------------------------------------------------------------------------------ loss and repeats


def test_a_number_that_is_passed_over_is_an_alarm_until_it_comes(receiver: Receiver) -> None:
    first, lost, last = (receiver.topic.batch(shared(number)) for number in (1, 2, 3))
    receiver.sink.write(first)
    written = receiver.sink.write(last)
    assert written.faults == (StreamFault("missing", STREAM, 2, 2),)
    assert receiver.gaps() == [("missing", 2, 2, 0)]
    assert missing_deliveries(receiver.sink.database) == 1
    assert receiver.sink.fill(lost).faults == ()
    assert receiver.gaps() == [("missing", 2, 2, 1)]
    assert missing_deliveries(receiver.sink.database) == 0


def test_a_wide_gap_is_filled_from_anywhere_within_it(receiver: Receiver) -> None:
    receiver.take(shared(1), shared(9))
    assert receiver.gaps() == [("missing", 2, 8, 0)]
    receiver.take(shared(5))
    assert [gap for gap in receiver.gaps() if not gap[3]] == [("missing", 2, 4, 0), ("missing", 6, 8, 0)]
    receiver.take(shared(2), shared(8))
    assert missing_deliveries(receiver.sink.database) == 4
    receiver.take(*(shared(number) for number in (3, 4, 6, 7)))
    assert missing_deliveries(receiver.sink.database) == 0
    assert receiver.take(shared(10)).faults == ()


def test_what_never_came_at_the_very_beginning_of_a_stream_is_missed_too(receiver: Receiver) -> None:
    receiver.take(shared(1, stream=2))
    written = receiver.take(shared(4, "i-2"))
    assert written.faults == (StreamFault("missing", STREAM, 1, 3),)


def test_what_was_sent_before_this_database_began_is_not_missing(receiver: Receiver) -> None:
    receiver.topic.offset = 900
    assert receiver.take(shared(400)).faults == ()
    assert receiver.take(shared(17, "i-2", stream=2)).faults == ()
    assert receiver.take(shared(402)).faults == (StreamFault("missing", STREAM, 401, 401),)


def test_a_repeat_is_counted_and_no_alarm_and_a_number_of_two_deliveries_is_one(receiver: Receiver) -> None:
    receiver.take(shared(1), shared(2))
    repeated = receiver.take(shared(2), shared(1))
    assert (repeated.repeated, repeated.faults) == (2, ())
    another = receiver.take(shared(3, sequence=2))
    assert another.faults == (StreamFault("reused", STREAM, 2, 2),)
    assert receiver.gaps() == [("reused", 2, 2, 0)]
    assert receiver.take(shared(4, sequence=3)).faults == ()


def test_a_delivery_that_was_made_twice_takes_two_numbers_and_leaves_no_hole(receiver: Receiver) -> None:
    receiver.take(shared(1), shared(2), shared(2, sequence=3))
    assert receiver.take(shared(3, sequence=4)).faults == ()


def test_what_cannot_be_decoded_is_seen_as_missing_and_what_cannot_be_acted_on_is_not(receiver: Receiver) -> None:
    receiver.take(shared(1), shared(2, action="UNKNOWN"), b"\x00not avro", shared(4))
    assert receiver.gaps() == [("missing", 3, 3, 0)]


# ---------------------------------------------------------------------------------------------------------- replay


def test_what_is_here_changes_nothing_and_what_was_missing_is_written_in_its_place(receiver: Receiver) -> None:
    batches = [
        receiver.topic.batch(value)
        for value in (
            shared(1),
            delivery_bytes(
                step=2,
                covers=("hazards", "vehicles"),
                vehicles=(Vehicle(vehicle_ref="v-2"),),
                number=2,
                sequence=2,
            ),
            shared(3),
        )
    ]
    receiver.sink.write(batches[0])
    receiver.sink.write(batches[2])
    before = receiver.sink.positions()
    one, two, three = receiver.again(*batches)
    assert [(len(w.written), w.repeated) for w in (one, two, three)] == [(0, 1), (1, 0), (0, 1)]
    assert receiver.sink.positions() == before
    assert receiver.read("SELECT event_id, latest_number, action FROM incident") == [("e-3", 3, "share")]
    assert receiver.read("SELECT section, event_id FROM section ORDER BY section") == [
        ("hazards", "e-2"),
        ("vehicles", "e-3"),
    ], "the hazards came with what was missing; of the vehicles something newer was here"
    assert receiver.read("SELECT vehicle_ref FROM vehicle") == [("v-3",)]
    assert receiver.read("SELECT event_id, effect FROM delivery ORDER BY number") == [
        ("e-1", "applied"),
        ("e-2", "late"),
        ("e-3", "applied"),
    ]
    assert receiver.receipts() == [("delivered", 1)] * 3
    assert [len(w.written) for w in receiver.again(*batches)] == [0, 0, 0]


def test_what_was_set_aside_and_can_be_taken_now_is_set_aside_no_longer(receiver: Receiver) -> None:
    faulty, other = receiver.topic.batch(b"\x00not avro", b"\x00nor this"), receiver.topic.batch(shared(2))
    receiver.sink.write(faulty)
    receiver.sink.write(other)
    mended = opened([Record(TOPIC, 0, faulty.set_aside[0].record.offset, 0, shared(1))])
    assert len(receiver.sink.fill(mended).written) == 1
    assert receiver.read("SELECT count(*) FROM set_aside") == [(1,)]
    assert missing_deliveries(receiver.sink.database) == 0


def test_what_is_refused_again_is_not_told_again(receiver: Receiver) -> None:
    batch = receiver.topic.batch(shared(1), shared(2, action="UNKNOWN"), b"\x00not avro")
    receiver.sink.write(batch)
    before = receiver.receipts()
    written = receiver.sink.fill(batch)
    assert (written.written, written.set_aside) == ((), ())
    assert receiver.receipts() == before


def test_without_numbers_nothing_that_was_read_before_goes_over_what_is_there(receiver: Receiver) -> None:
    def plain(step: int) -> bytes:
        return delivery_bytes(step=step, covers=("vehicles",), vehicles=(Vehicle(vehicle_ref=f"v-{step}"),))

    missing, last = receiver.topic.batch(plain(1)), receiver.topic.batch(plain(2))
    receiver.sink.write(last)
    assert len(receiver.sink.fill(missing).written) == 1
    assert receiver.read("SELECT vehicle_ref FROM vehicle") == [("v-2",)]
    assert receiver.read("SELECT effect FROM delivery ORDER BY sent_at") == [("superseded",), ("applied",)]


def test_a_transfer_that_comes_after_its_stand_down_asks_for_nothing(receiver: Receiver) -> None:
    to_us = {"addressed_to_you": True}
    missing = receiver.topic.batch(shared(1, kind="transfer", terms=to_us))
    receiver.take(shared(2, kind="stand-down", terms=to_us))
    receiver.sink.fill(missing)
    assert receiver.read("SELECT what, closed_as FROM asked") == [("transfer", "stood-down")]


# ------------------------------------------------------------------------------------------- tombstones, disposal


@pytest.mark.parametrize("forget", [False, True])
def test_a_replay_of_everything_brings_nothing_back_that_was_taken_back(receiver: Receiver, forget: bool) -> None:
    batches = [receiver.topic.batch(value) for value in (shared(1), shared(2), taken_back(3))]
    for batch in batches:
        receiver.sink.write(batch)
    receiver.run("DELETE FROM sealed")
    if forget:
        receiver.run("DELETE FROM delivery")
    receiver.run("DELETE FROM position")
    for batch in batches:
        receiver.sink.write(batch)
        assert receiver.read(f"SELECT {SHOWN}") == [(0,)]
    receiver.again(*batches)
    assert receiver.read(f"SELECT {SHOWN}") == [(0,)]
    assert receiver.read("SELECT event_id, retracted_at IS NOT NULL FROM incident") == [(None, 1)]


def test_a_retraction_that_comes_late_still_takes_back_what_is_older(receiver: Receiver) -> None:
    late = receiver.topic.batch(taken_back(3))
    newer = delivery_bytes(step=4, covers=("hazards",), number=4, sequence=4)
    receiver.take(shared(1), shared(2), newer)
    receiver.sink.fill(late)
    assert receiver.read("SELECT section FROM section") == [("hazards",)]
    assert receiver.read("SELECT section FROM sealed") == [("vehicles",)]
    assert receiver.read("SELECT count(*) FROM vehicle") == [(0,)]
    assert receiver.read("SELECT event_id, cleared_number FROM incident") == [("e-4", 3)]
    assert ("restricted", 1) in receiver.receipts()


def dispose(receiver: Receiver, minute: int) -> int:
    return Disposal(receiver.sink.database, MEMBER, lambda: at(minute)).dispose()


def test_what_may_be_kept_no_longer_is_deleted_and_leaves_a_tombstone(receiver: Receiver) -> None:
    closed = {"terms": {"retain_until": at(20)}, "kind": "closed", "local_ref": "0042"}
    batches = [receiver.topic.batch(value) for value in (shared(1), shared(2, **closed), shared(3, "i-2", sequence=3))]
    for batch in batches:
        receiver.sink.write(batch)
    assert dispose(receiver, 19) == 0
    assert dispose(receiver, 20) == 1
    assert dispose(receiver, 30) == 0
    assert receiver.read("SELECT incident_id FROM section") == [("i-2",)]
    assert receiver.read("SELECT incident_id, vehicle_ref FROM vehicle") == [("i-2", "v-3")]
    tomb = "SELECT event_id, local_ref, disposed_at, latest_number FROM incident WHERE incident_id = 'i-1'"
    assert receiver.read(tomb) == [(None, None, "2026-01-31T08:20:00.000Z", 2)]
    receiver.run("DELETE FROM delivery")
    receiver.again(*batches)
    assert receiver.read(tomb) == [(None, None, "2026-01-31T08:20:00.000Z", 2)]
    receiver.take(shared(4, sequence=4, kind="reopened"))
    assert receiver.read(tomb) == [("e-4", "", None, 4)]


def test_what_somebody_holds_is_kept_until_they_let_go(receiver: Receiver) -> None:
    receiver.take(shared(1, terms={"retain_until": at(20)}))
    receiver.run(
        "INSERT INTO hold (origin, incident_id, reason) VALUES ('west-yorkshire', 'i-1', 'a complaint is open')"
    )
    assert dispose(receiver, 30) == 0
    receiver.run("DELETE FROM hold")
    assert dispose(receiver, 30) == 1


def test_disposal_takes_what_was_sealed_and_leaves_what_a_person_keeps_as_evidence(receiver: Receiver) -> None:
    receiver.take(shared(1, terms={"retain_until": at(20)}), taken_back(2))
    receiver.run("UPDATE sealed SET kept_as_evidence_at = sealed_at WHERE section = 'vehicles'")
    assert dispose(receiver, 30) == 1
    assert receiver.read("SELECT section FROM sealed") == [("vehicles",)]


def test_the_bytes_of_what_was_set_aside_go_with_the_incident(receiver: Receiver) -> None:
    receiver.take(shared(1), shared(2, action="UNKNOWN"))
    assert receiver.read("SELECT value IS NULL FROM set_aside") == [(0,)]
    receiver.take(taken_back(3))
    assert receiver.read("SELECT value IS NULL FROM set_aside") == [(1,)]


def test_a_notice_may_say_until_when_what_is_held_may_be_kept(receiver: Receiver) -> None:
    receiver.take(shared(1))
    until = {"retain_until": at(40)}
    receiver.take(delivery_bytes(step=2, action="RESTRICTED", event_id="", terms=until, number=2, sequence=2))
    assert receiver.read("SELECT retain_until FROM incident") == [("2026-01-31T08:40:00.000Z",)]
