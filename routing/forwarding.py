"""Receipts and rulings that arrived on another partition than their incident's: passed on, and taken up there.

What is remembered of an incident is on its partition alone. Whoever writes receipts with a client of its own may put
them anywhere; who wrote one is told by the topic it first arrived on, which goes with it.
"""

from __future__ import annotations

from routing.effects import Output, Record
from routing.state.incident import milliseconds_of, moment_of
from schemas.codec import decode, encode
from schemas.errors import Rejected
from schemas.topics import family_of, inbox_topic


def forwarded(record: Record, partition: int, exchange: str) -> Output:
    """A record on its way to the partition where its incident is remembered."""
    value = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "taken_at": moment_of(record.timestamp_ms),
        "key": record.key,
        "value": record.value,
    }
    return Output(inbox_topic(exchange), record.key or b"", encode("Forwarded", value), partition)


def taken_up(record: Record, max_bytes: int) -> Record:
    """The record that was forwarded, lying where it lies now.

    Raises:
        Rejected: it is not one; only routers write there.
    """
    value = decode("Forwarded", record.value, max_bytes)
    if family_of(value["topic"]) not in ("receipts", "rulings"):
        raise Rejected("not-forwarded", "expected a receipt or a ruling that a router passed on")
    return Record(
        value["topic"],
        record.partition,
        record.offset,
        value["key"],
        value["value"],
        milliseconds_of(value["taken_at"]),
        by_way_of=record.topic,
    )
