"""What members say became of deliveries, turned into feedback for each origin."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from routing.effects import Effects, Output, Policy, Record
from schemas.codec import decode_foreign, encode, stable_id
from schemas.errors import Rejected
from schemas.topics import feedback_topic

_TOLD: Final = frozenset({"DELIVERED", "ACCEPTED", "REJECTED", "FAILED"})


def receipted(record: Record, member: str, policy: Policy, now: datetime) -> Effects:
    """The feedback that follows from a member's receipt: one record for each origin it names.

    Raises:
        Rejected: it is not a receipt of that member, or names an origin that there is not.
    """
    receipt = decode_foreign("Receipt", record.value, policy.exchange.limits.max_event_bytes)
    if receipt["member"] != member:
        raise Rejected("wrong-member", "the receipt names another member than the topic it arrived on")
    if receipt["kind"] not in _TOLD:
        raise Rejected("unsupported-receipt", f"receipts of kind {receipt['kind'].lower()} are not routed yet")
    by_origin: dict[str, list[dict[str, Any]]] = {}
    publishers = policy.exchange.publishers()
    for entry in receipt["entries"]:
        if entry["origin"] not in publishers:
            raise Rejected("unknown-origin", "an entry names an origin that does not publish in this exchange")
        by_origin.setdefault(entry["origin"], []).append(entry)
    outputs = tuple(_feedback(record, receipt, origin, entries, now) for origin, entries in sorted(by_origin.items()))
    kind = receipt["kind"].lower()
    return Effects(fate="receipted", outputs=outputs, feedback=tuple((origin, kind) for origin in sorted(by_origin)))


def _feedback(
    record: Record, receipt: dict[str, Any], origin: str, entries: list[dict[str, Any]], now: datetime
) -> Output:
    identifier = stable_id("receipt", record.topic, str(record.partition), str(record.offset), origin)
    causes = sorted({entry["cause"] for entry in entries if entry["cause"]})
    value = {
        "feedback_id": identifier,
        "to": origin,
        "kind": receipt["kind"],
        "member": receipt["member"],
        "at": now,
        "reason": causes[0] if causes else "",
        "entries": [
            {
                "incident_id": entry["incident_id"],
                "event_id": entry["event_id"],
                "delivery_id": entry["delivery_id"],
                "at": entry["at"],
                "reference": entry["reference"],
            }
            for entry in entries
        ],
        "source": {"topic": record.topic, "partition": record.partition, "offset": record.offset},
    }
    return Output(feedback_topic(origin), identifier.encode(), encode("Feedback", value))
