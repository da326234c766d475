"""What every sink promises. A new sink adds a bench to `BENCHES` and must pass all of it."""

from __future__ import annotations

import random
import sqlite3
import string
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from consumers.delivery import Batch, Delivery
from consumers.sinks import Gap, OutboxReceipt, Sink, Written
from consumers.sinks.postgres_url import PostgresUrl
from consumers.sinks.sql import SqlSink
from schemas.codec import decode
from schemas.errors import Unavailable
from schemas.event import LogLine, Vehicle
from schemas.records import Receipt
from tests.consumers.making import MEMBER, MOST_BYTES, TOPIC, Topic, delivery_bytes
from tests.consumers.mirror import mirror
from tests.consumers.model import Held, read_incidents
from tests.postgres_server import PostgresServer


class SinkUnderTest(Sink[Delivery], Protocol):
    """A sink that keeps an outbox."""

    def unsent_receipts(self, after: int, limit: int) -> list[OutboxReceipt]: ...

    def forget_receipts(self, numbers: list[int]) -> None: ...


class Bench(Protocol):
    """A receiving system and how to look into it."""

    def open(self) -> SinkUnderTest: ...

    def incidents(self) -> dict[tuple[str, str], Held]: ...

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Ask it with SQL."""
        ...

    def take_away(self) -> Callable[[], None]:
        """Make the receiving system unavailable; what is returned brings it back."""
        ...


class SqliteBench:
    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        request.getfixturevalue("monkeypatch").setattr("consumers.sinks.sqlite_database._BUSY_S", 0.05)
        self.path = folder / "receiving.db"

    def open(self) -> SqlSink:
        return SqlSink(self.path, MEMBER)

    def incidents(self) -> dict[tuple[str, str], Held]:
        return read_incidents(self.path)

    def take_away(self) -> Callable[[], None]:
        holder = sqlite3.connect(self.path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        return holder.close

    def read(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as database:
            return database.execute(query).fetchall()


class PostgresBench:
    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        self._server: PostgresServer = request.getfixturevalue("postgres")
        self._url = self._server.make_database()
        self._copy = folder / "copy.db"

    def open(self) -> SqlSink:
        return SqlSink(PostgresUrl(f"{self._url}&options=-c%20lock_timeout%3D50ms"), MEMBER)

    def incidents(self) -> dict[tuple[str, str], Held]:
        return read_incidents(mirror(self._url, self._copy))

    def take_away(self) -> Callable[[], None]:
        holder = psycopg.connect(self._url)
        holder.execute("LOCK TABLE position IN ACCESS EXCLUSIVE MODE")
        return holder.close

    def read(self, query: str) -> list[tuple[Any, ...]]:
        return self._server.run(self._url, query)


BENCHES: dict[str, Callable[[Path, pytest.FixtureRequest], Bench]] = {
    "postgres": PostgresBench,
    "sqlite": SqliteBench,
}


class Closing:
    """A bench whose sinks are closed when the test ends, and what it is asked through `read`."""

    def __init__(self, bench: Closing) -> None:
        self._bench = bench
        self._opened: list[SinkUnderTest] = []
        self.incidents, self.read, self.take_away = bench.incidents, bench.read, bench.take_away

    def open(self) -> SinkUnderTest:
        self._opened.append(self._bench.open())
        return self._opened[-1]

    def close(self) -> None:
        for sink in self._opened:
            sink.close()

    def deliveries(self) -> list[str]:
        return [row[0] for row in self.read("SELECT delivery_id FROM delivery ORDER BY record_offset")]

    def set_aside(self) -> list[tuple[Any, ...]]:
        """Reason and bytes of what was set aside."""
        return self.read("SELECT reason, value FROM set_aside ORDER BY record_offset")


@pytest.fixture(params=sorted(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Closing]:
    made = Closing(BENCHES[request.param](tmp_path, request))
    yield made
    made.close()


def shared(step: int, incident: str = "i-1") -> bytes:
    return delivery_bytes(
        incident, step, covers=("vehicles", "narrative"), vehicles=(Vehicle(vehicle_ref=f"v-{step}"),)
    )


def ids(batch: Batch[Delivery]) -> list[str]:
    return [delivery.delivery_id for delivery in batch.taken]


def receipted(sink: SinkUnderTest) -> list[tuple[str, str, str | None]]:
    """Kind, delivery and cause of every entry in the outbox."""
    receipts = [
        (row, Receipt.from_avro(decode("Receipt", row.value, MOST_BYTES))) for row in sink.unsent_receipts(0, 99)
    ]
    assert all(row.kind == receipt.kind and row.deliveries == len(receipt.entries) for row, receipt in receipts)
    return [(receipt.kind, entry.delivery_id, entry.cause) for _, receipt in receipts for entry in receipt.entries]


def test_what_was_written_is_there_for_the_next_process(bench: Closing) -> None:
    batch = Topic().batch(shared(1), shared(2, "i-2"))
    written = bench.open().write(batch)
    assert written == Written(batch.taken, 0, ())
    after = bench.open()
    assert after.positions() == {(TOPIC, 0): 5}
    assert bench.deliveries() == ids(batch)
    assert {key: held.event_id for key, held in bench.incidents().items()} == {
        ("west-yorkshire", "i-1"): "e-1",
        ("west-yorkshire", "i-2"): "e-2",
    }


def test_the_same_batch_again_is_all_repeats_and_changes_nothing(bench: Closing) -> None:
    batch = Topic().batch(shared(1), shared(2))
    sink = bench.open()
    sink.write(batch)
    before = (bench.incidents(), bench.deliveries(), receipted(sink))
    assert sink.write(batch) == Written((), 2, ())
    assert bench.open().write(batch) == Written((), 2, ())
    assert (bench.incidents(), bench.deliveries(), receipted(sink)) == before


def test_a_delivery_sent_twice_takes_effect_at_its_first_place(bench: Closing) -> None:
    topic, sink = Topic(), bench.open()
    sink.write(topic.batch(shared(1), shared(2), shared(1)))
    written = sink.write(topic.batch(shared(1)))
    assert (written.written, written.repeated) == ((), 1)
    assert bench.incidents()["west-yorkshire", "i-1"].event_id == "e-2"
    assert sink.positions() == {(TOPIC, 0): 9}


def test_a_slow_instance_cannot_undo_what_another_wrote_since(bench: Closing) -> None:
    topic, slow, quick = Topic(), bench.open(), bench.open()
    old, new = topic.batch(shared(1)), topic.batch(shared(2))
    quick.write(old)
    quick.write(new)
    assert slow.write(old).repeated == 1
    assert slow.positions() == {(TOPIC, 0): 5}
    assert bench.incidents()["west-yorkshire", "i-1"].event_id == "e-2"


def test_what_does_not_decode_is_set_aside_with_its_bytes_and_the_rest_goes_on(bench: Closing) -> None:
    sink = bench.open()
    batch = Topic().batch(b"\x00not avro", shared(1), None)
    written = sink.write(batch)
    assert [refused.reason for refused in written.set_aside] == ["unknown-schema", "empty"]
    assert bench.set_aside() == [("unknown-schema", b"\x00not avro"), ("empty", None)]
    assert bench.deliveries() == ids(batch)
    assert sink.positions() == {(TOPIC, 0): 7}
    assert [kind for kind, _, _ in receipted(sink)] == ["delivered"]
    assert sink.write(batch) == Written((), 1, ())


def test_what_cannot_be_acted_on_is_set_aside_and_receipted_as_failed(bench: Closing) -> None:
    sink = bench.open()
    batch = Topic().batch(shared(1), delivery_bytes("i-2", 2, action="UNKNOWN"))
    sink.write(batch)
    assert [reason for reason, _ in bench.set_aside()] == ["unknown-action"]
    first, second = ids(batch)
    assert receipted(sink) == [("delivered", first, None), ("failed", second, "unknown-action")]


def test_a_delivery_to_somebody_else_is_never_shown_and_never_receipted(bench: Closing) -> None:
    sink = bench.open()
    sink.write(Topic().batch(delivery_bytes("i-2", 2, member="lancashire", covers=("vehicles",))))
    assert [reason for reason, _ in bench.set_aside()] == ["not-for-us"]
    assert bench.incidents() == {}
    assert receipted(sink) == []


def test_a_value_that_cannot_be_stored_is_set_aside_and_its_neighbours_are_written(bench: Closing) -> None:
    sink, topic = bench.open(), Topic()
    batch = topic.batch(shared(1), shared(2, "i-2"), shared(3, "i-3"))
    first, poisonous, last = batch.taken
    culprit = Delivery(poisonous.record, {**poisonous.terms, "policy_version": 1 << 80}, poisonous.event)
    written = sink.write(Batch((first, culprit, last), (), batch.positions))
    assert written.written == (first, last)
    assert [reason for reason, _ in bench.set_aside()] == ["not-storable"]
    assert sorted(key[1] for key in bench.incidents()) == ["i-1", "i-3"]
    assert ("failed", culprit.delivery_id, "not-storable") in receipted(sink)


def test_a_character_that_the_database_cannot_hold_keeps_nobody_from_the_delivery(bench: Closing) -> None:
    sink, topic = bench.open(), Topic()
    typed = {"covers": ("narrative",), "narrative": (LogLine(entry_id="l-1", text="one\x00two \\u0000"),)}
    batch = topic.batch(shared(1), delivery_bytes("i-2", 2, local_ref="00\x0042", **typed), shared(3, "i-3"))
    assert len(sink.write(batch).written) == 3
    assert bench.deliveries() == ids(batch)
    assert bench.set_aside() == []
    assert len(receipted(sink)) == 3
    ((text,),) = bench.read("SELECT text FROM log_entry")
    assert text in ("one\x00two \\u0000", "one\ufffdtwo \\u0000")
    assert bench.incidents()["west-yorkshire", "i-2"].sections == {"narrative": ("e-2", ["l-1"])}


def test_a_text_too_long_for_an_index_stops_nothing_else(bench: Closing) -> None:
    sink, topic, chance = bench.open(), Topic(), random.Random(1)
    long = "".join(chance.choices(string.ascii_letters, k=20_000))
    batch = topic.batch(shared(1), delivery_bytes("i-2", 2, local_ref=long), shared(3, "i-3"))
    first, _, last = ids(batch)
    assert {first, last} <= {delivery.delivery_id for delivery in sink.write(batch).written}
    assert len(bench.deliveries()) + len(bench.set_aside()) == 3
    assert len(receipted(sink)) == 3
    assert sink.positions() == {(TOPIC, 0): 7}


def test_an_identifier_that_no_database_could_be_asked_for_is_set_aside(bench: Closing) -> None:
    sink = bench.open()
    written = sink.write(Topic().batch(delivery_bytes("i-\x002", 2), shared(3, "i-3")))
    assert [delivery.key[1] for delivery in written.written] == ["i-3"]
    assert [reason for reason, _ in bench.set_aside()] == ["bad-identifier"]


def test_while_it_is_away_nothing_takes_effect_and_the_same_batch_fits_afterwards(bench: Closing) -> None:
    sink, batch = bench.open(), Topic().batch(shared(1))
    bring_back = bench.take_away()
    with pytest.raises(Unavailable):
        sink.write(batch)
    bring_back()
    assert sink.positions() == {}
    assert bench.deliveries() == []
    assert sink.write(batch).written == batch.taken


def test_receipts_leave_the_outbox_only_when_told(bench: Closing) -> None:
    sink, topic = bench.open(), Topic()
    sink.write(topic.batch(shared(1)))
    sink.write(topic.batch(shared(2)))
    one, two = bench.open().unsent_receipts(0, 99)
    assert sink.unsent_receipts(one.receipt_number, 99) == [two]
    sink.forget_receipts([one.receipt_number])
    assert sink.unsent_receipts(0, 99) == [two]
    sink.forget_receipts([two.receipt_number])
    sink.write(topic.batch(shared(3)))
    (three,) = sink.unsent_receipts(0, 99)
    assert three.receipt_number > two.receipt_number, "a number that is used again would lose a receipt"


def test_log_entries_keep_when_they_were_first_seen_and_go_when_the_origin_drops_them(bench: Closing) -> None:
    sink, topic = bench.open(), Topic()

    def lines(*names: str) -> dict[str, object]:
        return {"covers": ("narrative",), "narrative": tuple(LogLine(entry_id=n, text="typed") for n in names)}

    sink.write(topic.batch(delivery_bytes(step=1, **lines("a", "b"))))
    ((first_a,),) = bench.read("SELECT first_seen_at FROM log_entry WHERE entry_id = 'a'")
    sink.write(topic.batch(delivery_bytes(step=2, **lines("a", "c"))))
    rows = bench.read("SELECT entry_id, first_seen_at, last_seen_at FROM log_entry ORDER BY ordinal")
    assert [row[0] for row in rows] == ["a", "c"]
    assert rows[0][1] == first_a
    assert rows[0][2] == rows[1][2]


def test_a_gap_is_kept_for_the_operators(bench: Closing) -> None:
    bench.open().note_gap(Gap(TOPIC, 0, 5, 9))
    assert bench.read("SELECT topic, partition, first_offset, last_offset FROM gap") == [(TOPIC, 0, 5, 9)]
