"""Claims about the spool: one transaction for all of a batch, and an identity that outlives every restart."""

from __future__ import annotations

import sqlite3
import stat
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from producers.mapping import Draft
from producers.setaside import listed, resubmit, retry
from producers.sources.source import SourceRecord
from producers.spool import REMEMBERED_DAYS, Made, Spool
from schemas.codec import EventCodec
from schemas.errors import Fatal, Rejected, Unavailable
from schemas.event import Contact, IncidentEvent

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
MOST = 4096


def opened(path: Path, **differing: object) -> Spool:
    told: dict[str, object] = {"origin": "kent", "system": "cad", "max_event_bytes": MOST, **differing}
    return Spool(path, **told)  # type: ignore[arg-type]


def record(key: str, text: str = "", position: str = "p") -> SourceRecord:
    return SourceRecord(position, f"line {key}", f"d-{key}", {"key": key, "text": text})


def draft_of(each: SourceRecord, now: datetime = NOW) -> Draft:
    """A record's key is incident/version."""
    key = str(each.columns["key"])
    if each.columns["text"] == "bad":
        raise Rejected("unmapped-code", f"{each.where}: column 'X': no such code")
    event = IncidentEvent(
        origin="kent",
        incident_id=key.split("/", maxsplit=1)[0],
        kind="updated",
        mode="actual",
        sent_at=now,
        contact=Contact(),
        local_ref=str(each.columns["text"]),
    )
    return Draft(key, event)


def made(each: SourceRecord) -> Made:
    try:
        return each, draft_of(each)
    except Rejected as rejected:
        return each, rejected


def heads(spool: Spool) -> list[dict[str, object]]:
    codec = EventCodec()
    found = []
    for outgoing in spool.outgoing([waiting.row for waiting in spool.waiting()]):
        _, event = codec.open(outgoing.framed, MOST)
        found.append({**event.head, "sequence": event.section("control")[0]["sequence"]})
    return found


@pytest.fixture
def spool(tmp_path):
    with opened(tmp_path / "spool") as running:
        yield running


def test_a_batch_is_stored_with_the_position_after_it(spool):
    captured = spool.capture("file", [made(record("A/1", position="7")), made(record("A/2", position="9"))], NOW)
    assert [waiting.incident_id for waiting in captured.waiting] == ["A", "A"]
    assert spool.position("file") == "9"
    assert spool.position("other") is None


def test_events_are_numbered_within_their_incident_and_framed(spool):
    spool.capture("file", [made(record(key)) for key in ("A/1", "B/1", "A/2")], NOW)
    assert [(head["incident_id"], head["sequence"]) for head in heads(spool)] == [("A", 1), ("B", 1), ("A", 2)]
    assert len({head["event_id"] for head in heads(spool)}) == 3
    assert {head["origin"] for head in heads(spool)} == {"kent"}


def test_a_repeat_is_dropped_and_counted_even_after_delivery_and_restart(tmp_path):
    with opened(tmp_path / "spool") as spool:
        captured = spool.capture("file", [made(record("A/1")), made(record("A/1"))], NOW)
        assert (len(captured.waiting), captured.repeated) == (1, 1)
        spool.acknowledge([captured.waiting[0].row], NOW)
    with opened(tmp_path / "spool") as spool:
        again = spool.capture("file", [made(record("A/1")), made(record("A/2"))], NOW)
        assert (len(again.waiting), again.repeated) == (1, 1)
        assert [head["sequence"] for head in heads(spool)] == [2]


def test_the_same_event_key_with_other_content_is_set_aside(spool):
    captured = spool.capture("file", [made(record("A/1", "one")), made(record("A/1", "CHANGED"))], NOW)
    assert len(captured.waiting) == 1
    assert captured.set_aside == {"event-key-reused": 1}
    (waiting,) = listed(spool)
    assert waiting.columns == {"key": "A/1", "text": "CHANGED"}
    assert "CHANGED" not in waiting.message
    assert "row version" in waiting.remedy


def test_an_event_that_is_too_large_is_set_aside_before_it_is_spooled(spool):
    captured = spool.capture("file", [made(record("A/1", "x" * MOST)), made(record("A/2"))], NOW)
    assert captured.set_aside == {"oversize": 1}
    assert [head["sequence"] for head in heads(spool)] == [1]


def test_a_record_that_does_not_map_is_kept_once_with_its_reason(spool):
    captured = spool.capture("file", [made(record("A/1", "bad"))] * 2, NOW)
    assert (captured.set_aside, captured.repeated) == ({"unmapped-code": 1}, 1)
    (waiting,) = listed(spool)
    assert (waiting.where, waiting.reason, waiting.event_id) == ("line A/1", "unmapped-code", None)


