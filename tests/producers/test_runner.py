"""Claims about the loop of a producer, with a fake link in place of Kafka."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from producers.mapping import Draft
from producers.pace import Pace
from producers.publisher import Publisher
from producers.runner import Production
from producers.setaside import listed
from producers.sources.source import SourceRecord
from producers.sources.synthetic import RESUMED_WITHIN, SyntheticSource, synthetic_events
from producers.spool import Spool
from schemas.errors import Rejected, Unavailable
from schemas.event import Contact, IncidentEvent
from schemas.ops import metrics
from schemas.ops.health import Health


class Delivered:
    """Takes everything, and keeps the keys."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.waiting: list = []

    def produce(self, topic, value, key, *, on_delivery):
        self.keys.append(key.decode())
        self.waiting.append(on_delivery)

    def poll(self, timeout):
        waiting, self.waiting = self.waiting, []
        for report in waiting:
            report(None, None)
        return len(waiting)

    def list_topics(self, topic, timeout):
        pass

    def purge(self, in_queue, in_flight, blocking):
        self.waiting = []


class Rows:
    """A source of numbered records; ``trouble`` raises before some reads."""

    def __init__(self, count: int, trouble: Sequence[Exception] = ()) -> None:
        self.count, self.trouble, self.at = count, list(trouble), 0
        self.acknowledged: list[str] = []
        self.closed = False

    name = "rows"

    @property
    def exhausted(self) -> bool:
        return self.at >= self.count

    def resume(self, position):
        self.at = int(position or 0)

    def read(self, most):
        if self.trouble:
            raise self.trouble.pop(0)
        numbers = range(self.at, min(self.at + most, self.count))
        self.at += len(numbers)
        return [SourceRecord(str(n + 1), f"row {n}", f"d-{n}", {"n": n}) for n in numbers]

    def acknowledge(self, position):
        self.acknowledged.append(position)

    def close(self):
        self.closed = True


def make(record: SourceRecord, now: datetime) -> Draft:
    number = record.columns["n"]
    if number == 3:
        raise Rejected("unmapped-code", "column 'n': no such code")
    if number == 5:
        raise KeyError("SECRET")
    event = IncidentEvent(origin="kent", incident_id=f"I{number % 3}", sent_at=now, contact=Contact())
    return Draft(f"k{number}", event)


@pytest.fixture
def production(tmp_path):
    with Spool(tmp_path / "spool", origin="kent", system="cad") as spool:
        link, health = Delivered(), Health()
        publisher = Publisher(spool, "incidents.kent", lambda _: link, health=health)
        yield Production(Rows(40), make, spool, publisher, health=health)


def test_every_record_is_read_spooled_acknowledged_to_its_source_and_published(production):
    progress = production.run(threading.Event())
    assert (progress.read, progress.spooled, progress.acknowledged) == (40, 38, 38)
    assert (progress.unfinished, progress.set_aside) == (0, {"unmapped-code": 1, "internal": 1})
    assert production.source.acknowledged[-1] == "40"
    assert production.source.closed
    assert production.spool.position("rows") == "40"
    assert metrics.reading("set_aside_records", origin="kent") == 2


def test_a_record_that_trips_a_fault_of_ours_is_set_aside_and_quotes_nothing(production, capsys):
    production.run(threading.Event())
    aside = {each.reason: each for each in listed(production.spool)}
    assert "KeyError" in aside["internal"].message
    assert "SECRET" not in aside["internal"].message
    assert "SECRET" not in capsys.readouterr().err


def test_a_source_or_spool_that_is_away_is_waited_for_and_nothing_is_lost(production, monkeypatch):
    production.source = Rows(40, [Unavailable("the source is away", retry_after_s=0.001)] * 2)
    real, failures = production.spool.capture, [Unavailable("the disk is full", retry_after_s=0.001)] * 2

    def capture(*arguments):
        if failures:
            assert production.source.acknowledged == []
            raise failures.pop()
        return real(*arguments)

    monkeypatch.setattr(production.spool, "capture", capture)
    progress = production.run(threading.Event())
    assert (progress.read, progress.acknowledged) == (40, 38)
    assert "spool" not in production.health.reasons()


