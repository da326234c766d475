"""Feedback to a webhook: one request for each record, in order, each until the receiver has it.

A small database of its own keeps how far it is, and what the receiver can never take. A process that is killed between
a request and its note sends that one again, under the same key.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from consumers.delivery import Batch, Positions, SetAside
from consumers.feedback.posting import Webhook
from consumers.feedback.record import Told
from consumers.sinks import Gap, Written
from consumers.sinks.places import open_database
from schemas.errors import Rejected

KIND: Final = "webhook-position"


class FeedbackWebhook:
    """One force's feedback, posted. Fulfils `Sink[Told]`, but that a batch takes effect record by record."""

    def __init__(
        self, state: Path, force: str, webhook: Webhook, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Open the database that keeps how far it is; made if it is not there.

        Raises:
            Rejected: it is something else's, or another force's.
        """
        self._webhook = webhook
        self._clock = clock
        self._database = open_database(state, KIND, force, ())

    def write(self, batch: Batch[Told]) -> Written[Told]:
        """Send a batch; what was sent before counts as repeated, also where this raises and is called again."""
        stored = self._database.positions()
        unread: list[Told | SetAside] = [one for one in batch.taken if not one.record.is_before(stored)]
        repeated = len(batch.taken) - len(unread)
        unread += [one for one in batch.set_aside if not one.record.is_before(stored)]
        written: list[Told] = []
        refused: list[SetAside] = []
        for one in sorted(unread, key=lambda each: each.record.offset):
            aside = one if isinstance(one, SetAside) else self._send(one)
            self._note(one, aside)
            if aside is not None:
                refused.append(aside)
            elif isinstance(one, Told):
                written.append(one)
        with self._database.transaction():
            self._database.advance(self._database.positions(), batch.positions)
        return Written(tuple(written), repeated, tuple(refused))

    def positions(self) -> Positions:
        """Where to read on."""
        return self._database.positions()

    def note_gap(self, gap: Gap) -> None:
        """Keep that records were lost to retention, in the table `gap`."""
        self._database.note_gap(gap, self._clock())

    def close(self) -> None:
        """Let go of the receiver and the database."""
        self._webhook.close()
        self._database.close()

    def _send(self, one: Told) -> SetAside | None:
        """Post one record; what the receiver can never take is told."""
        try:
            self._webhook.post(one.as_json().encode(), one.feedback_id)
        except Rejected as error:
            return SetAside.of(one.record, error)
        return None

    def _note(self, one: Told | SetAside, aside: SetAside | None) -> None:
        record = one.record
        with self._database.transaction():
            if aside is not None:
                self._database.set_aside([aside], self._clock())
            self._database.advance({}, {(record.topic, record.partition): record.offset + 1})
