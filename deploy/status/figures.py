"""The figures of each member: what it published, what was decided for it, what it received, what stands in its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from deploy.status.exposition import Series, has, label
from deploy.status.flow import Flow
from deploy.status.picture import Picture
from schemas.ops.metric_catalogue import CATALOGUE, GaugeName
from schemas.ops.metrics import OTHER

_NO_MEMBERS: Final = frozenset({"", OTHER})
_OWN_MEMBER: Final = ("produce", "consume", "ledger", "desk", "feedback")


@dataclass(frozen=True, slots=True)
class Counted:
    """A count since the processes that count it started, and of the window; by reason or outcome."""

    ever: Mapping[str, int] = field(default_factory=dict)
    lately: Mapping[str, int] = field(default_factory=dict)
    is_told: bool = True
    """Whether a process answers that would have counted it: if none does, nothing is known."""

    @property
    def total(self) -> int:
        """Since the processes started."""
        return sum(self.ever.values())

    @property
    def recent(self) -> int:
        """In the window."""
        return sum(self.lately.values())


@dataclass(frozen=True, slots=True)
class MemberFigures:
    """One member, as all processes tell it. None: nobody tells."""

    member: str
    name: str
    published: Counted
    """Its events that Kafka acknowledged."""
    decided: Counted
    """Decisions on others' events for it, by outcome."""
    delivered: Counted
    """What its consumer made of deliveries: written, repeated, set-aside."""
    quarantined: Counted
    """Its records that the router refused, by reason."""
    routing_lag_s: float | None
    """Age of the oldest of its events that is not routed."""
    delivery_lag_s: float | None
    """Age of the oldest delivery to it that is not durable."""
    p50_s: float | None
    """From recorded at the origin to durable at this member, in the window."""
    p99_s: float | None
    set_aside: int
    """Records of its own that await a person."""
    spool_events: int
    spool_oldest_s: float
    is_suspended: bool
    is_paused: bool
    last_published_at: float | None
    """When the router last routed an event of it."""
    last_delivered_at: float | None
    missing: int = 0
    """Deliveries to it that the numbers of its streams say are missing."""
    reused: int = 0
    """Numbers that two deliveries to it bore, in the window."""
    overdue: Mapping[str, int] = field(default_factory=dict)
    """What it has not answered in time, by what was asked."""


def figures(flow: Flow, names: Mapping[str, str]) -> tuple[MemberFigures, ...]:
    """The figures of every member that is named, or of whom a process speaks; by name.

    Args:
        flow: two pictures.
        names: member → its name, as far as known.
    """
    members = sorted({*names, *_spoken_of(flow.now)}, key=lambda member: names.get(member, member))
    return tuple(_figures_of(member, flow, names.get(member, member)) for member in members)


def _figures_of(member: str, flow: Flow, name: str) -> MemberFigures:
    now = flow.now
    return MemberFigures(
        member=member,
        name=name,
        published=Counted(
            flow.standing("produce", "produced_events_total", "outcome", origin=member, outcome="acknowledged"),
            flow.counted("produce", "produced_events_total", "outcome", origin=member, outcome="acknowledged"),
            is_told=_answers(now, "produce", member),
        ),
        decided=Counted(
            flow.standing("route-worker", "decisions_total", "outcome", recipient=member),
            flow.counted("route-worker", "decisions_total", "outcome", recipient=member),
            is_told=_answers(now, "route-worker"),
        ),
        delivered=Counted(
            flow.standing("consume", "delivered_total", "outcome", recipient=member),
            flow.counted("consume", "delivered_total", "outcome", recipient=member),
            is_told=_answers(now, "consume", member),
        ),
        quarantined=Counted(
            flow.standing("route-worker", "quarantined_records_total", "reason", member=member),
            flow.counted("route-worker", "quarantined_records_total", "reason", member=member),
            is_told=_answers(now, "route-worker"),
        ),
        routing_lag_s=_largest(now, "route-worker", "input_lag_seconds", origin=member),
        delivery_lag_s=_largest(now, "consume", "consumer_lag_seconds", recipient=member),
        p50_s=flow.quantile_s("consume", "receive_seconds", 0.5, recipient=member),
        p99_s=flow.quantile_s("consume", "receive_seconds", 0.99, recipient=member),
        set_aside=round(sum(_values(now, "produce", "set_aside_records", origin=member))),
        spool_events=round(sum(_values(now, "produce", "spool_events", origin=member))),
        spool_oldest_s=_largest(now, "produce", "spool_oldest_seconds", origin=member) or 0.0,
        is_suspended=any(_values(now, "route-worker", "member_suspended", member=member)),
        is_paused=any(_values(now, "route-worker", "origin_paused", origin=member)),
        last_published_at=_largest(now, "route-worker", "last_routed_timestamp_seconds", origin=member),
        last_delivered_at=_largest(now, "consume", "last_delivered_timestamp_seconds", recipient=member),
        missing=round(_largest(now, "consume", "missing_deliveries", recipient=member) or 0.0),
        reused=flow.count("consume", "stream_faults_total", recipient=member, fault="reused"),
        overdue=_overdue(now, member),
    )


def _overdue(now: Picture, member: str) -> dict[str, int]:
    """By what was asked; of several instances that look into one database, the largest."""
    whats = CATALOGUE["awaited_answers"].labels["what"] or ()
    counts = {
        what: round(_largest(now, "consume", "awaited_answers", recipient=member, what=what, due="overdue") or 0.0)
        for what in whats
    }
    return {what: count for what, count in counts.items() if count}


def _answers(now: Picture, service: str, whose: str = "") -> bool:
    return any(process.is_up and whose in {"", process.whose} for process in now.of(service))


def _values(now: Picture, service: str, name: GaugeName, **labels: str) -> Iterator[float]:
    for process in now.of(service):
        gauge: Series = process.samples.gauge(name) if process.samples else {}
        yield from (value for series, value in gauge.items() if has(series, labels))


def _largest(now: Picture, service: str, name: GaugeName, **labels: str) -> float | None:
    return max(_values(now, service, name, **labels), default=None)


def _spoken_of(now: Picture) -> frozenset[str]:
    spoken: Counter[str] = Counter(process.whose for process in now.of(*_OWN_MEMBER))
    for process in now.of("route-worker"):
        if process.samples is not None:
            spoken.update(_labelled(process.samples.counter("decisions_total"), "origin", "recipient"))
            spoken.update(_labelled(process.samples.gauge("member_suspended"), "member"))
            spoken.update(_labelled(process.samples.gauge("origin_paused"), "origin"))
    return frozenset(spoken) - _NO_MEMBERS


def _labelled(series: Iterable[frozenset[tuple[str, str]]], *names: str) -> Iterator[str]:
    return (label(labels, name) for labels in series for name in names)
