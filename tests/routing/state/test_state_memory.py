"""What a partition remembers is what was committed, whatever is aborted and whenever the process dies.

The store is the real one; the changelog is a list, in which only what was committed stands.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from routing.answers.expected import Expected
from routing.state.agenda import appointment_of
from routing.state.encoding import decode, decode_appointment, decode_streams, kept_expected, kept_rulings
from routing.state.incident import Rulings
from routing.state.memory import STREAMS_KEY, Memories, Memory, incident_key
from routing.state.remembering import NO_EXPECTED, NO_RULINGS
from routing.state.store import DiskStore, Position, StoreMemory
from schemas.errors import Fatal, Unavailable
from tests.routing.scene import NOW
from tests.routing.state.remembered import an_incident, incidents, plain

KEYS = st.sampled_from([incident_key("north", f"i-{number}") for number in range(6)])
RECIPIENTS = st.sampled_from(("south", "west"))
MEMORY = StoreMemory(4)
LATER_MS = 10**9
"""Long after a store was last looked through."""
EARLY_MS = -1
"""Before anything may be forgotten."""


class Partition(RuleBasedStateMachine):
    """One partition, its changelog, and a model of what must be remembered."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="huecry-state-"))
        self.changelog = []
        self.committed, self.streams = {}, {}
        self.on_its_way = None
        self.open, self.moved = {}, {}

    @initialize()
    def start(self):
        self.memory = Memory(DiskStore(self.folder / "a", MEMORY), recent_most=4)

    @rule(key=KEYS, incident=incidents)
    def remember(self, key, incident):
        self.memory.put(key, incident)
        self.open[key] = incident

    @rule(member=RECIPIENTS)
    def deliver(self, member):
        position = self.memory.stream(member) + 1
        self.memory.move_streams({member: position})
        self.moved[member] = self.all_streams().get(member, 0) + 1
        assert position == self.moved[member]

    @rule()
    def abort(self):
        list(self.memory.changes(EARLY_MS))
        self.memory.abort()
        self.forget_all_that_is_not_committed()

    @rule()
    def drop_what_was_routed_ahead(self):
        list(self.memory.changes(EARLY_MS))
        self.memory.drop()
        self.open, self.moved = {}, {}

    @precondition(lambda self: self.on_its_way is None)
    @rule()
    def begin_to_commit(self):
        self.on_its_way = dict(self.memory.changes(EARLY_MS)), self.open, self.moved
        self.open, self.moved = {}, {}
        self.memory.hand_over()

    @rule(tells_position=st.booleans())
    def commit(self, tells_position):
        self.to_changelog()
        end = Position("t", len(self.changelog), 0) if tells_position else None
        self.memory.commit(end)

    @rule()
    def crash_with_a_transaction_open(self):
        list(self.memory.changes(EARLY_MS))
        self.forget_all_that_is_not_committed()
        self.start_again("a")

    @rule()
    def crash_between_the_commit_and_the_write(self):
        self.to_changelog()
        self.forget_all_that_is_not_committed()
        self.start_again("a")

    @rule()
    def move_to_another_host(self):
        self.forget_all_that_is_not_committed()
        self.memory.store.close()
        shutil.rmtree(self.folder / "b", ignore_errors=True)
        self.start_again("b")

    @rule(copy=st.sampled_from("ab"))
    def move_back_to_an_older_copy(self, copy):
        self.forget_all_that_is_not_committed()
        self.start_again(copy)

    def to_changelog(self):
        """What is on its way is committed, or, if nothing is, what is open."""
        if self.on_its_way is None:
            self.on_its_way = dict(self.memory.changes(EARLY_MS)), self.open, self.moved
            self.open, self.moved = {}, {}
        changes, incidents, streams = self.on_its_way
        self.changelog += changes.items()
        self.committed |= incidents
        self.streams |= streams
        self.on_its_way = None

    def all_streams(self):
        return self.streams | (self.on_its_way[2] if self.on_its_way else {}) | self.moved

    def forget_all_that_is_not_committed(self):
        self.on_its_way = None
        self.open, self.moved = {}, {}

    def start_again(self, copy):
        self.memory.store.close()  # the second time does nothing
        store = DiskStore(self.folder / copy, MEMORY)
        position = store.position()
        for key, value in self.changelog[position.offset if position else 0 :]:
            store.write({key: value})
        store.write({}, Position("t", len(self.changelog), 0))
        self.memory = Memory(store, recent_most=4)

    @invariant()
    def what_is_remembered_is_what_was_committed_and_what_is_open(self):
        if not hasattr(self, "memory"):
            return
        for key in (incident_key("north", f"i-{number}") for number in range(6)):
            on_its_way = self.on_its_way[1] if self.on_its_way else {}
            expected = (self.committed | on_its_way | self.open).get(key)
            found = self.memory.get(key)
            assert (found and plain(found)) == (expected and plain(expected))
        for member in ("south", "west"):
            assert self.memory.stream(member) == self.all_streams().get(member, 0)

    @invariant()
    def what_is_due_is_what_the_committed_incidents_say(self):
        if not hasattr(self, "memory"):
            return
        for key in (incident_key("north", f"i-{number}") for number in range(6)):
            committed = self.committed.get(key)
            assert self.memory.agenda.get(key) == (appointment_of(committed) if committed else None)
        due = sorted(a.due_ms for a in map(self.memory.agenda.get, self.committed) if a and a.due_ms is not None)
        assert self.memory.agenda.next_ms() == (due[0] if due else None)

    @invariant()
    def nothing_is_on_disk_that_is_not_committed(self):
        if not hasattr(self, "memory"):
            return
        for key, value in self.memory.store.after(b"", 100):
            if key == STREAMS_KEY:
                assert decode_streams(value) == self.streams
            elif key.startswith(b"due:"):
                incident = self.committed[key.removeprefix(b"due:")]
                assert decode_appointment(value) == appointment_of(incident)
            else:
                assert plain(decode(value)) == plain(self.committed[key])

    def teardown(self):
        if hasattr(self, "memory"):
            self.memory.store.close()
        shutil.rmtree(self.folder)


