"""The ledger of north, from what the real router makes of events, rulings and answers, and of time: no Kafka."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from consumers.delivery import Record as Read
from consumers.delivery import open_batch
from consumers.ledger import LedgerSink, ledger_opener
from consumers.sinks.places import Place
from routing.agreements.model import Rule
from routing.effects import Effects, Record
from schemas.topics import family_of
from tests.routing.play import Play

FORCE = "north"
MOST = 1024 * 1024
_KEPT = frozenset({"disclosures", "feedback", "cases"})


class Played(Play):
    """A play that remembers the bytes of what concerns north's ledger."""

    def __init__(self, *rules: Rule, **bundle: Any) -> None:
        super().__init__(*rules, **bundle)
        self.kept_bytes: list[tuple[str, int, int, bytes, int]] = []

    def take(self, record: Record) -> Effects:
        if record.topic == f"rulings.{FORCE}" and record.value is not None:
            self.kept_bytes.append((record.topic, record.partition, record.offset, record.value, record.timestamp_ms))
        return super().take(record)

    def _remember(self, partition: int, effects: Effects, key: bytes = b"", topic: str = "") -> None:
        super()._remember(partition, effects, key, topic)
        for output in effects.outputs:
            if family_of(output.topic) in _KEPT and output.topic.endswith(f".{FORCE}"):
                self.kept_bytes.append((output.topic, 0, len(self.kept_bytes), output.value, 0))

    def keep(self, ledger: Place) -> None:
        """Write all of it into a ledger, in the order in which it came."""
        records = [Read(*place, at_ms, value) for *place, value, at_ms in self.kept_bytes]
        batch = open_batch(records, ledger_opener(MOST))
        assert not batch.set_aside, batch.set_aside
        with closing(LedgerSink(ledger, FORCE)) as sink:
            sink.write(batch)
