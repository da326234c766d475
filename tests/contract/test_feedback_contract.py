"""What every place for feedback promises: each record once, in order, and what cannot be taken set aside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from consumers.feedback.database_sink import FeedbackDatabase
from consumers.feedback.file_sink import FeedbackFile
from consumers.feedback.posting import Webhook
from consumers.feedback.record import Told
from consumers.feedback.webhook_sink import FeedbackWebhook
from consumers.sinks import Gap, Sink, Written
from consumers.sinks.postgres_url import PostgresUrl
from schemas.errors import Rejected, Unavailable
from tests.consumers.feedback_making import FORCE, MEMBER, NAMES, TOPIC, FeedbackTopic, feedback, first_version
from tests.consumers.webhook_server import Receiver
from tests.postgres_server import PostgresServer


class Bench(Protocol):
    """A place for feedback, and how to look into it."""

    def open(self, force: str = FORCE) -> Sink[Told]: ...

    def kept(self) -> list[str]:
        """The feedback_id of every record that is there, in the order in which they came."""
        ...

    def aside(self) -> list[str]:
        """The reason of everything that was set aside."""
        ...

    def take_away(self) -> Callable[[], None]:
        """Make it unavailable; what is returned brings it back."""
        ...


class SqliteBench:
    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        request.getfixturevalue("monkeypatch").setattr("consumers.sinks.sqlite_database._BUSY_S", 0.05)
        self._path = folder / "feedback.db"

    def open(self, force: str = FORCE) -> Sink[Told]:
        return FeedbackDatabase(self._path, force, NAMES)

    def _read(self, query: str) -> list[str]:
        with closing(sqlite3.connect(self._path)) as database:
            return [value for (value,) in database.execute(query)]

    def kept(self) -> list[str]:
        return self._read("SELECT feedback_id FROM feedback ORDER BY rowid")

    def aside(self) -> list[str]:
        return self._read("SELECT reason FROM set_aside ORDER BY record_offset")

    def take_away(self) -> Callable[[], None]:
        holder = sqlite3.connect(self._path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        return holder.close


class PostgresBench:
    def __init__(self, _folder: Path, request: pytest.FixtureRequest) -> None:
        self._server: PostgresServer = request.getfixturevalue("postgres")
        self._url = self._server.make_database()

    def open(self, force: str = FORCE) -> Sink[Told]:
        return FeedbackDatabase(PostgresUrl(f"{self._url}&options=-c%20lock_timeout%3D50ms"), force, NAMES)

    def kept(self) -> list[str]:
        return [
            value for (value,) in self._server.run(self._url, "SELECT feedback_id FROM feedback ORDER BY at, entry")
        ]

    def aside(self) -> list[str]:
        rows = self._server.run(self._url, "SELECT reason FROM set_aside ORDER BY record_offset")
        return [reason for (reason,) in rows]

    def take_away(self) -> Callable[[], None]:
        holder = psycopg.connect(self._url)
        holder.execute("LOCK TABLE position IN ACCESS EXCLUSIVE MODE")
        return holder.close


class WebhookBench:
    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        self._state = folder / "webhook.db"
        self.receiver = Receiver()
        request.addfinalizer(self.receiver.close)

    def open(self, force: str = FORCE) -> Sink[Told]:
        return FeedbackWebhook(self._state, force, Webhook(self.receiver.url))

    def kept(self) -> list[str]:
        return list(self.receiver.kept)

    def aside(self) -> list[str]:
        with closing(sqlite3.connect(self._state)) as database:
            return [value for (value,) in database.execute("SELECT reason FROM set_aside ORDER BY record_offset")]

    def take_away(self) -> Callable[[], None]:
        self.receiver.status = 503

        def bring_back() -> None:
            self.receiver.status = 200

        return bring_back


class FileBench:
    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        self._path = folder / "feedback.jsonl"
        self._monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")

    def open(self, force: str = FORCE) -> Sink[Told]:
        return FeedbackFile(self._path, force)

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]

    def kept(self) -> list[str]:
        return [line["feedback_id"] for line in self._lines() if "feedback_id" in line]

    def aside(self) -> list[str]:
        return [line["set_aside"]["reason"] for line in self._lines() if "set_aside" in line]

    def take_away(self) -> Callable[[], None]:
        def full(_fd: int) -> None:
            raise OSError(28, "No space left on device")

        self._monkeypatch.setattr("consumers.feedback.file_sink.os.fsync", full)
        return self._monkeypatch.undo


BENCHES: dict[str, Callable[[Path, pytest.FixtureRequest], Bench]] = {
    "file": FileBench,
    "postgres": PostgresBench,
    "sqlite": SqliteBench,
    "webhook": WebhookBench,
}


class Used:
    """A bench whose sinks are closed when the test ends."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._opened: list[Sink[Told]] = []
        self.kept, self.aside, self.take_away = bench.kept, bench.aside, bench.take_away

    def open(self) -> Sink[Told]:
        """Open it as another process would, after the one before."""
        self.close()
        self._opened.append(self._bench.open())
        return self._opened[-1]

    def open_as(self, force: str) -> None:
        self._bench.open(force).close()

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()


