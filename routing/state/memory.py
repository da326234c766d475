"""What a worker remembers of its partitions: committed on disk, uncommitted in an overlay, what was just used at hand.

``get``, ``put`` and ``next_in_stream`` are of the transaction that is open; `changes` are its records for the
changelog; then `commit` writes them to disk, or `abort` drops them. Nothing is on disk that is not committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from routing.state.agenda import (
    FIRST_APPOINTMENT,
    Agenda,
    Appointment,
    appointment_key,
    appointment_of,
    appointments_in,
)
from routing.state.encoding import (
    decode,
    decode_appointment,
    decode_streams,
    encode,
    encode_appointment,
    encode_streams,
    keep_until_of,
)
from routing.state.incident import Incident
from routing.state.remembering import NO_EXPECTED, NO_RULINGS
from routing.state.store import Position, Store

STREAMS_KEY: Final = b"streams"
"""Under this key a partition's streams stand; every other key has a slash."""
_RECENT_MOST: Final = 16_384
"""Incidents of a worker that are kept at hand: most events are of one that had another a moment ago."""
_RECENT_LEAST: Final = 64
"""Of each partition."""
_LOOKED_AT: Final = 32
"""Keys of a partition looked at in each of its transactions for what may be forgotten."""
_REST_MS: Final = 6 * 60 * 60 * 1000
"""Between two times that a partition is looked through."""


def incident_key(origin: str, incident_id: str) -> bytes:
    """The key of an incident, in the changelog and on disk; no origin has a slash in it."""
    return f"{origin}/{incident_id}".encode()


Change = tuple[int, bytes, bytes | None]
"""One record for the changelog: its partition, key and value; without one, what stood under the key may be
forgotten."""


class _Changes:
    """What one transaction changes."""

    __slots__ = ("appointed", "incidents", "moved", "written")

    def __init__(self) -> None:
        self.incidents: dict[bytes, Incident | None] = {}
        self.appointed: dict[bytes, Appointment | None] = {}
        self.moved: dict[str, int] = {}
        self.written: dict[bytes, bytes | None] = {}
        """The records of it all, once they were made."""


