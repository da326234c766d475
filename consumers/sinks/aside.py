"""What was set aside before, for whoever reads it again."""

from __future__ import annotations

from consumers.delivery import Batch, Delivery, Record
from consumers.sinks.database import Database
from consumers.sinks.kept_tables import SET_ASIDE

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""


def place_of(record: Record) -> Place:
    """Where a record stands in Kafka."""
    return record.topic, record.partition, record.offset


def aside_places(database: Database, batch: Batch[Delivery]) -> set[Place]:
    """Where the records of a batch stand that are set aside already."""
    records = [one.record for one in batch.taken] + [one.record for one in batch.set_aside]
    rows = database.rows_by_key(SET_ASIDE, [place_of(record) for record in records])
    return {(row["topic"], row["partition"], row["record_offset"]) for row in rows}