def test_a_batch_that_cannot_be_stored_leaves_nothing_and_can_be_captured_again(spool, monkeypatch):
    batch = [made(record("A/1", position="1")), made(record("A/2", "bad", position="2"))]
    monkeypatch.setattr("producers.spool.set_aside", _disk_full)
    with pytest.raises(Unavailable, match="disk"):
        spool.capture("file", batch, NOW)
    monkeypatch.undo()
    assert (spool.waiting(), spool.position("file"), listed(spool)) == ([], None, [])
    captured = spool.capture("file", batch, NOW)
    assert (len(captured.waiting), spool.position("file")) == (1, "2")


def _disk_full(*_: object, **__: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_acknowledged_events_are_not_sent_again_and_their_bytes_are_let_go(spool):
    first, second = spool.capture("file", [made(record("A/1")), made(record("A/2"))], NOW).waiting
    spool.acknowledge([first.row], NOW)
    assert [waiting.row for waiting in spool.waiting()] == [second.row]
    assert [outgoing.row for outgoing in spool.outgoing([first.row, second.row])] == [second.row]
    (kept,) = spool.file.connection.execute("SELECT count(*) FROM events WHERE framed IS NOT NULL").fetchone()
    assert kept == 1


def test_a_refused_event_is_set_aside_with_its_record(spool):
    (waiting,) = spool.capture("file", [made(record("A/1"))], NOW).waiting
    spool.refuse(waiting.row, Rejected("refused-by-kafka", "never"), NOW)
    assert spool.waiting() == []
    (aside,) = listed(spool)
    assert (aside.reason, aside.columns["key"]) == ("refused-by-kafka", "A/1")
    assert aside.event_id is not None


def test_what_was_done_is_remembered_for_thirty_days_and_the_sequence_for_ever(spool):
    (waiting,) = spool.capture("file", [made(record("A/1"))], NOW).waiting
    (before,) = heads(spool)
    spool.acknowledge([waiting.row], NOW)
    assert spool.forget(NOW + timedelta(days=REMEMBERED_DAYS)) == 0
    assert spool.forget(NOW + timedelta(days=REMEMBERED_DAYS, seconds=1)) == 1
    spool.capture("file", [made(record("A/1"))], NOW)
    (after,) = heads(spool)
    assert after["sequence"] == 2
    assert after["event_id"] != before["event_id"]


def test_waiting_events_are_never_forgotten(spool):
    spool.capture("file", [made(record("A/1"))], NOW)
    assert spool.forget(NOW + timedelta(days=1000)) == 0
    assert len(spool.waiting()) == 1


def test_retry_maps_again_and_spools_what_maps_now(spool):
    spool.capture("file", [made(record("A/1", "bad")), made(record("B/1", "bad"))], NOW)
    assert retry(spool, draft_of, NOW).still_set_aside == {"unmapped-code": 2}

    def mended(each: SourceRecord, now: datetime) -> Draft:
        if each.columns["key"] == "B/1":
            raise Rejected("missing-field", "column 'Y': blank")
        return draft_of(SourceRecord("", each.where, each.digest_and_line, {"key": "A/1", "text": "good"}), now)

    result = retry(spool, mended, NOW)
    assert (result.spooled, result.still_set_aside) == (1, {"missing-field": 1})
    assert [head["incident_id"] for head in heads(spool)] == ["A"]
    assert [waiting.reason for waiting in listed(spool)] == ["missing-field"]
    with pytest.raises(Rejected, match="no record waits under number 77"):
        retry(spool, mended, NOW, {77})


def test_a_retried_record_that_comes_again_from_its_source_is_a_repeat(spool):
    spool.capture("file", [made(record("A/1", "bad"))], NOW)
    retry(spool, lambda each, now: draft_of(record("A/1"), now), NOW)
    again = spool.capture("file", [made(record("A/1", "bad"))], NOW)
    assert (again.waiting, again.set_aside.total(), again.repeated) == ([], 0, 1)


def test_resubmit_makes_a_new_event_of_the_next_sequence_from_the_record_as_it_came(spool):
    spool.capture("file", [made(record("A/1")), made(record("A/2"))], NOW)
    first = str(heads(spool)[0]["event_id"])
    new = resubmit(spool, first, draft_of, NOW)
    again = resubmit(spool, first, draft_of, NOW)
    assert [head["sequence"] for head in heads(spool)] == [1, 2, 3, 4]
    assert [head["event_id"] for head in heads(spool)][2:] == [new, again]
    assert spool.capture("file", [made(record("A/1"))], NOW).repeated == 1


def test_resubmit_refuses_what_it_cannot_map_again(spool, tmp_path):
    with pytest.raises(Rejected, match="does not know that event"):
        resubmit(spool, "0" * 32, draft_of, NOW)
    with (
        opened(tmp_path / "synthetic", system="synthetic") as synthetic,
        pytest.raises(Rejected, match="come from no record"),
    ):
        resubmit(synthetic, "0" * 32, draft_of, NOW)


def test_a_refused_event_is_retried_as_a_new_event(spool):
    (waiting,) = spool.capture("file", [made(record("A/1"))], NOW).waiting
    spool.refuse(waiting.row, Rejected("refused-by-kafka", "never"), NOW)
    assert retry(spool, draft_of, NOW).spooled == 1
    assert [head["sequence"] for head in heads(spool)] == [2]
    assert listed(spool) == []


def test_a_spool_belongs_to_one_force_and_system(tmp_path):
    opened(tmp_path / "spool").close()
    for other in ({"origin": "surrey"}, {"system": "other"}):
        with pytest.raises(Rejected, match="is the spool of kent and its system cad"):
            opened(tmp_path / "spool", **other)


def test_only_one_may_publish_and_others_may_work_beside_it(tmp_path):
    path = tmp_path / "spool"
    with opened(path) as publishing:
        with pytest.raises(Fatal, match="another process publishes from this spool"):
            opened(path)
        with Spool.existing(path) as beside:
            assert (beside.origin, beside.system) == ("kent", "cad")
            beside.capture("retried", [made(record("A/1"))], NOW)
        assert len(publishing.waiting()) == 1
    opened(path).close()


def test_what_is_no_spool_is_refused(tmp_path):
    with pytest.raises(Rejected, match="there is no spool"):
        Spool.existing(tmp_path / "none")
    (tmp_path / "text").write_text("not a database, and long enough to be read as one " * 50)
    with pytest.raises(Fatal, match="cannot use the file"):
        opened(tmp_path / "text")


def test_a_spool_is_its_owners_to_read(tmp_path):
    opened(tmp_path / "spool").close()
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o600


def test_every_commit_reaches_the_disk(spool):
    assert spool.file.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert spool.file.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


class SpoolHistory(RuleBasedStateMachine):
    """Records come, come again, change, are acknowledged, and the process restarts: identity and order hold."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "spool"
        self.spool = opened(self.path)
        self.content: dict[str, str] = {}
        self.order: dict[str, list[str]] = defaultdict(list)
        self.ids: dict[str, object] = {}
        self.done: set[int] = set()
        self.aside: set[tuple[str, str]] = set()

    @rule(
        batch=st.lists(
            st.tuples(st.sampled_from(["A/1", "A/2", "A/3", "B/1", "B/2"]), st.sampled_from(["x", "y", "bad"])),
            max_size=4,
        )
    )
    def capture(self, batch):
        captured = self.spool.capture("file", [made(record(key, text)) for key, text in batch], NOW)
        spooled = aside = 0
        for key, text in batch:
            if (key, text) in self.aside:
                continue
            if text == "bad" or self.content.get(key, text) != text:
                self.aside.add((key, text))
                aside += 1
            elif key not in self.content:
                self.content[key] = text
                self.order[key[0]].append(key)
                spooled += 1
        assert (len(captured.waiting), captured.set_aside.total()) == (spooled, aside)
        assert captured.repeated == len(batch) - spooled - aside

    @precondition(lambda self: self.spool.waiting())
    @rule(data=st.data())
    def acknowledge(self, data):
        row = data.draw(st.sampled_from([waiting.row for waiting in self.spool.waiting()]))
        self.spool.acknowledge([row], NOW)
        self.done.add(row)

    @rule()
    def restart(self):
        self.spool.close()
        self.spool = opened(self.path)

    @invariant()
    def every_event_keeps_its_identity_and_place(self):
        rows = self.spool.file.connection.execute(
            "SELECT row, event_key, event_id, sequence, state FROM events ORDER BY row"
        ).fetchall()
        for row, key, event_id, sequence, state in rows:
            assert self.order[key[0]][sequence - 1] == key
            assert self.ids.setdefault(key, event_id) == event_id
            assert (state == "acknowledged") == (row in self.done)
        assert {key for _, key, *_ in rows} == set(self.content)

    def teardown(self):
        self.spool.close()
        self.folder.cleanup()


TestSpoolHistory = SpoolHistory.TestCase
TestSpoolHistory.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
