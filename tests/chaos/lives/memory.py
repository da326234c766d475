"""A run in memory: the real `route` and `elapsed`, topics that are lists, and a clock that goes as far as it is let."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from routing.effects import Effects, Policy
from routing.state.agenda import Appointment, appointment_of
from routing.state.encoding import decode
from routing.state.incident import moment_of
from schemas.topics import family_of, member_of
from tests.chaos.lives.exchange import Parties
from tests.chaos.lives.playing import Playing
from tests.chaos.lives.seen import IncidentKey, Put, Seen
from tests.routing.play import Play
from tests.routing.scene import stock

_INPUTS = ("incidents", "rulings", "receipts")
_HEARD = ("partner", "cases", "feedback")


class QuickPlay(Play):
    """Knows what is due without looking through all that is remembered."""

    def __init__(self) -> None:
        self.due: dict[tuple[int, bytes], Appointment] = {}
        super().__init__()

    def _remember(self, partition: int, effects: Effects, key: bytes = b"", topic: str = "") -> None:
        super()._remember(partition, effects, key, topic)
        for changed in (*(each for each, _ in effects.others), f"{member_of(topic)}/".encode() + key):
            value = self.kept.get((partition, changed))
            if value is not None and (appointment := appointment_of(decode(value))) is not None:
                self.due[partition, changed] = appointment
            else:
                self.due.pop((partition, changed), None)

    def _next_due(self) -> tuple[int, int, bytes] | None:
        return min(((each.due_ms, *at) for at, each in self.due.items() if each.due_ms is not None), default=None)


@dataclass
class MemoryWire:
    """Every record is routed as it is sent, and each at a time of its own."""

    play: QuickPlay
    _read: int = field(default=0)

    def now(self) -> datetime:
        return self.play.now

    def send(self, topic: str, key: str, value: bytes, partition: int) -> None:
        self.play.pass_time(milliseconds=1)
        self.play.send(topic, key, value, partition)

    def heard(self) -> Iterator[tuple[str, dict[str, Any]]]:
        while self._read < len(self.play.written):
            self._read += 1
            topic, value = self.play.written[self._read - 1]
            if family_of(topic) in _HEARD:
                yield topic, value

    def rest_until(self, moment: datetime) -> None:
        due = self.play._next_due()
        if due is not None:
            moment = min(moment, max(self.play.now, moment_of(due[0])))
        self.play.pass_time(seconds=(moment - self.play.now).total_seconds())

    def is_settled(self) -> bool:
        return self.play._next_due() is None and self._read == len(self.play.written)


def played(folder: Path, seed: int, incidents: int) -> Seen:
    """What is seen of a run with so many incidents of each origin."""
    exchange, bundle = Parties(folder, "lives").write()
    play = QuickPlay()
    play.policy = Policy(bundle, exchange)
    Playing(MemoryWire(play), exchange, seed, incidents, every_s=7).play()
    outputs: dict[str, list[dict[str, Any]]] = {}
    for topic, value in play.written:
        outputs.setdefault(topic, []).append(value)
    inputs = [
        Put(topic, partition, record.offset, record.timestamp_ms, stock(record.value))
        for (topic, partition), log in play.logs.items()
        if family_of(topic) in _INPUTS
        for record in log
    ]
    return Seen(exchange, bundle, inputs, outputs, _due(play), play.now + timedelta(days=1))


def _due(play: QuickPlay) -> dict[IncidentKey, frozenset[tuple[str, str]]]:
    found = {}
    for (_, key), appointment in play.due.items():
        origin, _, incident = key.decode().partition("/")
        found[origin, incident] = frozenset((matter.kind, matter.member) for matter in appointment.open)
    return found