def test_told_to_stop_it_ends_with_what_is_under_way_delivered(production):
    stop = threading.Event()
    production.source = Rows(10**9)
    production.rate = 2000.0
    progress = production.run(stop, lambda progress: stop.set() if progress.read else None)
    assert progress.unfinished == 0
    assert 0 < progress.read < 10**6


def test_the_next_run_goes_on_after_the_last_captured_record(production, tmp_path):
    production.run(threading.Event())
    production.spool.close()
    with Spool(tmp_path / "spool", origin="kent", system="cad") as spool:
        publisher = Publisher(spool, "incidents.kent", lambda _: Delivered(), health=Health())
        progress = Production(Rows(44), make, spool, publisher).run(threading.Event())
    assert (progress.read, progress.repeated) == (4, 0)


def test_a_pace_gives_so_many_a_second_and_saves_up_one_second_at_most():
    now = [0.0]
    pace = Pace(10.0, lambda: now[0])
    assert pace.allows(100) == 1
    pace.used(1)
    assert pace.allows(100) == 0
    now[0] = 0.35
    assert pace.allows(100) == 3
    pace.used(3)
    now[0] = 100.0
    assert pace.allows(100) == 10
    assert Pace(None).allows(25) == 25


class TestSyntheticSource:
    """The synthetic control room as a source."""

    start = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)

    def room(self, now: list[datetime], **told) -> SyntheticSource:
        room = SyntheticSource("kent", 4, clock=lambda: now[0], **told)
        room.resume(told.pop("position", None))
        return room

    def test_paced_events_come_when_they_are_due_and_were_recorded_then(self):
        now = [self.start]
        room = self.room(now, rate=10.0)
        assert len(room.read(100)) == 1
        now[0] += timedelta(seconds=0.55)
        records = room.read(100)
        assert len(records) == 5
        drafts = [room.draft(record, now[0]) for record in records]
        assert [draft.event.recorded_at for draft in drafts] == [
            self.start + timedelta(seconds=n / 10) for n in range(1, 6)
        ]
        assert {draft.event.sent_at for draft in drafts} == {now[0]}

    def test_unpaced_events_are_recorded_when_they_are_made(self):
        now = [self.start]
        room = self.room(now, incidents=3)
        records = room.read(1000)
        assert room.exhausted
        later = self.start + timedelta(seconds=3)
        assert {room.draft(record, later).event.recorded_at for record in records} == {later}

    def test_it_goes_on_after_its_position_with_the_same_events_and_times(self):
        now = [self.start]
        whole = self.room(now, incidents=5, rate=100.0)
        now[0] += timedelta(minutes=10)
        everything = whole.read(10_000)
        drafts = [whole.draft(record, now[0]) for record in everything]
        now[0] = self.start + timedelta(seconds=5)
        resumed = SyntheticSource("kent", 4, 5, rate=100.0, clock=lambda: now[0])
        resumed.resume(everything[6].position)
        rest = [resumed.draft(record, whole._clock()).event for record in resumed.read(10_000)]
        assert [event.event_id for event in rest] == [draft.event.event_id for draft in drafts[7:]][: len(rest)]
        assert [event.recorded_at for event in rest] == [draft.event.recorded_at for draft in drafts[7:]][: len(rest)]
        assert rest

    def test_after_a_long_break_it_is_opened_again_and_not_caught_up_with(self):
        now = [self.start]
        room = self.room(now, rate=100.0)
        (first,) = room.read(10)
        now[0] += RESUMED_WITHIN * 60
        resumed = SyntheticSource("kent", 4, rate=100.0, clock=lambda: now[0])
        resumed.resume(first.position)
        assert len(resumed.read(10_000)) == 1

    def test_events_end_it_as_well_as_incidents(self):
        room = self.room([self.start], events=7)
        records = room.read(100)
        assert room.exhausted
        told = [room.draft(record, self.start).event.event_id for record in records]
        assert told == [event.event_id for event in islice(synthetic_events("kent", 4), 7)]
