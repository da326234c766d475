"""What the pieces of routing one event cost, in microseconds of processor time, without Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from statistics import median
from typing import TypeVar

from routing.agreements.interpret import decide, recipients
from routing.agreements.measured import geography_of
from routing.considering import considered
from routing.deciding import decide_all
from routing.disclose import Arrived, disclosure_record
from routing.effects import Policy
from routing.route import route
from schemas.codec import EventCodec
from tests.bench.workload import GRANTED, bench_bundle, bench_exchange, records

T = TypeVar("T")


def measure_pieces(number: int) -> dict[str, float]:
    """Microseconds of each piece: of one event, but for deciding and the view, which are of one recipient."""
    policy = Policy(bench_bundle(), bench_exchange("bench"))
    codec = EventCodec()
    most = policy.exchange.limits.max_event_bytes
    now = datetime.now(UTC)
    told = records(policy, number)
    opened = [codec.open(record.value, most) for record in told]
    seen = [considered(event, geography_of(policy.bundle)) for _, event in opened]
    members = recipients(policy.bundle, seen[0].origin)
    decided = [decide_all(policy.bundle, each, now) for each in seen]
    views = [(event, each.decision.covers) for (_, event), row in zip(opened, decided, strict=True) for each in row]
    granted = [(event, covers) for event, covers in views if covers]
    rows = [
        (Arrived(record, entry, event, each, now), row)
        for record, (entry, event), each, row in zip(told, opened, seen, decided, strict=True)
    ]
    few = seen[: max(1, number // 10)]
    return {
        "open_event": _cost(told, lambda record: codec.open(record.value, most)),
        "view_per_recipient": _cost(granted, lambda pair: pair[0].view(pair[1])),
        "decide_per_recipient": _cost(seen, lambda each: decide_all(policy.bundle, each, now)) / len(members),
        "decide_afresh_per_recipient": _cost(
            [(each, member) for each in few for member in members],
            lambda pair: decide(policy.bundle, pair[0], pair[1], now),
        ),
        "disclosure_record": _cost(rows, lambda row: disclosure_record(*row, policy)),
        f"route_{len(GRANTED)}_of_{len(members)}": _cost(told, lambda record: route(record, policy, now)),
    }


def _cost(items: Iterable[T], work: Callable[[T], object]) -> float:
    """The median of five rounds, in microseconds an item."""
    ready = list(items)
    rounds = []
    for _ in range(5):
        start = time.process_time()
        for item in ready:
            work(item)
        rounds.append((time.process_time() - start) / len(ready) * 1e6)
    return median(rounds)
