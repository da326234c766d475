"""Receipts: what they name, where they go, and that what Kafka does not take stays."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from consumers.delivery import SetAside
from consumers.receipts import MOST_ENTRIES, receipts_of, router_partition
from schemas.codec import decode
from schemas.errors import Rejected
from schemas.exchange import Limits
from schemas.records import Receipt
from tests.consumers.making import MEMBER, MOST_BYTES, Topic, at, delivery_bytes


def read(value: bytes) -> Receipt:
    return Receipt.from_avro(decode("Receipt", value, MOST_BYTES))


def test_a_batch_makes_one_receipt_for_each_router_partition() -> None:
    batch = Topic().batch(*(delivery_bytes(f"i-{n}", n, stream=n % 2) for n in range(10)))
    receipts = receipts_of(MEMBER, batch.taken, [], at(5))
    assert [(r.stream, r.kind, r.deliveries) for r in receipts] == [
        (f"{MEMBER}/0", "delivered", 5),
        (f"{MEMBER}/1", "delivered", 5),
    ]
    receipt = read(receipts[1].value)
    assert (receipt.member, receipt.sent_at) == (MEMBER, at(5))
    first, delivery = receipt.entries[0], batch.taken[1]
    assert (first.origin, first.incident_id, first.event_id) == ("west-yorkshire", "i-1", "e-1")
    assert (first.delivery_id, first.at, first.cause) == (delivery.delivery_id, at(5), None)


def test_a_failed_delivery_is_receipted_with_its_cause() -> None:
    (delivery,) = Topic().batch(delivery_bytes()).taken
    refused = SetAside.of(delivery.record, Rejected("not-storable", "said"), delivery)
    (receipt,) = receipts_of(MEMBER, [], [refused], at(5))
    assert (receipt.kind, read(receipt.value).entries[0].cause) == ("failed", "not-storable")


def test_a_receipt_with_the_longest_names_allowed_fits_the_smallest_usual_input() -> None:
    longest = {"origin": "o" * 60, "event_id": "e" * 200}
    batch = Topic().batch(*(delivery_bytes("i" * 197 + f"{n:03}", n, **longest) for n in range(MOST_ENTRIES + 1)))
    receipts = receipts_of(MEMBER, batch.taken, [], at(5))
    assert [r.deliveries for r in receipts] == [MOST_ENTRIES, 1]
    assert len(receipts[0].value) < Limits().max_event_bytes


@pytest.mark.parametrize(
    ("stream", "partition"),
    [("greater-manchester/3", 3), ("a/b/11", 11), ("", -1), ("greater-manchester", -1), ("x/-2", -1), ("x/²", -1)],
)
def test_a_stream_names_its_router_partition_or_the_key_decides(stream: str, partition: int) -> None:
    assert router_partition(stream) == partition


def test_a_receipt_made_again_has_the_same_bytes() -> None:
    deliveries: Sequence = Topic().batch(delivery_bytes(), delivery_bytes("i-2", 2)).taken
    assert receipts_of(MEMBER, deliveries, [], at(5)) == receipts_of(MEMBER, deliveries, [], at(5))
