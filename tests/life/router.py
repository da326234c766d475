"""A router in memory: the real `route` and `elapsed`, over the real `Memory`, with a changelog that is a dictionary.

Whatever is done is done in a transaction, which may be aborted and made again; the process may die at any moment, and
the next one knows what the changelog holds and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from routing.effects import Effects, Known, Policy, Record
from routing.elapsed import elapsed
from routing.route import route
from routing.state.incident import Incident, milliseconds_of
from routing.state.memory import STREAMS_KEY, Memory, incident_key
from routing.state.store import Position
from schemas import codec
from schemas.codes import enum_symbol
from schemas.partitioner import partition_of
from schemas.topics import family_of, incidents_topic, member_of, receipts_topic, rulings_topic
from tests.life.happenings import Key
from tests.routing.scene import CODEC, stock

_A_MOMENT = timedelta(milliseconds=1)


class Disk:
    """A store that is a dictionary."""

    def __init__(self, holds: Mapping[bytes, bytes]) -> None:
        self._holds = dict(holds)

    def get(self, key: bytes) -> bytes | None:
        return self._holds.get(key)

    def write(self, changes: Mapping[bytes, bytes | None], position: Position | None = None) -> None:
        _write(self._holds, changes)

    def position(self) -> Position | None:
        return None

    def after(self, key: bytes, most: int) -> list[tuple[bytes, bytes]]:
        return [(each, self._holds[each]) for each in sorted(self._holds) if each > key][:most]

    def clear(self) -> None:
        self._holds.clear()

    def close(self) -> None:
        pass


def _write(held: dict[bytes, bytes], changes: Mapping[bytes, bytes | None]) -> None:
    for key, value in changes.items():
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value


class Done:
    """What one transaction did."""

    def __init__(self, effects: Effects, forgot: list[Key]) -> None:
        self.fate = effects.fate
        self.reason = effects.reason
        self.written = [(output.topic, output.value) for output in effects.outputs if output.value is not None]
        """Each topic with the bytes that were put out on it, in order."""
        self.outputs = [(topic, stock(value)) for topic, value in self.written]
        """The same, read."""
        self.forgot = forgot
        """Incidents that nobody need remember any more."""

    def on(self, family: str) -> list[tuple[str, dict[str, Any]]]:
        """By whose topic it is."""
        return [(topic.partition(".")[2], value) for topic, value in self.outputs if topic.startswith(f"{family}.")]


class Router:
    """One exchange's router, with the topics that it reads."""

    def __init__(self, policy: Policy, now: datetime) -> None:
        self.policy = policy
        self.now = now
        self.tears_next = False
        """The next transaction is aborted, and made again."""
        self._topics: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self._changelog: dict[int, dict[bytes, bytes]] = defaultdict(dict)
        self.crash()

    def crash(self) -> None:
        """Another process takes over, on another machine: it knows what is committed."""
        partitions = range(self.policy.exchange.partitions)
        self._memories = {partition: Memory(Disk(self._changelog[partition])) for partition in partitions}

    # -- what comes in

    def event(self, key: Key, value: bytes) -> Done:
        return self._take(self._appended(incidents_topic(key[0]), key[1], value))

    def ruling(self, key: Key, value: bytes, heard_after: timedelta = timedelta()) -> Done:
        """A ruling that the broker takes now, and that is heard so much later."""
        record = self._appended(rulings_topic(key[0]), key[1], value)
        self.now += heard_after
        return self._take(record)

    def receipt(self, member: str, kind: str, delivery: Mapping[str, Any], **said: Any) -> Done:
        """What a member says of a delivery."""
        terms, event = delivery["disclosure"], delivery["event"]
        entry = {name: event[name] for name in ("origin", "incident_id", "event_id")}
        entry |= {"delivery_id": terms["delivery_id"], "at": self.now} | said
        receipt = {"member": member, "kind": enum_symbol(kind), "sent_at": self.now, "entries": [entry]}
        return self.receipt_bytes(member, terms["stream"], codec.encode("Receipt", receipt))

    def receipt_bytes(self, member: str, stream: str, value: bytes) -> Done:
        """The same, as a member's consumer publishes it: on the partition that the stream came from."""
        place = int(stream.rpartition("/")[2])
        return self._take(self._appended(receipts_topic(member), stream, value, place))

    def next_due(self) -> tuple[int, int, bytes] | None:
        """Of what is due first: when, in milliseconds since 1970; on which partition; of which incident."""
        found = []
        for partition, memory in self._memories.items():
            if (at_ms := memory.agenda.next_ms()) is not None:
                (key,) = memory.agenda.due(at_ms, 1)
                found.append((at_ms, partition, key))
        return min(found, default=None)

    def elapse(self, partition: int, key: bytes) -> Done:
        """What is due of an incident happens."""
        memory = self._memories[partition]

        def made() -> Effects:
            effects = elapsed(key, partition, self.policy, self.now, CODEC, self._known(memory))
            assert effects is not None, "nothing is due, though the agenda has it"
            return effects

        return self._transact(memory, made, None)

    # -- what is remembered

    def incident(self, key: Key) -> Incident | None:
        place = partition_of(key[1].encode(), self.policy.exchange.partitions)
        return self._memories[place].get(incident_key(*key))

    # -- transactions

    def _appended(self, topic: str, key: str, value: bytes, place: int | None = None) -> Record:
        place = partition_of(key.encode(), self.policy.exchange.partitions) if place is None else place
        log = self._topics[topic, place]
        log.append(Record(topic, place, len(log), key.encode(), value, milliseconds_of(self.now)))
        return log[-1]

    def _take(self, record: Record) -> Done:
        memory = self._memories[record.partition]
        key = b""
        if family_of(record.topic) == "incidents":
            key = f"{member_of(record.topic)}/".encode() + (record.key or b"")

        def made() -> Effects:
            known = Known(memory.get(key), memory.stream) if key else self._known(memory)
            return route(record, self.policy, self.now, CODEC, known=known)

        return self._transact(memory, made, key or None)

    def _known(self, memory: Memory) -> Known:
        return Known(None, memory.stream, memory.get, self._event_at)

    def _event_at(self, origin: str, partition: int, offset: int) -> Record | None:
        log = self._topics[incidents_topic(origin), partition]
        return log[offset] if offset < len(log) else None

    def _transact(self, memory: Memory, made: Callable[[], Effects], key: bytes | None) -> Done:
        if self.tears_next:
            self._abort(memory, made, key)
        effects = made()
        self._put(memory, effects, key)
        changes = dict(memory.changes(milliseconds_of(self.now)))
        (partition,) = (place for place, each in self._memories.items() if each is memory)
        _write(self._changelog[partition], changes)
        memory.commit()
        forgot = [_named(each) for each, value in changes.items() if value is None and not each.startswith(b"due:")]
        return Done(effects, forgot)

    def _abort(self, memory: Memory, made: Callable[[], Effects], key: bytes | None) -> None:
        """It is made, dropped, and made again a moment later: what comes out differs in its times and nowhere else."""
        self.tears_next = False
        first = made()
        self._put(memory, first, key)
        list(memory.changes(milliseconds_of(self.now)))
        memory.abort()
        assert _put_out(made()) == _put_out(first), "made again, it has the same bytes"
        self.now += _A_MOMENT
        again = made()
        self.now -= _A_MOMENT
        assert _timeless(first) == _timeless(again)

    def _put(self, memory: Memory, effects: Effects, key: bytes | None) -> None:
        if effects.incident is not None:
            assert key is not None
            memory.put(key, effects.incident)
        for other, incident in effects.others:
            memory.put(other, incident)
        memory.move_streams(effects.streams)


def _named(key: bytes) -> Key:
    assert key != STREAMS_KEY
    origin, _, incident_id = key.decode().partition("/")
    return origin, incident_id


def _put_out(effects: Effects) -> list[tuple[str, bytes, bytes | None]]:
    return [(output.topic, output.key, output.value) for output in effects.outputs]


def _timeless(effects: Effects) -> list[tuple[str, Any]]:
    return [(output.topic, _without_times(stock(output.value))) for output in effects.outputs if output.value]


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(inner) for name, inner in value.items() if not isinstance(inner, datetime)}
    return [_without_times(inner) for inner in value] if isinstance(value, list) else value
