"""Receipts: told to the origin by way of the router, once a delivery or an answer is durable here.

They are made in the transaction that writes what they are about, wait in its outbox, and go from there
(`consumers.receipt_sender`) to the partition of ``receipts.<member>`` whose router process sent the deliveries. A
process killed anywhere loses none; it may send one twice, with the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from consumers.delivery import Delivery, SetAside
from schemas.codec import encode
from schemas.codes import codes, enum_symbol

MOST_ENTRIES: Final = 200
"""Deliveries in one receipt: with the longest identifiers allowed it is still well within an input's largest record."""
KINDS: Final = codes("receipt")
"""What a receipt may say."""
ANY_PARTITION: Final = -1
"""In place of a router partition: the key decides."""
_DONE_BY_ADAPTER: Final[Mapping[str, str]] = {"retract": "restricted", "withdraw": "erased"}
"""What this adapter confirms by itself: what a retraction takes back is hidden and sealed, what a withdrawal names is
removed, in the transaction that this receipt is part of. What becomes of it then, a person says."""

Entry = Mapping[str, Any]
"""One delivery of a receipt, as Avro takes it."""


class NewReceipt(NamedTuple):
    """A receipt as it enters the outbox."""

    stream: str
    kind: str
    deliveries: int
    value: bytes


def receipts_of(
    member: str, written: Iterable[Delivery], set_aside: Iterable[SetAside], at: datetime
) -> list[NewReceipt]:
    """The receipts of one sink batch: one for each stream and kind, or more where there are very many deliveries.

    What was taken back is confirmed besides: this adapter has done what it can.

    What did not decode has no identifiers to name, and no receipt: the gap in the stream's sequence tells of it.
    """
    entries: dict[tuple[str, str], list[Entry]] = {}
    for delivery in written:
        entry = _entry(delivery, at, None)
        entries.setdefault((delivery.terms["stream"], "delivered"), []).append(entry)
        if (done := _DONE_BY_ADAPTER.get(delivery.action)) is not None:
            entries.setdefault((delivery.terms["stream"], done), []).append(entry)
    for refused in set_aside:
        if (failed := refused.delivery) is not None and refused.reason != "not-for-us":
            entries.setdefault((failed.terms["stream"], "failed"), []).append(_entry(failed, at, refused.reason))
    return [
        receipt(member, stream, kind, some, at)
        for (stream, kind), all_entries in entries.items()
        for some in _parts(all_entries)
    ]


def _entry(delivery: Delivery, at: datetime, cause: str | None) -> Entry:
    origin, incident_id = delivery.key
    return {
        "origin": origin,
        "incident_id": incident_id,
        "event_id": delivery.event["event_id"],
        "delivery_id": delivery.delivery_id,
        "at": at,
        "cause": cause,
    }


def receipt(member: str, stream: str, kind: str, entries: Sequence[Entry], at: datetime) -> NewReceipt:
    """One receipt of a kind, about deliveries of one stream."""
    value = encode("Receipt", {"member": member, "kind": enum_symbol(kind), "sent_at": at, "entries": entries})
    return NewReceipt(stream, kind, len(entries), value)


def _parts(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), MOST_ENTRIES):
        yield entries[start : start + MOST_ENTRIES]


def router_partition(stream: str) -> int:
    """The router partition of a stream, ``<recipient>/<partition>``; -1 where it names none: then the key decides."""
    number = stream.rpartition("/")[2]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 6 else ANY_PARTITION