class Memory:
    """What one partition remembers. Not for threads.

    Of transactions one may be on its way to be committed while the next is open: what is open stands on what is on its
    way, which stands on what is committed.
    """

    def __init__(self, store: Store, recent_most: int = _RECENT_MOST) -> None:
        self.store = store
        self._recent_most = recent_most
        self._recent: dict[bytes, Incident] = {}
        self._open = _Changes()
        self._on_its_way: _Changes | None = None
        self._streams: dict[str, int] | None = None
        self._agenda: Agenda | None = None
        self._sweep = _Sweep()

    @property
    def agenda(self) -> Agenda:
        """What is due of its incidents, as of the last commit."""
        if self._agenda is None:
            found = appointments_in(_all_after(self.store, FIRST_APPOINTMENT))
            self._agenda = Agenda({key: decode_appointment(value) for key, value in found})
        return self._agenda

    def get(self, key: bytes) -> Incident | None:
        """What is remembered of an incident now, within the open transaction."""
        if key in self._open.incidents:
            return self._open.incidents[key]
        before = self._on_its_way
        if before is not None and key in before.written:
            return before.incidents.get(key)
        if (recent := self._recent.get(key)) is not None:
            return recent
        value = self.store.get(key)
        if value is None:
            return None
        return self._keep(key, decode(value))

    def put(self, key: bytes, incident: Incident) -> None:
        """Remember an incident, if the open transaction is committed."""
        self._open.incidents[key] = incident
        is_known = key in self._open.appointed or self._appointment_before(key) is not None
        if is_known or incident.rulings is not NO_RULINGS or incident.expected is not NO_EXPECTED:
            self._open.appointed[key] = appointment_of(incident)

    def stream(self, member: str) -> int:
        """The position of the last delivery of the open transaction in a member's stream, or of those before it."""
        moved = self._open.moved.get(member)
        if moved is None and self._on_its_way is not None:
            moved = self._on_its_way.moved.get(member)
        return self._committed_streams().get(member, 0) if moved is None else moved

    def move_streams(self, positions: Mapping[str, int]) -> None:
        """Set where members' streams stand, if the open transaction is committed."""
        self._open.moved.update(positions)

    def changes(self, now_ms: int) -> Iterable[tuple[bytes, bytes | None]]:
        """What the open transaction changes, as keys and values, with what may be forgotten by now."""
        made = self._open
        if not made.incidents and not made.moved:
            return ()
        made.written = {key: None if each is None else encode(each) for key, each in made.incidents.items()}
        for key, appointment in made.appointed.items():
            if appointment != self._appointment_before(key):
                value = None if appointment is None else encode_appointment(appointment)
                made.written[appointment_key(key)] = value
        if made.moved:
            made.written[STREAMS_KEY] = encode_streams(self._streams_before() | made.moved)
        for key in self._sweep.forgettable(self.store, now_ms):
            if key not in made.incidents and (self._on_its_way is None or key not in self._on_its_way.written):
                made.written[key] = None
        return made.written.items()

    def hand_over(self) -> None:
        """The open transaction is on its way to be committed, its `changes` with it; another may be opened."""
        assert self._on_its_way is None  # noqa: S101  one at a time
        self._on_its_way, self._open = self._open, _Changes()

    def commit(self, position: Position | None = None) -> None:
        """The transaction that was on its way is committed, or, if none was, the open one; and so are its changes.

        Raises:
            Fatal: the disk does not take them; they are in the changelog.
        """
        if self._on_its_way is None:
            self.hand_over()
        made, self._on_its_way = self._on_its_way, None
        if made is None or (not made.written and position is None):
            return
        self.store.write(made.written, position)
        for key, value in made.written.items():
            if value is None:
                self._recent.pop(key, None)
        for key, incident in made.incidents.items():
            if incident is not None:
                self._keep(key, incident)
        for key, appointment in made.appointed.items():
            self.agenda.set(key, appointment)
        if made.moved:
            self._streams = self._committed_streams() | made.moved

    def drop(self) -> None:
        """The open transaction did not happen."""
        self._open = _Changes()

    def abort(self) -> None:
        """Neither the open transaction happened nor the one that was on its way."""
        self._on_its_way = None
        self.drop()

    def restored(self, recent_most: int = _RECENT_MOST) -> None:
        """The store was changed from outside: nothing is known but what stands there."""
        self._recent_most = recent_most
        self.abort()
        self._recent.clear()
        self._streams = None
        self._agenda = None
        self._sweep = _Sweep()

    def _appointment_before(self, key: bytes) -> Appointment | None:
        """As it stands before the open transaction."""
        before = self._on_its_way
        if before is not None and key in before.appointed:
            return before.appointed[key]
        return self.agenda.get(key)

    def _streams_before(self) -> dict[str, int]:
        """As they stand before the open transaction."""
        before = self._on_its_way
        return self._committed_streams() | before.moved if before is not None else self._committed_streams()

    def _committed_streams(self) -> dict[str, int]:
        if self._streams is None:
            value = self.store.get(STREAMS_KEY)
            self._streams = {} if value is None else decode_streams(value)
        return self._streams

    def _keep(self, key: bytes, incident: Incident) -> Incident:
        if len(self._recent) >= self._recent_most:
            for old in list(self._recent)[: self._recent_most // 4]:
                del self._recent[old]
        self._recent[key] = incident
        return incident


def _all_after(store: Store, key: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Everything after a key, a few at a time."""
    while found := store.after(key, _LOOKED_AT):
        yield from found
        key = found[-1][0]


class _Sweep:
    """Looks through a store, a few keys at a time, for what is past its time."""

    def __init__(self) -> None:
        self._at = b""
        self._next_ms = 0

    def forgettable(self, store: Store, now_ms: int) -> Iterator[bytes]:
        if now_ms < self._next_ms:
            return
        found = store.after(self._at, _LOOKED_AT)
        if len(found) < _LOOKED_AT:
            self._at, self._next_ms = b"", now_ms + _REST_MS
        else:
            self._at = found[-1][0]
        for key, value in found:
            if key != STREAMS_KEY and (until := keep_until_of(value)) is not None and until <= now_ms:
                yield key


class Memories:
    """What a worker remembers, by partition."""

    def __init__(self, open_store: Callable[[int], Store]) -> None:
        self._open_store = open_store
        self._memories: dict[int, Memory] = {}

    def __getitem__(self, partition: int) -> Memory:
        """What a partition of this worker's remembers."""
        return self._memories[partition]

    def __iter__(self) -> Iterator[tuple[int, Memory]]:
        """Every partition of this worker's, with what it remembers."""
        return iter(self._memories.items())

    def open(self, partitions: Iterable[int]) -> Mapping[int, Store]:
        """Have these partitions and no others, and give their stores, to be brought up to date.

        Raises:
            Unavailable: another process has one of them open still.
            Fatal: one cannot be opened.
        """
        wanted = set(partitions)
        for gone in self._memories.keys() - wanted:
            self._memories.pop(gone).store.close()
        recent_most = max(_RECENT_LEAST, _RECENT_MOST // max(1, len(wanted)))
        for new in sorted(wanted - self._memories.keys()):
            self._memories[new] = Memory(self._open_store(new))
        for memory in self._memories.values():
            memory.restored(recent_most)
        return {partition: memory.store for partition, memory in self._memories.items()}

    def changes(self, now_ms: int) -> Iterator[Change]:
        """What the open transaction changes."""
        for partition, memory in self._memories.items():
            for key, value in memory.changes(now_ms):
                yield partition, key, value

    def hand_over(self) -> None:
        """The open transaction is on its way to be committed; another may be opened."""
        for memory in self._memories.values():
            memory.hand_over()

    def commit(self, positions: Mapping[int, Position]) -> None:
        """The transaction that was on its way is committed, or, if none was, the open one.

        Args:
            positions: how far stores stand for the changelog, where that is known.

        Raises:
            Fatal: the disk does not take it.
        """
        for partition, memory in self._memories.items():
            memory.commit(positions.get(partition))

    def drop(self) -> None:
        """The open transaction did not happen."""
        for memory in self._memories.values():
            memory.drop()

    def abort(self) -> None:
        """Neither the open transaction happened nor the one that was on its way."""
        for memory in self._memories.values():
            memory.abort()

    def close(self) -> None:
        """Let other processes open the stores."""
        for memory in self._memories.values():
            memory.store.close()
        self._memories.clear()