@pytest.fixture(params=sorted(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Used]:
    used = Used(BENCHES[request.param](tmp_path, request))
    yield used
    used.close()


def test_what_was_written_is_there_once_and_in_order_for_the_next_process(bench: Used) -> None:
    topic, sink = FeedbackTopic(), bench.open()
    first, second = topic.batch(feedback(1, "delivered"), feedback(2, "accepted")), topic.batch(feedback(3, "failed"))
    assert sink.write(first) == Written(first.taken, 0, ())
    after = bench.open()
    assert after.positions() == {(TOPIC, 0): 5}
    after.write(second)
    assert after.positions() == {(TOPIC, 0): 7}
    assert bench.kept() == ["f-1", "f-2", "f-3"]


def test_the_same_batch_again_is_all_repeats_and_changes_nothing(bench: Used) -> None:
    batch = FeedbackTopic().batch(feedback(1, "delivered"), feedback(2, "accepted"))
    sink = bench.open()
    sink.write(batch)
    assert sink.write(batch) == Written((), 2, ())
    assert bench.open().write(batch) == Written((), 2, ())
    assert bench.kept() == ["f-1", "f-2"]


def test_what_does_not_decode_is_set_aside_and_the_rest_goes_on(bench: Used) -> None:
    sink = bench.open()
    batch = FeedbackTopic().batch(feedback(1, "delivered"), b"\x00not avro", None, feedback(2, "accepted"))
    written = sink.write(batch)
    assert ([one.feedback_id for one in written.written], len(written.set_aside)) == (["f-1", "f-2"], 2)
    assert bench.kept() == ["f-1", "f-2"]
    assert bench.aside() == ["unknown-schema", "empty"]
    assert bench.open().positions() == {(TOPIC, 0): 9}


def test_records_of_an_earlier_release_are_read_too(bench: Used) -> None:
    sink = bench.open()
    batch = FeedbackTopic().batch(first_version(1, "delivered"), feedback(2, "passed-on", passed_to="x", by_role="r"))
    assert len(sink.write(batch).written) == 2
    assert bench.kept() == ["f-1", "f-2"]


def test_while_it_is_away_the_same_batch_fits_afterwards_and_nothing_is_there_twice(bench: Used) -> None:
    sink, batch = bench.open(), FeedbackTopic().batch(feedback(1, "delivered"), feedback(2, "accepted"))
    bring_back = bench.take_away()
    with pytest.raises(Unavailable):
        sink.write(batch)
    bring_back()
    assert bench.kept() == []
    sink.write(batch)
    assert bench.kept() == ["f-1", "f-2"]
    assert bench.open().positions() == {(TOPIC, 0): 5}


def test_what_was_lost_to_retention_does_not_disturb_what_follows(bench: Used) -> None:
    sink = bench.open()
    sink.note_gap(Gap(TOPIC, 0, 5, 9))
    sink.write(FeedbackTopic().batch(feedback(1, "delivered")))
    assert bench.open().positions() == {(TOPIC, 0): 3}
    assert bench.kept() == ["f-1"]


def test_another_force_cannot_write_into_it(bench: Used) -> None:
    bench.open().write(FeedbackTopic().batch(feedback(1, "delivered")))
    bench.close()
    with pytest.raises(Rejected, match=f"expected .*{MEMBER}"):
        bench.open_as(MEMBER)
