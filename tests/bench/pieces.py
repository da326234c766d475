"""What the pieces of routing one event cost, in microseconds of processor time, without Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from typing import TypeVar

from routing.agreements.bundle import Bundle
from routing.agreements.interpret import decide, recipients
from routing.agreements.measured import geography_of
from routing.arrived import arrived
from routing.circulation import circulation
from routing.deciding import decide_all, prepare
from routing.disclose import Positions, disclosed
from routing.effects import Known, Policy, Record
from routing.route import route
from routing.state.incident import Incident
from schemas.codec import EventCodec
from tests.bench.rules import GRANTED, bench_exchange
from tests.bench.workload import records

T = TypeVar("T")


def measure_pieces(number: int, incidents: int, bundle: Bundle) -> dict[str, float]:
    """Microseconds of each piece: of one event, but for the view and deciding afresh, which are of one recipient."""
    policy = Policy(bundle, bench_exchange("bench"))
    codec = EventCodec()
    most = policy.exchange.limits.max_event_bytes
    now = datetime.now(UTC)
    told = records(policy, number, incidents)
    opened = [codec.open(record.value, most) for record in told]
    geography = geography_of(policy.bundle)
    came = [arrived(record, each, geography, now) for record, each in zip(told, opened, strict=True)]
    seen = [each.considered for each in came]
    members = recipients(policy.bundle, seen[0].origin)
    rows = [(each, circulation(decide_all(policy.bundle, each.considered, now), {})) for each in came]
    granted = [(row[0].event, to.wording.decision.covers) for row in rows for to in row[1].deliveries]
    few = seen[: max(1, number // 100)]
    warm = _cost(told, lambda record: route(record, policy, now))
    return {
        "open_event": _cost(told, lambda record: codec.open(record.value, most)),
        "view_per_recipient": _cost(granted, lambda pair: pair[0].view(pair[1])),
        "decide": _cost(seen, lambda each: decide_all(policy.bundle, each, now)),
        "interpret_per_recipient": _cost(
            [(each, member) for each in few for member in members],
            lambda pair: decide(policy.bundle, pair[0], pair[1], now),
        ),
        "disclose": _cost(rows, lambda row: disclosed(*row, policy, codec, Positions({}, lambda _member: 0, None))),
        f"route_{len(GRANTED)}_of_{len(members)}": warm,
        "route_first_sight": _first_sight(told, policy, now),
        f"route_known_{len(GRANTED)}_of_{len(members)}": _cost(
            _with_what_came_before(told, policy, now),
            lambda pair: route(pair[0], policy, now, known=pair[1]),
        ),
    }


def _first_sight(told: list[Record], policy: Policy, now: datetime) -> float:
    """Of events that differ in what rules read, under a policy by which nothing was decided yet: what warming up costs.

    Where they come to the same decisions, later ones find what earlier ones left, as in life.
    """
    newer = replace(policy, bundle=replace(policy.bundle, version=policy.bundle.version + 1))
    prepare(newer.bundle, now)
    start = time.process_time()
    for record in told:
        route(record, newer, now)
    return (time.process_time() - start) / len(told) * 1e6


def _with_what_came_before(told: Iterable[Record], policy: Policy, now: datetime) -> list[tuple[Record, Known]]:
    """Each event with what a router remembers of its incident when it comes."""
    known: dict[bytes | None, Incident] = {}
    streams: dict[str, int] = {}
    found = []
    for record in told:
        before = Known(known.get(record.key), _stream_of(streams))
        effects = route(record, policy, now, known=before)
        found.append((record, before))
        streams.update(effects.streams)
        if effects.incident is not None:
            known[record.key] = effects.incident
    return found


def _stream_of(streams: dict[str, int]) -> Callable[[str], int]:
    return lambda member: streams.get(member, 0)


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
