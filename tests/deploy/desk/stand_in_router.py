"""A stand-in for a router: it reads rulings, judges them as routing does, and says so to the force.

It stands in for the router's loop, not for its judgement: `routing.casework.judge` is the real one. It keeps no
incidents: it is told what is known, and holds to that. It delivers nothing. What it says goes out in one transaction,
as a router's does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

from confluent_kafka import Consumer, Producer

from deploy.desk.sending import at_its_end
from routing.casework.judging import judge
from routing.casework.known import Known
from routing.casework.said import Said
from schemas.casework import Ruling
from schemas.codec import decode, encode, stable_id
from schemas.errors import Rejected
from schemas.kafka import ClientSettings
from schemas.records import Feedback, FeedbackEntry
from schemas.topics import feedback_topic, rulings_topic

MOST = 1024 * 1024
_AT_ONCE = {
    "discretion": "shared-at-discretion",
    "override": "overridden",
    "retract": "retracted",
    "withdraw": "withdrawn",
    "lift-bar": "bar-lifted",
}
_JUDGED = ("release", "refuse", "extend", "ask-again", "discretion", "override")


class StandIn:
    """Routing's part for one force."""

    def __init__(self, clients: ClientSettings, force: str, known: Callable[[], Known]) -> None:
        """`known`: what a router would know of the incident that is ruled on."""
        self.rulings: list[tuple[Ruling, int]] = []
        """Every ruling that came, with its partition."""
        self._force, self._known, self._clients = force, known, clients
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._consumer = Consumer(clients.consumer_config(f"stand-in-{uuid.uuid4()}"))
        self._consumer.assign(at_its_end(self._consumer, rulings_topic(force), clients.bootstrap))
        self._producer = Producer(clients.producer_config(**{"transactional.id": f"stand-in-{uuid.uuid4()}"}))
        self._producer.init_transactions(30)

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            if message is None:
                continue
            assert message.error() is None
            ruling = Ruling.from_avro(decode("Ruling", message.value(), MOST))
            self.rulings.append((ruling, message.partition() or 0))
            at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
            self.say(list(self._judged(ruling, at)))

    def say(self, feedback: list[Feedback]) -> None:
        """Say all of this in one transaction."""
        self._producer.begin_transaction()
        for each in feedback:
            self._producer.produce(feedback_topic(self._force), encode("Feedback", each.to_avro()))
        self._producer.commit_transaction(30)

    def _judged(self, ruling: Ruling, at: datetime) -> Iterator[Feedback]:
        if ruling.kind not in _JUDGED:
            for member in ruling.recipients or ("greater-manchester",):
                yield self._feedback(ruling, _AT_ONCE[ruling.kind], at, member, sections=ruling.sections)
            return
        try:
            judged = judge(_said(ruling, at), self._known())
        except Rejected as why:
            refusal = {"reason": why.reason, "detail": str(why), "remedy": why.remedy}
            yield self._feedback(ruling, "ruling-not-taken", at, None, **refusal)
            return
        for notice in judged.notices:
            about = {"sections": tuple(sorted(notice.parts)), "deadline": None}
            if notice.kind == "extended":
                about["deadline"] = notice.line.deadline
            yield self._feedback(ruling, notice.kind, at, notice.line.recipient, **about)
        if not judged.notices:
            kind = _AT_ONCE.get(ruling.kind, "asked-again")
            for member in ruling.recipients:
                yield self._feedback(ruling, kind, at, member, sections=ruling.sections)

    def _feedback(self, ruling: Ruling, kind: str, at: datetime, member: str | None, **said: Any) -> Feedback:
        return Feedback(
            feedback_id=stable_id(ruling.ruling_id, kind, member or ""),
            to=self._force,
            kind=kind,
            member=member,
            at=at,
            entries=(FeedbackEntry(incident_id=ruling.incident_id),),
            role=ruling.role,
            person=ruling.person,
            ruling_id=ruling.ruling_id,
            **said,
        )

    @contextmanager
    def at_work(self) -> Iterator[StandIn]:
        """It reads rulings for as long as this lasts."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(30)
            self._consumer.close()


def _said(ruling: Ruling, at: datetime) -> Said:
    return Said(
        id=ruling.ruling_id,
        kind=ruling.kind,  # type: ignore[arg-type]
        person=ruling.person,
        role=ruling.role,
        at=at,
        recipients=frozenset(ruling.recipients),
        parts=frozenset(ruling.sections),
        seen_sequence=ruling.seen_sequence,
        because=ruling.because,
        until=ruling.until,
        locate=ruling.locate,  # type: ignore[arg-type]
        agreement=ruling.agreement,
        later_events=ruling.later_events,
    )
