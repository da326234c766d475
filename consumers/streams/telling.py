"""Raising the alarm of what the streams' numbers tell."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.receipts import router_partition
from consumers.sinks import StreamFault
from schemas.ops import metrics
from schemas.ops.logs import get_logger

_log = get_logger()


def tell_faults(recipient: str, faults: Sequence[StreamFault]) -> None:
    """Count and log what the numbers of the streams tell: deliveries that are missing, numbers that were reused."""
    for fault in faults:
        count = fault.last - fault.first + 1
        metrics.increment("stream_faults_total", count, recipient=recipient, fault=fault.kind)
        _log.error(
            "the numbers of a stream are not as they should be: see table stream_gap, and ask for a replay",
            recipient=recipient,
            reason=fault.kind,
            partition=router_partition(fault.stream),
            stream_sequence=fault.first,
            count=count,
        )
