"""What a committed batch adds to the metrics: counted after the commit, so that an abort counts nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence

from routing.effects import Effects, Record
from schemas.ops import metrics
from schemas.ops.logs import get_logger
from schemas.topics import member_of

log = get_logger()


def account(done: Sequence[tuple[Record, Effects]], deciding_s: float) -> None:
    """Count what became of the records of one committed transaction; a fault in counting never undoes it."""
    try:
        # One observation for each transaction: one for each event would cost a good part of deciding it.
        metrics.observe("decide_seconds", deciding_s / len(done))
        _count(done)
    except Exception:
        # If this went up, the loop would route again what is committed.
        log.exception("metrics of a batch are incomplete", records=len(done))


def _count(done: Sequence[tuple[Record, Effects]]) -> None:
    metrics.observe("transaction_events", len(done))
    now_ms = time.time() * 1000
    for record, effects in done:
        member = str(member_of(record.topic))
        if effects.fate == "routed":
            metrics.increment("routed_events_total", origin=member, outcome="routed")
            for recipient, outcome in effects.outcomes:
                metrics.increment("decisions_total", origin=member, recipient=recipient, outcome=outcome)
            if effects.sent_at_ms is not None:
                metrics.set_gauge("input_lag_seconds", max(0.0, now_ms - effects.sent_at_ms) / 1000, origin=member)
        elif effects.fate == "quarantined":
            _quarantined(record, member, effects.reason)
        for told, kind in effects.feedback:
            metrics.increment("feedback_total", member=told, kind=kind)


def _quarantined(record: Record, member: str, reason: str) -> None:
    metrics.increment("quarantined_records_total", member=member, reason=reason)
    if record.topic.startswith("incidents."):
        metrics.increment("routed_events_total", origin=member, outcome="quarantined")
    level = log.error if reason == "internal" else log.warning
    level("record quarantined", topic=record.topic, partition=record.partition, offset=record.offset, reason=reason)