TestPartition = Partition.TestCase
TestPartition.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def store(tmp_path):
    made = DiskStore(tmp_path / "0", MEMORY)
    yield made
    made.close()


def test_a_store_that_another_has_open_is_waited_for(store, tmp_path):
    with pytest.raises(Unavailable, match="another process"):
        DiskStore(tmp_path / "0", MEMORY)


def test_a_store_that_cannot_be_read_is_made_afresh(tmp_path):
    store = DiskStore(tmp_path / "0", MEMORY)
    store.write({b"north/i-1": b"x"}, Position("t", 3, 7))
    store.close()
    (tmp_path / "0" / "CURRENT").write_text("nonsense")
    again = DiskStore(tmp_path / "0", MEMORY)
    assert (again.get(b"north/i-1"), again.position()) == (None, None)
    again.close()


def test_a_store_without_a_place_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Fatal, match="no place"):
        DiskStore(tmp_path / "file" / "0", MEMORY)


def test_data_and_position_are_there_together_after_a_restart(tmp_path):
    store = DiskStore(tmp_path / "0", MEMORY)
    store.write({b"north/i-1": b"x", b"north/i-2": b"y"}, Position("t", 3, 7))
    store.write({b"north/i-1": None})
    store.close()
    again = DiskStore(tmp_path / "0", MEMORY)
    assert again.after(b"", 10) == [(b"north/i-2", b"y")]
    assert again.position() == Position("t", 3, 7)
    again.close()


def test_what_is_past_its_time_is_forgotten_in_a_later_transaction_and_nothing_else_is(store):
    memory = Memory(store)
    keys = [incident_key("north", f"i-{number:03}") for number in range(100)]
    for number, key in enumerate(keys):
        memory.put(key, an_incident(keep_until_ms=None if number % 10 == 0 else LATER_MS + number))
    list(memory.changes(0))
    memory.commit()
    gone = set()
    for _ in range(10):
        memory.put(b"north/other", an_incident())
        gone |= {key for key, value in memory.changes(LATER_MS + 50) if value is None}
        memory.commit()
    assert gone == {key for number, key in enumerate(keys) if number % 10 and number <= 50}
    assert {key for key, _ in store.after(b"", 1_000)} == {*keys, b"north/other"} - gone
    assert memory.get(keys[1]) is None


def test_an_incident_that_the_transaction_changes_is_not_forgotten_by_it(store):
    memory = Memory(store)
    memory.put(b"north/i-1", an_incident(keep_until_ms=1))
    list(memory.changes(0))
    memory.commit()
    memory.restored()
    memory.put(b"north/i-1", an_incident(sequence=2, keep_until_ms=5_000))
    (change,) = memory.changes(LATER_MS)
    assert change[1] is not None


def test_while_somebody_is_barred_an_incident_is_never_forgotten(store):
    from routing.state.remembering import NO_HOLDINGS, NO_NUMBERS, NOBODY, Told, keep_until

    barred = Rulings(barred=frozenset({"south"}))
    assert keep_until(1_000, 1_000, Told(NO_NUMBERS, NO_HOLDINGS, kept_rulings(barred))) is None
    assert keep_until(1_000, 1_000, NOBODY) == 1_000 + 30 * 86_400_000
    assert kept_rulings(barred).value == barred


def test_what_is_asked_and_answered_within_one_transaction_waits_for_nobody(store):
    """As a request and the stand-down that follows at once."""
    memory, key = Memory(store), incident_key("north", "i-1")
    owed = Expected(member="south", kind="assistance", delivery_id="d", asked_at=NOW, limits_s=(60,), deadline=NOW)
    memory.put(key, an_incident(expected=kept_expected((owed,))))
    memory.put(key, an_incident(sequence=2, rulings=NO_RULINGS, expected=NO_EXPECTED))
    assert [changed for changed, _ in memory.changes(0)] == [key]
    memory.commit()
    assert memory.agenda.get(key) is None


def test_partitions_that_are_given_up_are_closed_and_can_be_opened_by_others(tmp_path):
    memories = Memories(lambda partition: DiskStore(tmp_path / str(partition), MEMORY))
    assert set(memories.open([0, 1])) == {0, 1}
    assert set(memories.open([1, 2])) == {1, 2}
    DiskStore(tmp_path / "0", MEMORY).close()
    memories.close()
    DiskStore(tmp_path / "2", MEMORY).close()
