"""Plays a run: tells stories, hears what comes of them, and has people react, on Kafka or in memory.

One thread. What is to be done later stands in a queue by the run's clock; what is heard comes as it is put out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Protocol

from schemas import codec
from schemas.casework import Ruling
from schemas.exchange import Exchange
from schemas.partitioner import partition_of
from schemas.topics import family_of, incidents_topic, member_of, receipts_topic, rulings_topic
from tests.chaos.lives.people import Answering, Saying, answers_to, once_told, rulings_on
from tests.chaos.lives.stories import Story, TakingBack, Telling, event_of, story

_DESK = "force-incident-manager"


class Wire(Protocol):
    """What carries records to the routers and from them, and says what time it is."""

    def now(self) -> datetime:
        """By the run's clock."""

    def send(self, topic: str, key: str, value: bytes, partition: int) -> None:
        """Put a record on an input."""

    def heard(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """What members and desks have not read yet: topics with decoded records."""

    def rest_until(self, moment: datetime) -> None:
        """Let time pass, to that moment at most."""

    def is_settled(self) -> bool:
        """Whether nothing more will come if nothing more is sent."""


@dataclass
class Playing:
    """One run's control rooms, desks and members."""

    wire: Wire
    exchange: Exchange
    seed: int
    incidents: int
    """Of each origin."""
    every_s: float
    """Between two incidents of an origin, by the run's clock."""
    begun: int = 0
    """Incidents of which something was told."""
    _queue: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _shown: dict[tuple[str, str], int] = field(default_factory=dict)
    """Of an incident, the latest event that its desk was shown."""
    _numbers: count[int] = field(default_factory=count)

    def play(self) -> None:
        """Until nothing is left to be done, and nothing more comes."""
        began = self.wire.now()
        for number in range(self.incidents):
            for origin in self.exchange.publishers():
                others = tuple(member for member in self.exchange.receivers() if member != origin)
                told = story(self.seed, origin, number, others)
                self._at(began + timedelta(seconds=number * self.every_s), lambda told=told: self._go_on(told, 0, 0))
        while True:
            self._hear()
            if self._queue and self._queue[0][0] <= self.wire.now():
                heapq.heappop(self._queue)[2]()
            elif self._queue:
                self.wire.rest_until(self._queue[0][0])
            elif self.wire.is_settled():
                return
            else:
                self.wire.rest_until(self.wire.now() + timedelta(seconds=60))

    def _at(self, moment: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (moment, next(self._order), act))

    def _in(self, after_s: float, act: Callable[[], None]) -> None:
        self._at(self.wire.now() + timedelta(seconds=after_s), act)

    # -- control rooms

    def _go_on(self, told: Story, place: int, sequence: int) -> None:
        """Do the act at this place of a story, and arrange for the next."""
        act = told.acts[place]
        if isinstance(act, Telling):
            sequence += 1
            _, value = event_of(told, act, sequence)
            self._send(incidents_topic(told.origin), told.incident, value)
            self.begun += sequence == 1
        else:
            self._take_back(told, act, sequence)
        if place + 1 < len(told.acts):
            self._in(told.acts[place + 1].after_s, lambda: self._go_on(told, place + 1, sequence))

    def _take_back(self, told: Story, act: TakingBack, sequence: int) -> None:
        more = {"reason": act.reason or None, "ask": act.ask, "sections": act.sections}
        self._rule(told.origin, Saying(0, act.kind, told.incident, _DESK, act.to, sequence, more=more))

    # -- desks and members

    def _hear(self) -> None:
        delivered: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for topic, value in self.wire.heard():
            member = member_of(topic) or ""
            match family_of(topic):
                case "cases":
                    self._shown[member, value["incident_id"]] = value["sequence"]
                    self._say_later(member, rulings_on(self.seed, value))
                case "feedback":
                    incident = value["entries"][0]["incident_id"] if value["entries"] else ""
                    self._say_later(member, once_told(self.seed, value, self._shown.get((member, incident))))
                case "partner":
                    delivered.setdefault((member, value["disclosure"]["stream"]), []).append(value)
                    for answer in answers_to(self.seed, value):
                        self._in(answer.after_s, lambda answer=answer, member=member: self._answer(member, answer))
                case _:
                    pass
        for (member, stream), deliveries in delivered.items():
            self._receipt(member, stream, "delivered", [self._entry(member, each) for each in deliveries])

    def _say_later(self, origin: str, said: Iterable[Saying]) -> None:
        for each in said:
            self._in(each.after_s, lambda each=each: self._rule(origin, each))

    def _rule(self, origin: str, said: Saying) -> None:
        ruling = Ruling(
            ruling_id=f"r-{next(self._numbers)}",
            member=origin,
            incident_id=said.incident,
            kind=said.kind,
            person=said.person,
            role=said.role,
            made_at=self.wire.now(),
            recipients=said.recipients,
            seen_sequence=said.seen_sequence,
            because="it is so",
            **said.more,
        )
        value = codec.encode("Ruling", ruling.to_avro())
        self._send(rulings_topic(origin), said.incident, value, astray=said.astray)

    def _answer(self, member: str, answer: Answering) -> None:
        entry = self._entry(member, answer.delivery) | {"cause": answer.cause, "by_role": answer.by_role}
        stream = answer.delivery["disclosure"]["stream"]
        self._receipt(member, stream, answer.kind, [entry], astray=answer.astray)

    def _entry(self, member: str, delivery: dict[str, Any] | Any) -> dict[str, Any]:
        event = delivery["event"]
        identity = {name: event[name] for name in ("origin", "incident_id", "event_id")}
        reference = f"{member}-{next(self._numbers)}"
        of = {"delivery_id": delivery["disclosure"]["delivery_id"], "at": self.wire.now(), "reference": reference}
        return identity | of

    def _receipt(
        self, member: str, stream: str, kind: str, entries: list[dict[str, Any]], *, astray: bool = False
    ) -> None:
        receipt = {"member": member, "kind": kind.upper().replace("-", "_"), "sent_at": self.wire.now()}
        value = codec.encode("Receipt", receipt | {"entries": entries})
        partition = int(stream.rpartition("/")[2]) + astray
        self.wire.send(receipts_topic(member), stream, value, partition % self.exchange.partitions)

    def _send(self, topic: str, key: str, value: bytes, *, astray: bool = False) -> None:
        partition = partition_of(key.encode(), self.exchange.partitions) + astray
        self.wire.send(topic, key, value, partition % self.exchange.partitions)
